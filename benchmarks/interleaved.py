"""Two programs timed in turn, A B A B, so that what else the machine does slows both alike."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lit_cnn.benchmarking.interleaving import take_turns

FEWEST = 3
"""Pairs at least, however long they take."""


class Comparison(NamedTuple):
    """Median seconds of both programs, and how many times as fast as the second the first is, over the pairs."""

    ours: float
    theirs: float
    ratio: float
    lowest: float
    highest: float
    pairs: int


CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
"""With one thread the processor's time is the steadier clock on a machine that others use."""


def compare(
    ours: Callable[[], object], theirs: Callable[[], object], seconds: float, clock: str = "wall"
) -> Comparison:
    """Run both in turn for about ``seconds``, after one pair that is not counted; every other pair begins with the
    second program."""
    turns = {"ours": timed(ours, clock), "theirs": timed(theirs, clock)}
    for turn in turns.values():
        turn()
    times = take_turns(turns, seconds=seconds, fewest=FEWEST)
    ratios = [other / own for own, other in zip(times["ours"], times["theirs"], strict=True)]
    return Comparison(
        statistics.median(times["ours"]),
        statistics.median(times["theirs"]),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        len(ratios),
    )


def timed(program: Callable[[], object], clock: str = "wall", times: int = 1) -> Callable[[], float]:
    """A function that runs ``program`` so many times and returns the seconds of one."""

    def turn() -> float:
        begin = CLOCKS[clock]()
        for _ in range(times):
            program()
        return (CLOCKS[clock]() - begin) / times

    return turn


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values))
