"""The figures of ``lit-cnn bench`` in words: tables for people and for Markdown, sentences, and what they hold for."""

import datetime
import os
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from lit_cnn.benchmarking.loading import DataSpeed
    from lit_cnn.benchmarking.overhead import Overhead
    from lit_cnn.benchmarking.race import Bench

HEADER = (
    *("network", "px", "batch", "training images/s", "step parts, ms", "inference images/s"),
    *("% of limit, training", "inference", "peak MB, training"),
)


def cells(bench: "Bench", number: int) -> list[str]:
    result = bench.results[number]
    name = bench.name if number == 0 else f"  {result.label}"
    parts = " / ".join(significant(value) for value in result.phases.values())
    peak = "–" if result.training_peak_bytes is None else f"{result.training_peak_bytes / 1e6:,.0f}"
    shares = [f"{100 * share.median:.0f}" for share in (result.training_share, result.inference_share)]
    speeds = [interval(speed.median, speed.low, speed.high) for speed in (result.training, result.inference)]
    return [name, str(bench.image_size), str(bench.batch_size), speeds[0], parts, speeds[1], *shares, peak]


def interval(median: float, low: float, high: float) -> str:
    """The median, and its interval in brackets."""
    return f"{significant(median)} [{significant(low)}, {significant(high)}]"


def significant(value: float) -> str:
    """Three significant digits; what is below a hundredth counts as 0."""
    return f"{value:,.0f}" if value >= 100 else "0" if value < 0.01 else f"{value:.3g}"


def rows(benches: "list[Bench]") -> list[list[str]]:
    return [cells(bench, number) for bench in benches for number in range(len(bench.results))]


def table(benches: "list[Bench]") -> Table:
    shown = Table(
        caption="Step parts: data / forward / backward / optimizer. Brackets: 95 % interval of the median. "
        "Limit: a large matrix product in the same rounds."
    )
    for name in HEADER:
        shown.add_column(name, justify="left" if name == "network" else "right", no_wrap=name == "network")
    for row in rows(benches):
        shown.add_row(*row)
    return shown


def markdown(benches: "list[Bench]") -> str:
    lines = ["| " + " | ".join(HEADER) + " |", "|---|" + "---:|" * (len(HEADER) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows(benches)]) + "\n"


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
    first, cores = benches[0], os.cpu_count() or 1
    limits = [bench.limit.median for bench in benches]
    span = f"{min(limits):,.0f} to {max(limits):,.0f}" if len(limits) > 1 else f"{limits[0]:,.0f}"
    counted = sorted({bench.limit.rounds for bench in benches})
    turns = str(counted[0]) if len(counted) == 1 else f"{counted[0]} to {counted[-1]}"
    warning = ""
    if first.busy is not None and first.busy > cores / 2:
        warning = f"\nthe machine was busy (load average {first.busy:.1f} on {cores} cores), so times are too long"
    return (
        f"{first.device}, {cores} cores, {first.threads} threads, {datetime.date.today().isoformat()}: "
        f"{first.precision}, {'channels_last' if first.channels_last else 'contiguous'}, {turns} rounds; "
        f"limit {span} GFLOP/s; memory: {first.memory_how}{warning}"
    )
