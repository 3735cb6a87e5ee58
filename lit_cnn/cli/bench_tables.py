"""The figures of ``lit-cnn bench`` in words: the cells of its table, sentences, and what they hold for."""

import datetime
import os
from typing import TYPE_CHECKING

from lit_cnn.cli.console import busy_warning, number, span
from lit_cnn.cli.tables import Column, Table
from lit_cnn.data.image_size import label

if TYPE_CHECKING:
    from lit_cnn.benchmarking.loading import DataSpeed
    from lit_cnn.benchmarking.overhead import Overhead
    from lit_cnn.benchmarking.race import Bench

COLUMNS = (
    *(Column("network", "name"), Column("px", rank=1), Column("batch", rank=3), Column("training images/s")),
    *(Column("step parts, ms", rank=5), Column("inference images/s", rank=2), Column("% of limit, training", rank=4)),
    *(Column("% of limit, inference", rank=6), Column("peak MB, training", rank=7)),
)
CAPTION = (
    "Step parts: data / forward / backward / optimizer. Brackets: 95 % interval of the median. Limit: a large matrix "
    "product in the same rounds."
)


def cells(bench: "Bench", place: int) -> list[str]:
    result = bench.results[place]
    name = bench.name if place == 0 else f"  {result.label}"
    parts = " / ".join(significant(value) for value in result.phases.values())
    peak = "–" if result.training_peak_bytes is None else f"{result.training_peak_bytes / 1e6:,.0f}"
    shares = [f"{100 * share.median:.0f}" for share in (result.training_share, result.inference_share)]
    speeds = [interval(speed.median, speed.low, speed.high) for speed in (result.training, result.inference)]
    return [name, label(bench.image_size), str(bench.batch_size), speeds[0], parts, speeds[1], *shares, peak]


def interval(median: float, low: float, high: float) -> str:
    """The median, and its interval in brackets."""
    return f"{significant(median)} [{significant(low)}, {significant(high)}]"


def significant(value: float) -> str:
    """Three significant digits; what is below a hundredth counts as 0."""
    return number(value if value >= 0.01 else 0)


def bench_table(benches: "list[Bench]", lines: list[str]) -> Table:
    """A row for each network and rival, with ``lines`` below."""
    rows = [cells(bench, place) for bench in benches for place in range(len(bench.results))]
    return Table(COLUMNS, rows, notes=[CAPTION, *lines])


def comparisons(benches: "list[Bench]") -> list[str]:
    """A sentence per rival: our images per second over its."""
    return [
        f"{bench.name} over {ratio.against}: training {ratio.training}, inference {ratio.inference} times as fast"
        for bench in benches
        for ratio in bench.ratios
    ]


def further(speed: "DataSpeed | None", overhead: "Overhead | None") -> list[str]:
    """The lines on data and fit, as far as they were measured."""
    from lit_cnn.benchmarking.loading import data_line

    return [*([data_line(speed)] if speed else []), *([fit_line(overhead)] if overhead else [])]


def fit_line(overhead: "Overhead") -> str:
    from lit_cnn.benchmarking.overhead import percent

    extra = f" without {' and '.join(overhead.extra)}" if overhead.extra else ""
    return (
        f"fit: {percent(overhead)} time per step against a plain loop{extra} "
        f"({overhead.fit_ms.median:.1f} against {overhead.plain_ms.median:.1f} ms, {overhead.ratio.rounds} turns)"
    )


def conditions(benches: "list[Bench]") -> str:
    """Machine, date and settings, with a warning if the machine was busy."""
    first, limits = benches[0], [round(bench.limit.median) for bench in benches]
    layout, rounds = "channels_last" if first.channels_last else "contiguous", [bench.limit.rounds for bench in benches]
    return (
        f"{first.device}, {os.cpu_count() or 1} cores, {first.threads} threads, {datetime.date.today().isoformat()}: "
        f"{first.precision}, {layout}, {span(rounds)} rounds; "
        f"limit {span(limits)} GFLOP/s; memory: {first.memory_how}{busy_warning(first.busy)}"
    )
