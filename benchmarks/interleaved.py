"""Two programs timed in turn, A B A B, so that what else the machine does slows both alike."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

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
    programs = (ours, theirs)
    for program in programs:
        program()
    times: tuple[list[float], list[float]] = ([], [])
    start = time.perf_counter()
    while len(times[0]) < FEWEST or time.perf_counter() - start < seconds:
        for index in (0, 1) if len(times[0]) % 2 == 0 else (1, 0):
            begin = CLOCKS[clock]()
            programs[index]()
            times[index].append(CLOCKS[clock]() - begin)
    ratios = [other / own for own, other in zip(*times, strict=True)]
    return Comparison(
        statistics.median(times[0]),
        statistics.median(times[1]),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        len(ratios),
    )


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values))
