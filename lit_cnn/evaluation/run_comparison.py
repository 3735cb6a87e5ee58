"""Runs of ``lit-cnn fit`` compared: means over seeds of each group, and the differences between groups seed by seed."""

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lit_cnn.evaluation.run_costs import Cost, Size, cost_of, sizes_of
from lit_cnn.evaluation.run_differences import Difference, differences_of
from lit_cnn.evaluation.run_groups import Grouping, group_runs
from lit_cnn.evaluation.run_records import RunRecord
from lit_cnn.evaluation.run_warnings import run_warnings
from lit_cnn.training.monitor import direction, is_better

Value = Literal["best", "last"]


@dataclass(frozen=True)
class Settings:
    """How runs are compared.

    Args:
        by: Recipe keys, or sections of them, by which runs are grouped; none: those that differ.
        metric: What is compared; None takes the recipes' monitor.
        value: Whether differences are of the best or the last validation.
        unfinished: Count runs that have not ended, as far as they are.
    """

    by: Sequence[str] = ()
    metric: str | None = None
    value: Value = "best"
    unfinished: bool = False


@dataclass(frozen=True)
class Scored:
    """One compared run.

    Args:
        run: What its folder says.
        group: The label of its group.
        block: What it is paired by.
        best: The metric's best value.
        best_epoch: Where it was reached, counted from 1.
        last: The metric's last value.
        cost: Of its training.
        size: Of its network.
    """

    run: RunRecord
    group: str
    block: str
    best: float
    best_epoch: int
    last: float
    cost: Cost
    size: Size


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds (None of one), and how many."""

    mean: float
    sd: float | None
    n: int


@dataclass(frozen=True)
class Group:
    """Runs of the same settings.

    Args:
        label: Short name, by the values that differ.
        settings: Recipe key -> value.
        runs: Run folders.
        seeds: Theirs, each once.
        best: Of the metric's best values.
        last: Of its last values.
        epochs: Mean number of epochs trained.
        best_epoch: Mean epoch of the best value.
        seconds: Mean seconds of training; None where not recorded.
        images_per_second: Mean speed.
        params: Of the network, None where unknown.
        madds: Multiply-adds of one image.
    """

    label: str
    settings: dict[str, Any]
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    best: Spread
    last: Spread
    epochs: float
    best_epoch: float
    seconds: float | None
    images_per_second: float | None
    params: int | None
    madds: int | None


@dataclass(frozen=True)
class Comparison:
    """What runs have in common and what not.

    Args:
        metric: What was compared.
        value: Whether ``differences`` are of the best or the last validation.
        grouping: By which keys.
        runs: Those that count, group by group.
        groups: The best mean first.
        differences: Of every two groups.
        left_out: Run folder -> why it does not count.
        warnings: Sentences on what makes the comparison doubtful.
    """

    metric: str
    value: Value
    grouping: Grouping
    runs: tuple[Scored, ...]
    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    left_out: dict[str, str]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Built-in types."""
        return {
            "metric": self.metric,
            "value": self.value,
            "keys": list(self.grouping.keys),
            "groups": [asdict(group) for group in self.groups],
            "differences": [asdict(difference) for difference in self.differences],
            "runs": [run_row(run) for run in self.runs],
            "left_out": self.left_out,
            "warnings": list(self.warnings),
        }


def run_row(run: Scored) -> dict[str, Any]:
    """One compared run in built-in types."""
    figures = {"best": run.best, "best_epoch": run.best_epoch, "last": run.last, "epochs": run.run.epochs}
    return {"run": str(run.run.folder), "group": run.group, "seed": run.run.seed, "state": run.run.state, **figures,
            **asdict(run.cost), **asdict(run.size)}  # fmt: skip


def compare_runs(records: Sequence[RunRecord], settings: Settings = Settings()) -> Comparison:
    """Compare runs by a metric of their validations.

    Args:
        records: Two at least.
        settings: How.

    Raises:
        ValueError: If fewer than two runs count, or the metric, a key or a group is not there.
    """
    metric, left_out = _metric(records, settings), left_out_runs(records, settings)
    counted = [run for run in records if str(run.folder) not in left_out]
    if len(counted) < 2:
        raise ValueError(_too_few(records, counted, left_out, metric))
    grouping = group_runs(counted, settings.by)
    scored = _scored(counted, grouping, metric)
    groups = _groups(scored, grouping, metric)
    place = {group.label: number for number, group in enumerate(groups)}
    scored.sort(key=lambda run: place[run.group])
    differences = differences_of(
        {group.label: by_block([run for run in scored if run.group == group.label], settings.value) for group in groups}
    )
    warnings = run_warnings(counted, grouping, metric)
    return Comparison(
        metric, settings.value, grouping, tuple(scored), tuple(groups), tuple(differences), left_out, tuple(warnings)
    )


def left_out_runs(records: Sequence[RunRecord], settings: Settings) -> dict[str, str]:
    """Run folder -> why it does not count."""
    metric = _metric(records, settings)
    return {str(run.folder): why for run in records if (why := _why_not(run, metric, settings.unfinished))}


def _metric(records: Sequence[RunRecord], settings: Settings) -> str:
    """What is compared."""
    return settings.metric or next((run.monitor for run in records if run.recipe), "val/acc1")


def values_of(run: RunRecord, metric: str) -> list[tuple[int, float]]:
    """(epoch counted from 1, value) of each row with the metric."""
    return [(int(row.get("epoch", 0)) + 1, row[metric]) for row in run.rows if metric in row]


def _why_not(run: RunRecord, metric: str, unfinished: bool) -> str:
    """Why a run does not count; empty where it does."""
    if run.state == "failed" or (run.state != "finished" and not unfinished):
        return f"{run.state}: {run.detail}"
    values = [value for _, value in values_of(run, metric)]
    if not values:
        logged = ", ".join(name for name in run.metrics() if name.startswith("val/"))
        return f"it logged no {metric}" + (f", only {logged}" if logged else "")
    if not any(map(math.isfinite, values)):
        return f"its {metric} is never finite"
    return "" if math.isfinite(values[-1]) else f"its last {metric} is {values[-1]}: it diverged"


def reasons_of(left_out: dict[str, str]) -> str:
    """Up to three reasons why runs do not count, each with one of its runs, and how many more runs there are."""
    first = {why: name for name, why in reversed(left_out.items())}
    named = [f"{name}: {why}" for why, name in itertools.islice(reversed(first.items()), 3)]
    more = len(left_out) - len(named)
    return "; ".join([*named, *([f"and {more} more"] if more else [])])


def _too_few(records: Sequence[RunRecord], counted: Sequence[RunRecord], left_out: dict[str, str], metric: str) -> str:
    if not left_out:
        name = records[0].folder if records else "that"
        return (
            f"{name} is one run alone: name another to compare it with, such as 'runs/quickstart/*'; lit-cnn validate "
            "says how good one is"
        )
    advice = f"pass --metric NAME if they logged another than {metric}"
    if any(run.state in ("running", "unfinished") for run in records):
        advice = "pass --unfinished to compare them as far as they are"
    return f"of {len(records)} runs, {len(counted)} can be compared ({reasons_of(left_out)}): {advice}"


def _scored(runs: Sequence[RunRecord], grouping: Grouping, metric: str) -> list[Scored]:
    scored = []
    for run, group, block, size in zip(runs, grouping.labels, grouping.blocks, sizes_of(runs), strict=True):
        values = values_of(run, metric)
        best: tuple[int, float] | None = None
        for epoch, value in values:
            if is_better(metric, value, None if best is None else best[1]):
                best = (epoch, value)
        assert best is not None  # one of them is finite
        scored.append(Scored(run, group, block, best[1], best[0], values[-1][1], cost_of(run), size))
    return scored


def _groups(scored: Sequence[Scored], grouping: Grouping, metric: str) -> list[Group]:
    """Each group, the best mean first."""
    members = {label: [run for run in scored if run.group == label] for label in dict.fromkeys(grouping.labels)}
    groups = [_group(label, runs, grouping.settings[label]) for label, runs in members.items()]
    return sorted(groups, key=lambda group: group.best.mean, reverse=direction(metric) == "max")


def _group(label: str, runs: Sequence[Scored], settings: dict[str, Any]) -> Group:
    return Group(
        label,
        settings,
        tuple(str(run.run.folder) for run in runs),
        tuple(sorted({run.run.seed for run in runs if run.run.seed is not None})),
        _spread(by_block(runs, "best").values()),
        _spread(by_block(runs, "last").values()),
        statistics.fmean(run.run.epochs for run in runs),
        statistics.fmean(run.best_epoch for run in runs),
        _mean(run.cost.seconds for run in runs),
        _mean(run.cost.images_per_second for run in runs),
        next((run.size.params for run in runs if run.size.params is not None), None),
        next((run.size.madds for run in runs if run.size.madds is not None), None),
    )


def by_block(runs: Sequence[Scored], value: Value) -> dict[str, float]:
    """The value of each block; runs of the same settings and seed count once, by their mean."""
    blocks: dict[str, list[float]] = {}
    for run in runs:
        blocks.setdefault(run.block, []).append(getattr(run, value))
    return {block: statistics.fmean(values) for block, values in blocks.items()}


def _spread(values: Iterable[float]) -> Spread:
    numbers = list(values)
    return Spread(statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else None, len(numbers))


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
