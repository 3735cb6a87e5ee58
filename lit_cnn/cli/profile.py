"""``lit-cnn profile NAME…``: what networks cost, counted and measured."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, busy_warning, console, number, phases, span, table

if TYPE_CHECKING:  # a help needs none of it
    from rich.table import Table

    from lit_cnn.profiling.counting import NetworkCount
    from lit_cnn.profiling.timing import Timing


class Profile(NamedTuple):
    """A network's counts, and what was measured unless only counts were asked for."""

    counts: NetworkCount
    timing: Timing | None


def run(arguments: list[str]) -> int:
    options = _parse(arguments)
    from lit_cnn.architectures.catalog import find_entry
    from lit_cnn.profiling.timing import resolve_device

    device = str(resolve_device(options.device))
    for name in options.names:
        find_entry(name)
    with phases(len(options.names) * (1 if options.counts_only else 4 if options.layers else 3)) as tell:
        profiles = [_profile(name, options, device, tell) for name in options.names]
    if options.plot:
        from lit_cnn.profiling.picture import draw_counts  # imports matplotlib

        draw_counts([profile.counts for profile in profiles], options.plot)
    timings = [profile.timing for profile in profiles if profile.timing]
    if options.json:
        print(as_json([{**count.report(), "timing": timing and asdict(timing)} for count, timing in profiles]))
        return 0
    out = console()
    tables = [_comparison(profiles)] if len(profiles) > 1 else [_stages(*profiles[0]), *map(_speeds, timings)]
    tables += [_layers(*profile) for profile in profiles if options.layers]
    for shown in tables:
        out.print(shown)
    if timings:
        out.print(conditions(timings))
    if options.plot:
        out.print(f"picture: {options.plot}")
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn profile",
        description="Parameters, multiply-adds, activations, speed and memory of networks of the catalog.",
        example="lit-cnn profile resnet50 mobilenet_v2 --batch-size 1",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="names that `lit-cnn models` lists")
    parser.add_argument("--image-size", type=int, help="px (default: each network's own)")
    parser.add_argument("--batch-size", type=int, default=4, help="images per batch when measuring (default 4)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:N (default: cuda where there is one)")
    parser.add_argument(
        "--precision", choices=("32-true", "bf16-mixed"), default="32-true", help="number format (default 32-true)"
    )
    parser.add_argument("--layers", action="store_true", help="a row per layer, with its time")
    parser.add_argument("--repeats", type=int, help="timed passes per figure (default: what fits in 3 s, 3 to 30)")
    parser.add_argument("--contiguous", action="store_true", help="measure in NCHW layout instead of channels_last")
    parser.add_argument("--counts-only", action="store_true", help="measure nothing")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw where parameters and multiply-adds sit")
    parser.add_argument("--json", action="store_true", help="a list of objects")
    return parser


def _parse(arguments: list[str]) -> argparse.Namespace:
    options = make_parser().parse_args(arguments)
    if options.image_size is not None and options.image_size < 1:
        raise ValueError(f"--image-size must be at least 1, got {options.image_size}")
    return options


def _profile(name: str, options: argparse.Namespace, device: str, tell: Callable[[str], None]) -> Profile:
    from lit_cnn.architectures.catalog import create_model
    from lit_cnn.profiling.counting import count_model
    from lit_cnn.profiling.timing import TimingSettings, measure

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


def conditions(timings: list[Timing]) -> str:
    """What the figures hold for, with a warning if the machine was busy before the first."""
    timing = timings[0]
    settings = timing.settings
    passes = [f"{span([each.inference.repeats for each in timings])} inference"]
    passes.append(f"{span([each.training.repeats for each in timings])} training")
    passes += [f"{span([each.layer_repeats for each in timings])} layer"] if timing.layer_repeats else []
    threads = f", {timing.threads} threads" if settings.device == "cpu" else ""
    layout = "channels_last" if settings.channels_last else "contiguous"
    warning = busy_warning(timing.busy) if settings.device == "cpu" else ""
    return (
        f"measured: {timing.device_name} ({settings.device}{threads}), {settings.precision}, {layout}, "
        f"batches of {settings.batch_size}; {', '.join(passes)} passes after warm-up\n"
        f"peak memory: {timing.memory_how}, weights included{warning}"
    )


def _stages(count: NetworkCount, timing: Timing | None) -> Table:
    times = {stage.stage: f"{stage.median_ms:.2f}" for stage in timing.stages} if timing else {}
    header = ["stage", "output", "parameters", "%", "multiply-adds", "%", "activations", "MB"]
    rows = [
        [
            *(stage.name, shape(stage.shape), f"{stage.params:,}", share(stage.params, count.params)),
            *(f"{stage.madds:,}", share(stage.madds, count.madds), f"{stage.activations:,}"),
            f"{stage.activation_bytes / 1e6:,.1f}",
            *([times.get(stage.name, "–")] if times else []),
        ]
        for stage in count.stages
    ]
    shown = table(
        [*header, *(["ms / batch"] if times else [])],
        rows,
        left=["stage"],
        title=f"{count.name}, one image of {count.image_size} px",
        caption="activations: what training keeps for the backward pass, 32-bit",
    )
    shown.add_section()
    total = ["total", "", f"{count.params:,}", "", f"{count.madds:,}", "", f"{count.activations:,}"]
    shown.add_row(*total, f"{count.activation_bytes / 1e6:,.1f}")
    return shown


def _speeds(timing: Timing) -> Table:
    rows = [
        [name, f"{speed.median_ms:,.2f}", f"{speed.p95_ms:,.2f}", number(speed.images_per_second), megabytes(peak)]
        for name, speed, peak in (
            ("inference", timing.inference, timing.inference_peak_bytes),
            ("training step", timing.training, timing.training_peak_bytes),
        )
    ]
    return table(["", "median ms / batch", "p95 ms", "images / s", "peak memory MB"], rows)


def _comparison(profiles: list[Profile]) -> Table:
    header = ["name", "px", "params (M)", "madds (M)", "activations (MB)"]
    if any(profile.timing for profile in profiles):
        header += ["ms / batch", "p95", "images/s", "training images/s", "peak MB", "training MB"]
    rows = []
    for count, timing in profiles:
        cells = [count.name, str(count.image_size), f"{count.params / 1e6:,.2f}", f"{count.madds / 1e6:,.0f}"]
        cells.append(f"{count.activation_bytes / 1e6:,.1f}")
        if timing:
            inference, training = timing.inference, timing.training
            cells += [f"{inference.median_ms:,.1f}", f"{inference.p95_ms:,.1f}", number(inference.images_per_second)]
            cells += [number(training.images_per_second), megabytes(timing.inference_peak_bytes)]
            cells.append(megabytes(timing.training_peak_bytes))
        rows.append(cells)
    caption = "Counts are for one image; activations: what training keeps for the backward pass, 32-bit."
    return table(header, rows, left=["name"], no_wrap=["name"], caption=caption)


def _layers(count: NetworkCount, timing: Timing | None) -> Table:
    times = {each.name: [f"{each.median_ms:.3f}", f"{each.p95_ms:.3f}"] for each in timing.layers} if timing else {}
    header = ["layer", "class", "output", "parameters", "multiply-adds", "activations"]
    rows = [
        [
            *(layer.name, layer.module, shape(layer.shape), f"{layer.params:,}", f"{layer.madds:,}"),
            f"{layer.activations:,}",
            *(times.get(layer.name, ["–", "–"]) if times else []),
        ]
        for layer in count.layers
    ]
    return table(
        [*header, *(["ms", "p95"] if times else [])],
        rows,
        left=["layer", "class"],
        overflow="fold",
        title=f"layers of {count.name}",
    )


def shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in sizes) or "–"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


def megabytes(size: int | None) -> str:
    return "–" if size is None else f"{size / 1e6:,.0f}"
