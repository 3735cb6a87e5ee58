"""Candidates counted and measured, of which the limits reject some before anything is trained."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lit_cnn.choosing.budget import MEASURING, BudgetTooSmall, duration
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.measuring import busy_words, count_candidate, load_average, measure_candidate
from lit_cnn.choosing.trainings import Trained
from lit_cnn.choosing.wishes import Wishes
from lit_cnn.run_folder.atomic import write_text

MOST = 0.5
"""Of the budget after which measuring is given up where not even two candidates are within the limits."""
LOAD, SECONDS = "load", "seconds"
"""Of a measured candidate: the machine's load average before, and how long measuring it took."""

Row = dict[str, float]


@dataclass
class Sifting:
    """Candidates on their way through counting and measuring.

    Args:
        file: What was measured, also by an earlier process.
        images: What they are for.
        wishes: Limits, budget and condition.
        say: Gets a line on each candidate.
        costs: Of each candidate that was counted.
        rejected: Candidate -> the limit that it exceeds, and a sentence.
        untried: What -> why it was not tried.
        earlier: Seconds of measuring before this process.
        waiting: Seconds of the longest measurement, where some candidates were not measured for lack of time.
        load: The highest load average under which one of the candidates that are kept was measured.
    """

    file: Path
    images: ImageSet
    wishes: Wishes
    say: Callable[[str], None]
    costs: dict[str, Row] = field(default_factory=dict)
    rejected: dict[str, tuple[str, str]] = field(default_factory=dict)
    untried: dict[str, str] = field(default_factory=dict)
    earlier: float = 0.0
    waiting: float = 0.0
    load: float | None = None

    def count(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Those that can be built and are within the limits on what is counted; forgets what was counted before."""
        self.costs, self.rejected = {}, {}
        kept = []
        for candidate in candidates:
            try:
                channels = channels_of(candidate, self.images)
                self.costs[candidate.name] = count_candidate(candidate, len(self.images.class_names), channels)
            except (ValueError, RuntimeError) as error:
                self.untried[candidate.name] = str(error).splitlines()[0]
                continue
            kept += [candidate] if self._within(candidate) else []
        return kept

    def measure(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that are within the limits on what is measured, as far as the share of the budget reaches.

        Raises:
            ValueError: If memory is limited but cannot be measured, or none is within the limits.
            BudgetTooSmall: If measuring takes too much of the budget.
        """
        known, load, began = self._known(), load_average(), time.monotonic()
        self.earlier = sum(row[SECONDS] for row in known.values())
        kept: list[Candidate] = []
        for candidate in candidates:
            if candidate.name not in known:
                if not self._is_time(self.earlier + time.monotonic() - began, len(kept), known):
                    self.untried[candidate.name] = "not measured: no time within the budget"
                    self.waiting = max(row[SECONDS] for row in known.values())
                    continue
                row = self._measured(candidate, load)
                if row is None:
                    continue
                known[candidate.name] = row
                self._keep(known)
            self.costs[candidate.name] |= known[candidate.name]
            within = self._within(candidate)
            self.say(f"{candidate.name}: {known[candidate.name]['latency_ms']:.1f} ms{'' if within else ', rejected'}")
            kept += [candidate] if within else []
        if not kept:
            raise ValueError(self._nothing_left(known))
        loads = [known[each.name][LOAD] for each in kept if LOAD in known[each.name]]
        self.load = max(loads, default=None)
        return kept

    def _known(self) -> dict[str, Row]:
        return json.loads(self.file.read_text(encoding="utf-8")) if self.file.is_file() else {}

    def _keep(self, known: dict[str, Row]) -> None:
        write_text(self.file, json.dumps(known, indent=1) + "\n")

    def _is_time(self, taken: float, kept: int, known: dict[str, Row]) -> bool:
        """Whether the budget has time to measure one more after so many seconds."""
        budget = self.wishes.budget
        if kept >= 2:
            return taken <= MEASURING * budget
        if taken > MOST * budget:
            found = "no candidate" if kept == 0 else "only one candidate"
            raise BudgetTooSmall(
                f"measuring took {duration(taken)}, more than half of the budget of {duration(budget)}, and found "
                f"{found} within the limits ({self.wishes.limits.words()}): raise --budget or a limit, or name smaller "
                f"networks with --networks and --sizes{self._forget_busy(known)}"
            )
        return True

    def _measured(self, candidate: Candidate, load: float | None) -> Row | None:
        """The figures of a candidate; None where it cannot be measured."""
        images, condition, began = self.images, self.wishes.condition, time.monotonic()
        batch, classes = Trained.of(images).batch_size, len(images.class_names)
        try:
            row = measure_candidate(candidate, classes, channels_of(candidate, images), condition, batch)
        except ValueError as error:
            self.untried[candidate.name] = str(error)
            return None
        if self.wishes.limits.memory_mb is not None and "memory_mb" not in row:
            raise ValueError(
                f"--max-memory-mb is {self.wishes.limits.memory_mb:g}, but this system does not report the memory of a "
                "process (Linux does, and GPUs do): leave it out"
            )
        return {**row, SECONDS: time.monotonic() - began, **({} if load is None else {LOAD: load})}

    def _within(self, candidate: Candidate) -> bool:
        exceeded = self.wishes.limits.exceeded(self.costs[candidate.name])
        if exceeded is not None:
            self.rejected[candidate.name] = exceeded
        return exceeded is None

    def _nothing_left(self, known: dict[str, Row]) -> str:
        """Why no candidate is left."""
        if not self.rejected:
            reason = next(iter(self.untried.values()), "no network was named")
            return f"no candidate can be tried: {reason}"
        name, (_, sentence) = min(self.rejected.items(), key=lambda each: self.costs[each[0]].get("latency_ms", 1e9))
        return (
            f"none of {len(self.rejected)} candidates is within the limits ({self.wishes.limits.words()}): {name} has "
            f"{sentence}; raise a limit, or name smaller networks with --networks and --sizes"
            f"{self._forget_busy(known)}"
        )

    def _forget_busy(self, known: dict[str, Row]) -> str:
        """Forget what was measured on a busy machine, so that the next call measures it again; returns words on it."""
        quiet = {name: row for name, row in known.items() if not busy_words(row.get(LOAD))}
        busy = busy_words(max((row[LOAD] for name, row in known.items() if name not in quiet), default=None))
        if busy is None:
            return ""
        self._keep(quiet)
        return f"; {busy}, so the same command measures again"


def channels_of(candidate: Candidate, images: ImageSet) -> int:
    """Channels that the network sees."""
    return 3 if candidate.weights is not None else images.channels
