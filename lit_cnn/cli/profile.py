"""``lit-cnn profile NAME…``: what networks cost, counted and measured."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.cli.console import phases
from lit_cnn.profiling.counting import NetworkCount, count_model
from lit_cnn.profiling.timing import PRECISIONS, Speed, Timing, TimingSettings, measure, resolve_device


class Profile(NamedTuple):
    """A network's counts, and what was measured unless only counts were asked for."""

    counts: NetworkCount
    timing: Timing | None


def run(arguments: list[str]) -> int:
    options = _parse(arguments)
    device = str(resolve_device(options.device))
    for name in options.names:
        find_entry(name)
    with phases(len(options.names) * (1 if options.counts_only else 4 if options.layers else 3)) as tell:
        profiles = [_profile(name, options, device, tell) for name in options.names]
    if options.plot:
        _plot([profile.counts for profile in profiles], options.plot)
    if options.json:
        print(json.dumps([as_object(profile) for profile in profiles], indent=2))
        return 0
    console = Console(width=None if sys.stdout.isatty() else 150)
    if len(profiles) == 1:
        _print_one(console, profiles[0])
    else:
        console.print(_comparison(profiles))
    for profile in profiles:
        if options.layers:
            console.print(_layers(profile))
    timings = [profile.timing for profile in profiles if profile.timing]
    if timings:
        console.print(conditions(timings), highlight=False)
    if options.plot:
        console.print(f"picture: {options.plot}", highlight=False)
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lit-cnn profile",
        description="Parameters, multiply-adds, activations, speed and memory of networks of the catalog.",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="names that `lit-cnn models` lists")
    parser.add_argument("--image-size", type=int, help="px (default: each network's own)")
    parser.add_argument("--batch-size", type=int, default=4, help="images per batch when measuring (default 4)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:N (default: cuda where there is one)")
    parser.add_argument("--precision", choices=PRECISIONS, default="32-true")
    parser.add_argument("--layers", action="store_true", help="a row per layer, with its time")
    parser.add_argument("--repeats", type=int, help="timed passes per figure (default: what fits in 3 s, 3 to 30)")
    parser.add_argument("--contiguous", action="store_true", help="measure in NCHW layout instead of channels_last")
    parser.add_argument("--counts-only", action="store_true", help="measure nothing")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw where parameters and multiply-adds sit")
    parser.add_argument("--json", action="store_true", help="a list of objects")
    options = parser.parse_args(arguments)
    if options.image_size is not None and options.image_size < 1:
        raise ValueError(f"--image-size must be at least 1, got {options.image_size}")
    return options


def _profile(name: str, options: argparse.Namespace, device: str, tell: Callable[[str], None]) -> Profile:
    tell(f"{name}: counting")
    count = count_model(name, options.image_size)
    if options.counts_only:
        return Profile(count, None)
    settings = TimingSettings(
        device=device,
        precision=options.precision,
        batch_size=options.batch_size,
        image_size=count.image_size,
        channels_last=not options.contiguous,
        repeats=options.repeats,
    )
    timing = measure(
        lambda: create_model(name),
        settings,
        layers=options.layers,
        on_phase=lambda phase: tell(f"{name}: measuring {phase}"),
    )
    return Profile(count, timing)


def as_object(profile: Profile) -> dict[str, Any]:
    """The profile for a program: counts for one image, times in ms per batch, memory in bytes."""
    count = profile.counts
    totals = {key: getattr(count, key) for key in ("params", "madds", "activations", "activation_bytes")}
    by_kind = {key: _sum_kinds(count.shares(key)) for key in ("params", "madds")}
    return {
        "name": count.name,
        "image_size": count.image_size,
        **totals,
        "by_kind": by_kind,
        "stages": [asdict(stage) for stage in count.stages],
        "layers": [asdict(layer) for layer in count.layers],
        "timing": asdict(profile.timing) if profile.timing else None,
    }


def _sum_kinds(shares: list[tuple[str, dict[str, int]]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for _, kinds in shares:
        for kind, amount in kinds.items():
            sums[kind] = sums.get(kind, 0) + amount
    return sums


def conditions(timings: list[Timing]) -> str:
    """What the figures hold for, with a warning if the machine was busy before the first."""
    timing = timings[0]
    settings = timing.settings
    passes = [f"{_span([each.inference.repeats for each in timings])} inference"]
    passes.append(f"{_span([each.training.repeats for each in timings])} training")
    passes += [f"{_span([each.layer_repeats for each in timings])} layer"] if timing.layer_repeats else []
    threads = f", {timing.threads} threads" if settings.device == "cpu" else ""
    layout = "channels_last" if settings.channels_last else "contiguous"
    cores = os.cpu_count() or 1
    warning = ""
    if settings.device == "cpu" and timing.busy is not None and timing.busy > cores / 2:
        warning = f"\nthe machine was busy (load average {timing.busy:.1f} on {cores} cores), so times are too long"
    return (
        f"measured: {timing.device_name} ({settings.device}{threads}), {settings.precision}, {layout}, "
        f"batches of {settings.batch_size}; {', '.join(passes)} passes after warm-up\n"
        f"peak memory: {timing.memory_how}, weights included{warning}"
    )


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"


def _print_one(console: Console, profile: Profile) -> None:
    from rich.table import Table

    count, timing = profile.counts, profile.timing
    times = {stage.stage: stage for stage in timing.stages} if timing else {}
    title = f"{count.name}, one image of {count.image_size} px"
    table = Table(title=title, caption="activations: what training keeps for the backward pass, 32-bit")
    columns = ["stage", "output", "parameters", "%", "multiply-adds", "%", "activations", "MB"]
    columns += ["ms / batch"] if times else []
    for column in columns:
        table.add_column(column, justify="left" if column == "stage" else "right")
    for stage in count.stages:
        cells = [stage.name, shape(stage.shape), f"{stage.params:,}", share(stage.params, count.params)]
        cells += [f"{stage.madds:,}", share(stage.madds, count.madds), f"{stage.activations:,}"]
        cells += [f"{stage.activation_bytes / 1e6:,.1f}"]
        cells += [f"{times[stage.name].median_ms:.2f}" if stage.name in times else "–"] if times else []
        table.add_row(*cells)
    table.add_section()
    total = ["total", "", f"{count.params:,}", "", f"{count.madds:,}", "", f"{count.activations:,}"]
    table.add_row(*total, f"{count.activation_bytes / 1e6:,.1f}", *([""] if times else []))
    console.print(table)
    if timing:
        console.print(_speeds(timing))


def _speeds(timing: Timing) -> Table:
    table = Table("", "median ms / batch", "p95 ms", "images / s", "peak memory MB")
    rows: list[tuple[str, Speed, int | None]] = [
        ("inference", timing.inference, timing.inference_peak_bytes),
        ("training step", timing.training, timing.training_peak_bytes),
    ]
    for name, speed, peak in rows:
        table.add_row(name, f"{speed.median_ms:,.2f}", f"{speed.p95_ms:,.2f}", rate(speed), megabytes(peak))
    return table


def _comparison(profiles: list[Profile]) -> Table:
    table = Table(caption="Counts are for one image; activations: what training keeps for the backward pass, 32-bit.")
    names = ["name", "px", "params (M)", "madds (M)", "activations (MB)"]
    measured = any(profile.timing for profile in profiles)
    names += ["ms / batch", "p95", "images/s", "training images/s", "peak MB", "training MB"] if measured else []
    for name in names:
        table.add_column(name, justify="left" if name == "name" else "right", no_wrap=name == "name")
    for count, timing in profiles:
        cells = [count.name, str(count.image_size), f"{count.params / 1e6:,.2f}", f"{count.madds / 1e6:,.0f}"]
        cells.append(f"{count.activation_bytes / 1e6:,.1f}")
        if timing:
            cells += [f"{timing.inference.median_ms:,.1f}", f"{timing.inference.p95_ms:,.1f}", rate(timing.inference)]
            cells += [rate(timing.training), megabytes(timing.inference_peak_bytes)]
            cells.append(megabytes(timing.training_peak_bytes))
        table.add_row(*cells)
    return table


def _layers(profile: Profile) -> Table:
    count, timing = profile.counts, profile.timing
    times = {layer.name: layer for layer in timing.layers} if timing else {}
    table = Table(title=f"layers of {count.name}")
    names = [
        "layer",
        "class",
        "output",
        "parameters",
        "multiply-adds",
        "activations",
        *(["ms", "p95"] if times else []),
    ]
    for name in names:
        table.add_column(name, justify="left" if name in ("layer", "class") else "right", overflow="fold")
    for layer in count.layers:
        cells = [layer.name, layer.module, shape(layer.shape), f"{layer.params:,}", f"{layer.madds:,}"]
        cells.append(f"{layer.activations:,}")
        if times:
            time = times.get(layer.name)
            cells += [f"{time.median_ms:.3f}", f"{time.p95_ms:.3f}"] if time else ["–", "–"]
        table.add_row(*cells)
    return table


def shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in sizes) or "–"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


def rate(speed: Speed) -> str:
    return f"{speed.images_per_second:,.3g}" if speed.images_per_second < 100 else f"{speed.images_per_second:,.0f}"


def megabytes(size: int | None) -> str:
    return "–" if size is None else f"{size / 1e6:,.0f}"


def _plot(counts: list[NetworkCount], out_png: Path) -> None:
    from lit_cnn.reports.budget import Budget
    from lit_cnn.reports.comparison import Point, draw_comparison

    budgets, points = [], []
    for count in counts:
        budgets.append(Budget(count.name, count.image_size, count.shares("params"), count.shares("madds")))
        entry = find_entry(count.name)
        if entry.paper.top1 is not None:
            images = "ImageNet" if entry.num_classes == 1000 else f"{entry.num_classes} classes (CIFAR)"
            points.append(Point(count.name, entry.paper.top1, entry.madds, entry.params, images))
    draw_comparison(budgets, points, out_png)
