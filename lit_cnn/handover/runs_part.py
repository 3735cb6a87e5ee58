"""The section of a page that puts several runs next to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.evaluation.paired import t_interval
from lit_cnn.evaluation.run_comparison import (
    Comparison,
    Group,
    Scored,
    Settings,
    by_block,
    compare_runs,
    left_out_runs,
    reasons_of,
)
from lit_cnn.evaluation.run_differences import Difference
from lit_cnn.evaluation.run_records import read_run
from lit_cnn.experiment.files import value_text
from lit_cnn.handover.run_files import RunFiles
from lit_cnn.reports.curves import MOST_POINTS, thinned
from lit_cnn.reports.html_page import Block, Figure, HtmlTable, Section, Text
from lit_cnn.reports.inline_svg import inline_svg
from lit_cnn.reports.run_curves import RunCurves, run_panels
from lit_cnn.training.monitor import direction, metric_text


@dataclass(frozen=True)
class ShownRun:
    """The run that a page shows in full.

    Args:
        folder: Of the run.
        comparison: Of all runs that were named; None where only one of them counts.
        left_out: Sentences on those that do not count, where there is no comparison to name them.
    """

    folder: Path
    comparison: Comparison | None = None
    left_out: tuple[str, ...] = ()


def shown_run(folders: Sequence[Path]) -> ShownRun:
    """The only run, whatever its state, or the best of several.

    Raises:
        ValueError: If none of several can be compared.
    """
    if len(folders) == 1:
        return ShownRun(folders[0])
    records, settings = [read_run(folder) for folder in folders], Settings(unfinished=True)
    left_out = left_out_runs(records, settings)
    counted = [run.folder for run in records if str(run.folder) not in left_out]
    if not counted:
        raise ValueError(
            f"none of the {len(records)} runs can be compared ({reasons_of(left_out)}): name one of them alone for a "
            "page of what it recorded"
        )
    if len(counted) == 1:
        return ShownRun(counted[0], left_out=tuple(f"{name} is left out: {why}" for name, why in left_out.items()))
    comparison = compare_runs(records, settings)
    return ShownRun(best_run(comparison), comparison)


def best_run(comparison: Comparison) -> Path:
    """The folder of the run with the best value of all."""
    sign = 1 if direction(comparison.metric) == "max" else -1
    return max(comparison.runs, key=lambda run: sign * run.best).run.folder


def compared_section(comparison: Comparison, shown: RunFiles) -> Section:
    """Means over seeds, differences between settings, curves, and every run.

    Args:
        comparison: Of two runs or more.
        shown: The run that the rest of the page is about.
    """
    metric = comparison.metric
    runs = [RunCurves(run.group, thinned(run.run.rows, MOST_POINTS)) for run in comparison.runs]
    pictures = [
        inline_svg(figure, f"runs-{number}", f"{name} of the runs", "The table below has the best and last values.")
        for number, (name, figure) in enumerate(run_panels(runs, metric).items())
    ]
    caption = "A color for each group of equal settings: its runs thin, their mean thick."
    blocks: list[Block] = [_groups(comparison)]
    if len(comparison.groups) > 1:
        blocks.append(_differences(comparison))
    blocks.append(Figure(caption, pictures, _runs(comparison)))
    blocks += [Text(f"{warning}.", warning=True) for warning in comparison.warnings]
    blocks += [Text(f"{folder} is left out: {why}.", warning=True) for folder, why in comparison.left_out.items()]
    blocks.append(Text(f"All that follows is of {shown.name}, the run with the best {metric}."))
    return Section("Runs", blocks)


def _groups(comparison: Comparison) -> HtmlTable:
    over = "runs" if comparison.grouping.paired else "seeds"
    columns = ("settings", over, "best, mean ± sd", "95 % t interval of the mean", "last, mean ± sd", "seconds")
    rows = [_group_row(group, comparison) for group in comparison.groups]
    return HtmlTable(f"{comparison.metric} over seeds of equal settings", columns, rows)


def _group_row(group: Group, comparison: Comparison) -> list[str]:
    metric = comparison.metric
    values = list(by_block([run for run in comparison.runs if run.group == group.label], "best").values())
    interval = t_interval(values) if len(values) > 1 else None
    within = f"{metric_text(metric, interval.low)} to {metric_text(metric, interval.high)}" if interval else "–"
    means = [
        metric_text(metric, each.mean) + (f" ± {metric_text(metric, each.sd)}" if each.sd is not None else "")
        for each in (group.best, group.last)
    ]
    seconds = "–" if group.seconds is None else f"{group.seconds:,.0f}"
    return [group.label, str(group.best.n), means[0], within, means[1], seconds]


def _differences(comparison: Comparison) -> HtmlTable:
    mean = "mean" if "loss" in comparison.metric else "mean, points"
    columns = ("first minus second", "pairs", mean, "95 % t interval", "p (Holm)", "decided")
    rows = [_difference_row(each, comparison.metric) for each in comparison.differences]
    return HtmlTable(
        f"differences of {comparison.value} {comparison.metric}, seed by seed", columns, rows, words=(0, 5)
    )


def _difference_row(difference: Difference, metric: str) -> list[str]:
    interval, names = difference.interval, f"{difference.first} − {difference.second}"
    mean = "–" if difference.mean is None else _gap(metric, difference.mean)
    within = f"{_gap(metric, interval.low)} to {_gap(metric, interval.high)}" if interval else "–"
    p = "–" if difference.p_holm is None else f"{difference.p_holm:.3f}"
    return [names, str(difference.pairs), mean, within, p, "yes" if difference.decided else "no"]


def _gap(metric: str, value: float) -> str:
    """A difference of losses, or of accuracies in percentage points."""
    return f"{value:+.4f}" if "loss" in metric else f"{100 * value:+.2f}"


def _runs(comparison: Comparison) -> HtmlTable:
    columns = ("run", "settings", "seed", f"best {comparison.metric}", "epoch", "last", "epochs")
    rows = [_run_row(run, comparison.metric) for run in comparison.runs]
    return HtmlTable(f"{len(rows)} runs", columns, rows, words=(0, 1))


def _run_row(scored: Scored, metric: str) -> list[str]:
    folder = scored.run.folder.resolve()
    best, last = metric_text(metric, scored.best), metric_text(metric, scored.last)
    name, epochs = f"{folder.parent.name}/{folder.name}", str(scored.run.epochs)
    return [name, scored.group, value_text(scored.run.seed), best, str(scored.best_epoch), last, epochs]
