"""After how many steps the time spent on compiling a network has come back."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lit_cnn.benchmarking.cost import step_limit
from lit_cnn.benchmarking.interleaving import Spread, ratios


@dataclass(frozen=True)
class Payback:
    """What compiling costs and saves.

    Args:
        compile_seconds: How much longer the first steps take if they compile.
        eager_seconds: A step that is not compiled.
        speed: Of a compiled step after the first, over one that is not.
        run_steps: Training steps of the recipe's run, or None if its end is open.
    """

    compile_seconds: float
    eager_seconds: float
    speed: Spread
    run_steps: int | None

    @classmethod
    def measured(
        cls, compiling: float, eager: Sequence[float], compiled: Sequence[float], steps: int | None
    ) -> "Payback":
        """From the seconds of compiling and of later steps of both kinds, which took turns."""
        return cls(max(0.0, compiling), statistics.median(eager), ratios(eager, compiled), steps)

    @property
    def pays_after(self) -> int | None:
        """Steps after which the run has become faster as a whole; None if a compiled step is not known to be faster."""
        if self.speed.low <= 1:
            return None
        return math.ceil(self.compile_seconds / (self.eager_seconds * (1 - 1 / self.speed.median)))

    @property
    def seconds_per_step(self) -> float:
        """What compiling adds to each step of the run; 0 if its end is open."""
        return self.compile_seconds / self.run_steps if self.run_steps else 0.0

    def __str__(self) -> str:
        took = f"model.compile: compiling took {self.compile_seconds:.0f} s"
        if self.speed.high < 1:
            return f"{took} and a compiled step is slower: {self.speed} times as fast"
        if self.pays_after is None:
            return (
                f"{took} and a compiled step is {self.speed} times as fast: whether it ever pays is not above the noise"
            )
        run = "the run's end is open" if self.run_steps is None else f"the run has {self.run_steps:,}"
        return (
            f"{took} and a compiled step is {self.speed} times as fast: it pays after {self.pays_after:,} steps, "
            f"{run}; every start, also of a resumed run, and every image size compiles again"
        )


def run_steps(trainer: Mapping[str, Any], batches: int) -> int | None:
    """Training steps, forward and backward, of a run.

    Args:
        trainer: The recipe's ``trainer`` keys.
        batches: Batches of the training set.

    Returns:
        The fewer of what ``max_epochs`` and ``max_steps`` allow, or None if neither ends the run.
    """
    limit, ends = trainer.get("limit_train_batches"), []
    if limit is not None:
        batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    if (epochs := trainer.get("max_epochs")) not in (None, -1):
        ends.append(epochs * batches)
    if (steps := step_limit(trainer)) is not None:
        ends.append(steps)
    return min(ends) if ends else None
