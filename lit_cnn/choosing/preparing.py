"""Before anything is trained: candidates listed, counted, measured and rejected, and the budget planned."""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from lit_cnn.choosing.budget import BudgetPlan, Price, duration, plan_budget
from lit_cnn.choosing.candidates import Candidate, by_priority, list_candidates, networks_for, sizes_for
from lit_cnn.choosing.folds import fold_numbers
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.measuring import Condition, count_candidate, measure_candidate
from lit_cnn.choosing.probe import FITTED
from lit_cnn.choosing.starts import given_starts, published_starts
from lit_cnn.choosing.trainings import Trained
from lit_cnn.choosing.wishes import MEASURED, PLAN, Wishes
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.profiling.timing import device_name
from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.locks import held

SHARE = 0.2
"""Of the budget that measuring may take; what is not measured by then is not tried, two candidates apart."""
EPOCH_SECONDS = 0.25
"""Of an epoch besides its steps: metrics and checkpoints written."""
FIT_SECONDS = 5.0
"""Of a probe besides its pass over the images: the heads fitted, the checkpoints written."""
DECODED = 16
"""Image files that are decoded to know what reading costs."""


@dataclass(frozen=True)
class Prepared:
    """What is tried and what is not.

    Args:
        candidates: Within the limits and measured, in the order in which the budget takes them.
        costs: Of each candidate that was counted: params, madds, and if measured latency_ms, memory_mb, step_ms and
            image_ms.
        rejected: Candidate -> the limit that it exceeds, and a sentence.
        untried: What -> why it was not tried.
        prices: Of the candidates.
        budget: What is trained how far.
        device: Name of the machine's device.
        threads: Of the CPU, with which latency was measured.
        busy: Load average of the machine before; None where it does not say.
        spent: Seconds of measuring.
    """

    candidates: list[Candidate]
    costs: dict[str, dict[str, float]]
    rejected: dict[str, tuple[str, str]]
    untried: dict[str, str]
    prices: list[Price]
    budget: BudgetPlan
    device: str
    threads: int
    busy: float | None
    spent: float

    def candidate(self, name: str) -> Candidate:
        """By its name."""
        return next(each for each in self.candidates if each.name == name)

    def price(self, name: str) -> tuple[float, float]:
        """By what candidates that are equally accurate are ordered: milliseconds, then multiply-adds."""
        return self.costs[name]["latency_ms"], self.costs[name]["madds"]

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        write_text(file, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, file: Path) -> "Prepared":
        """Read what ``save`` has written."""
        held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        candidates = [
            Candidate(**{**each, "options": tuple((name, _tupled(value)) for name, value in each["options"])})
            for each in held.pop("candidates")
        ]
        budget = BudgetPlan(**{key: _tupled(value) for key, value in held.pop("budget").items()})
        rejected = {name: (limit, sentence) for name, (limit, sentence) in held.pop("rejected").items()}
        prices = [Price(**each) for each in held.pop("prices")]
        return cls(candidates=candidates, budget=budget, rejected=rejected, prices=prices, **held)


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


@dataclass
class _Sorting:
    """Candidates on their way through counting and measuring."""

    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    rejected: dict[str, tuple[str, str]] = field(default_factory=dict)
    untried: dict[str, str] = field(default_factory=dict)


def prepare(folder: Path, wishes: Wishes, images: ImageSet, say: Callable[[str], None]) -> Prepared:
    """The plan in the folder, made now if there is none; one process makes it and the others wait.

    Raises:
        ValueError: If no candidate is within the limits, or the budget is too small.
    """
    with held(folder / ".prepare.lock"):
        if (folder / PLAN).is_file():
            return Prepared.load(folder / PLAN)
        prepared = _prepare(folder, wishes, images, say)
        prepared.save(folder / PLAN)
        return prepared


def _prepare(folder: Path, wishes: Wishes, images: ImageSet, say: Callable[[str], None]) -> Prepared:
    began, busy = time.monotonic(), os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    networks = networks_for(images.side, wishes.networks)
    sizes, start_sizes = sizes_for(images.side, wishes.sizes)
    starts = given_starts(wishes.weights)
    missing: dict[str, str] = {}
    if wishes.pretrained == "any":
        others = [name for name in networks if name not in {start.architecture for start in starts}]
        found, missing = published_starts(others, say)
        starts += found
    sorting = _Sorting()
    listed = list_candidates(networks, sizes, starts, start_sizes)
    counted = [each for each in listed if _count(each, images, wishes, sorting)]
    say(f"{len(listed)} candidates, {len(listed) - len(counted)} of them not within the limits on size")
    measured = _measure(folder, by_priority(counted), images, wishes, sorting, say)
    if not measured:
        raise ValueError(_nothing_left(sorting, wishes))
    if wishes.pretrained == "any":
        sorting.untried |= {f"published weights for {name}": why for name, why in missing.items()}
    spent = time.monotonic() - began
    prices = _prices(measured, images, sorting.costs, wishes.condition)
    budget = plan_budget(prices, wishes.budget, fold_numbers(images), spent)
    sorting.untried |= budget.left_out
    name = device_name(torch.device(wishes.condition.device))
    threads = wishes.condition.threads or torch.get_num_threads()
    return Prepared(
        measured, sorting.costs, sorting.rejected, sorting.untried, prices, budget, name, threads, busy, spent
    )


def _count(candidate: Candidate, images: ImageSet, wishes: Wishes, sorting: _Sorting) -> bool:
    """Whether a candidate can be built and is within the limits on what is counted."""
    try:
        costs = count_candidate(candidate, len(images.class_names), channels_of(candidate, images))
    except (ValueError, RuntimeError) as error:
        sorting.untried[candidate.name] = str(error).splitlines()[0]
        return False
    sorting.costs[candidate.name] = costs
    return _within(candidate, wishes, sorting)


def _within(candidate: Candidate, wishes: Wishes, sorting: _Sorting) -> bool:
    exceeded = wishes.limits.exceeded(sorting.costs[candidate.name])
    if exceeded is not None:
        sorting.rejected[candidate.name] = exceeded
    return exceeded is None


def channels_of(candidate: Candidate, images: ImageSet) -> int:
    """Channels that the network sees."""
    return 3 if candidate.weights is not None else images.channels


def _measure(
    folder: Path,
    candidates: Sequence[Candidate],
    images: ImageSet,
    wishes: Wishes,
    sorting: _Sorting,
    say: Callable[[str], None],
) -> list[Candidate]:
    """The candidates that are within the limits on what is measured, as far as the share of the budget reaches."""
    file, data = folder / MEASURED, Trained.of(images)
    kept: list[Candidate] = []
    known: dict[str, dict[str, float]] = json.loads(file.read_text()) if file.is_file() else {}
    began = time.monotonic()
    for candidate in candidates:
        if candidate.name not in known:
            if time.monotonic() - began > SHARE * wishes.budget and len(kept) >= 2:
                sorting.untried[candidate.name] = "not measured: no time within the budget"
                continue
            channels = channels_of(candidate, images)
            try:
                known[candidate.name] = measure_candidate(
                    candidate, len(images.class_names), channels, wishes.condition, data.batch_size
                )
            except ValueError as error:
                sorting.untried[candidate.name] = str(error)
                continue
            write_text(file, json.dumps(known, indent=1) + "\n")
        sorting.costs[candidate.name] |= known[candidate.name]
        latency = known[candidate.name]["latency_ms"]
        within = _within(candidate, wishes, sorting)
        say(f"{candidate.name}: {latency:.1f} ms{'' if within else ', rejected'}")
        kept += [candidate] if within else []
    return kept


def _nothing_left(sorting: _Sorting, wishes: Wishes) -> str:
    if sorting.rejected:
        name, (_, sentence) = min(
            sorting.rejected.items(), key=lambda each: sorting.costs[each[0]].get("latency_ms", 1e9)
        )
        return (
            f"none of {len(sorting.rejected)} candidates is within the limits ({wishes.limits.words()}): {name} has "
            f"{sentence}; raise a limit, or name smaller networks with --networks and --sizes"
        )
    reason = next(iter(sorting.untried.values()), "no network was named")
    return f"no candidate can be tried: {reason}"


def _prices(
    candidates: Sequence[Candidate], images: ImageSet, costs: dict[str, dict[str, float]], condition: Condition
) -> list[Price]:
    """Seconds of an epoch and of a probe of each candidate; a fold trains on the most images that it may."""
    folds = fold_numbers(images)[0]
    total, read = images.labeled, _seconds_to_read(images)
    val = total // folds if folds > 1 else images.count("val")
    train, cores = total - val, os.cpu_count() or 1
    batch = Trained.of(images).batch_size
    found = []
    for each in candidates:
        own = costs[each.name]
        compute = 1e-3 * (own["step_ms"] * train / batch + own["image_ms"] * val)
        reading = read * total
        on_gpu = condition.device != "cpu"
        epoch = EPOCH_SECONDS + (max(compute, reading / cores) if on_gpu else compute + reading)
        judged = total if folds > 1 else val
        answers = judged * (1e-3 * own["image_ms"] + read) + 1.0
        fitted = 0 if folds > 1 else min(FITTED, train)
        probe = None if each.weights is None else answers + fitted * (1e-3 * own["image_ms"] + read) + FIT_SECONDS
        found.append(Price(each.name, epoch, probe, answers))
    return found


def _seconds_to_read(images: ImageSet) -> float:
    """Of an image: decoding its file; nothing for images in memory."""
    split = images.splits["train"]
    if not isinstance(split, FolderSplit):
        return 0.0
    rows = range(0, len(split), max(1, len(split) // DECODED))
    began = time.perf_counter()
    for row in rows:
        split.read(row).pixels()
    return (time.perf_counter() - began) / len(rows)
