"""``lit-cnn profile NAME…``: what networks cost, counted and measured."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from lit_cnn.cli import latency_table
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, busy_warning, number, phases, say, span
from lit_cnn.cli.image_sizes import add_image_sizes, check_sizes, sizes_last
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.profiling.counting import NetworkCount
    from lit_cnn.profiling.timing import Timing


class Profile(NamedTuple):
    """A network's counts, and what was measured unless only counts were asked for."""

    counts: NetworkCount
    timing: Timing | None


def run(arguments: list[str]) -> int:
    options = _parse(arguments)
    if options.latency_table:
        return latency_table.run(options)
    from lit_cnn.architectures.catalog import find_entries
    from lit_cnn.profiling.timing import resolve_device

    device = str(resolve_device(options.device))
    entries = find_entries(options.names)
    jobs = [(entry.name, size) for entry in entries for size in options.image_size or [None]]
    with phases(len(jobs) * (1 if options.counts_only else 4 if options.layers else 3)) as tell:
        profiles = [_profile(name, size, options, device, tell) for name, size in jobs]
    if options.plot:
        from lit_cnn.profiling.picture import draw_counts  # imports matplotlib

        draw_counts([profile.counts for profile in profiles], options.plot)
        say(f"picture: {options.plot}", stderr=True)
    if options.json:
        print(as_json([{**count.report(), "timing": timing and asdict(timing)} for count, timing in profiles]))
    else:
        print_tables(tables_of(profiles, options), in_markdown=options.markdown)
    return 0


def tables_of(profiles: list[Profile], options: argparse.Namespace) -> list[Table]:
    """One row for each of several networks, or the stages of one; below the last what the times hold for."""
    timings = [profile.timing for profile in profiles if profile.timing]
    tables = [_comparison(profiles)] if len(profiles) > 1 else [_stages(*profiles[0]), *map(_speeds, timings)]
    tables += [_layers(*profile) for profile in profiles if options.layers]
    if timings:
        tables[-1].notes = [*tables[-1].notes, conditions(timings)]
    return tables


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn profile",
        description="Parameters, multiply-adds, activations, speed and memory of networks of the catalog.",
        example="lit-cnn profile resnet50 mobilenet_v2 --batch-size 1",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="names that `lit-cnn models` lists, or shell patterns")
    add_image_sizes(parser)
    parser.add_argument("--batch-size", type=int, default=4, help="images per batch when measuring (default 4)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:N (default: cuda where there is one)")
    parser.add_argument(
        "--precision", choices=("32-true", "bf16-mixed"), default="32-true", help="number format (default 32-true)"
    )
    parser.add_argument("--layers", action="store_true", help="a row per layer, with its time")
    parser.add_argument("--repeats", type=int, help="timed passes per figure (default: what fits in 3 s, 3 to 30)")
    parser.add_argument("--contiguous", action="store_true", help="measure in NCHW layout instead of channels_last")
    parser.add_argument("--counts-only", action="store_true", help="measure nothing")
    add_output(parser, "--plot", f"draw where parameters and multiply-adds sit ({', '.join(PICTURES)})")
    add_output(
        parser,
        "--latency-table",
        "time each operation of the networks, store the times in this JSON file or extend it, and print how well their "
        "sums predict whole networks",
    )
    parser.add_argument(
        "--check",
        action="append",
        default=[],
        metavar="NAME",
        help="predict this network, too, without adding its operations to the table; may be repeated",
    )
    parser.add_argument(
        "--clock",
        choices=("wall", "processor"),
        default="wall",
        help="for --latency-table; processor: with one thread, leave out the time that other programs had the core",
    )
    add_form_arguments(parser, "a list of objects")
    return parser


def _parse(arguments: list[str]) -> argparse.Namespace:
    options = make_parser().parse_args(sizes_last(arguments))
    check_sizes(options.image_size)
    latency_table.check_options(options)
    if options.plot:
        require_writable("--plot", options.plot, PICTURES, in_new_folder=True)
    return options


def _profile(
    name: str, size: int | None, options: argparse.Namespace, device: str, tell: Callable[[str], None]
) -> Profile:
    from lit_cnn.architectures.catalog import create_model
    from lit_cnn.profiling.counting import count_model
    from lit_cnn.profiling.timing import TimingSettings, measure

    tell(f"{name}: counting")
    count = count_model(name, size)
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
    columns = [
        *(Column("stage", "name"), Column("output", rank=3), Column("parameters"), Column("params %", rank=2)),
        *(Column("multiply-adds"), Column("madds %", rank=2), Column("activations", rank=5), Column("MB", rank=4)),
        *([Column("ms / batch", rank=1)] if times else []),
    ]
    rows = [
        [
            *(stage.name, shape(stage.shape), f"{stage.params:,}", share(stage.params, count.params)),
            *(f"{stage.madds:,}", share(stage.madds, count.madds), f"{stage.activations:,}"),
            f"{stage.activation_bytes / 1e6:,.1f}",
            *([times.get(stage.name, "–")] if times else []),
        ]
        for stage in count.stages
    ]
    total = ["total", "", f"{count.params:,}", "", f"{count.madds:,}", "", f"{count.activations:,}"]
    total += [f"{count.activation_bytes / 1e6:,.1f}", *([""] if times else [])]
    return Table(
        columns,
        rows,
        title=f"{count.name}, one image of {count.image_size} px",
        notes=["activations: what training keeps for the backward pass, 32-bit"],
        totals=[total],
    )


def _speeds(timing: Timing) -> Table:
    rows = [
        [name, f"{speed.median_ms:,.2f}", f"{speed.p95_ms:,.2f}", number(speed.images_per_second), megabytes(peak)]
        for name, speed, peak in (
            ("inference", timing.inference, timing.inference_peak_bytes),
            ("training step", timing.training, timing.training_peak_bytes),
        )
    ]
    names = ("median ms / batch", "p95 ms", "images / s", "peak memory MB")
    return Table([Column("pass", "name"), *map(Column, names)], rows)


def _comparison(profiles: list[Profile]) -> Table:
    columns = [
        *(Column("name", "name"), Column("px", rank=1), Column("params (M)", rank=2), Column("params ratio", rank=9)),
        *(Column("madds (M)", rank=3), Column("madds ratio", rank=4), Column("activations (MB)", rank=7)),
    ]
    if any(profile.timing for profile in profiles):
        columns += [Column("ms / batch"), Column("p95 ms", rank=6), Column("images/s", rank=5)]
        columns += [Column("training images/s"), Column("peak MB", rank=8), Column("training MB", rank=8)]
    rows, first = [], profiles[0].counts
    for count, timing in profiles:
        cells = [count.name, str(count.image_size), f"{count.params / 1e6:,.2f}", f"{count.params / first.params:.2f}"]
        cells += [f"{count.madds / 1e6:,.0f}", f"{count.madds / first.madds:.2f}"]
        cells.append(f"{count.activation_bytes / 1e6:,.1f}")
        if timing:
            inference, training = timing.inference, timing.training
            cells += [f"{inference.median_ms:,.1f}", f"{inference.p95_ms:,.1f}", number(inference.images_per_second)]
            cells += [number(training.images_per_second), megabytes(timing.inference_peak_bytes)]
            cells.append(megabytes(timing.training_peak_bytes))
        rows.append(cells)
    note = (
        "Counts are for one image; ratio: over the first row's; activations: what training keeps for the backward "
        "pass, 32-bit."
    )
    return Table(columns, rows, notes=[note])


def _layers(count: NetworkCount, timing: Timing | None) -> Table:
    times = {each.name: [f"{each.median_ms:.3f}", f"{each.p95_ms:.3f}"] for each in timing.layers} if timing else {}
    columns = [
        *(Column("layer", "name"), Column("class", "name", rank=2), Column("output", rank=3), Column("parameters")),
        *(Column("multiply-adds"), Column("activations", rank=4)),
        *([Column("ms", rank=1), Column("p95 ms", rank=5)] if times else []),
    ]
    rows = [
        [
            *(layer.name, layer.module, shape(layer.shape), f"{layer.params:,}", f"{layer.madds:,}"),
            f"{layer.activations:,}",
            *(times.get(layer.name, ["–", "–"]) if times else []),
        ]
        for layer in count.layers
    ]
    return Table(columns, rows, title=f"layers of {count.name}, one image of {count.image_size} px")


def shape(sizes: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in sizes) or "–"


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


def megabytes(size: int | None) -> str:
    return "–" if size is None else f"{size / 1e6:,.0f}"
