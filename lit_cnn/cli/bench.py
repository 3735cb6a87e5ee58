"""``lit-cnn bench``: how fast networks train and infer, against other libraries and against the machine's limit."""

import argparse
import contextlib
import datetime
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from lit_cnn.cli.bench_tables import comparisons, conditions, further, markdown, table

if TYPE_CHECKING:
    from lit_cnn.benchmarking.loading import DataSpeed
    from lit_cnn.benchmarking.overhead import Overhead
    from lit_cnn.benchmarking.race import Bench
    from lit_cnn.experiment.recipe import Recipe
    from lit_cnn.reports.speed import Bar

FIT_ROUNDS = 10
"""Turns of fit and the plain loop by default."""


def run(arguments: list[str]) -> int:
    options, overrides = parse(arguments)
    with contextlib.redirect_stdout(sys.stderr):  # what a recipe announces while it is built is no figure
        if options.fit and options.config:
            check_fit(options, overrides)
        benches = measure(options, overrides)
        speed = data_speed(options, overrides) if options.config else None
        overhead = fit_overhead(options, overrides) if options.fit else None
    figures = json.dumps(as_object(benches, speed, overhead), indent=2)
    if options.json == "-":
        print(figures)
    else:
        show(options, benches, [*comparisons(benches), *further(speed, overhead), conditions(benches)])
    if options.json not in (None, "-"):
        write(Path(options.json), figures)
    if options.plot:
        plot(benches, options.plot)
    return 0


def show(options: argparse.Namespace, benches: "list[Bench]", lines: list[str]) -> None:
    """The table and what is to be said of it; before any file is written, so that no full disk can lose it."""
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    if options.markdown:
        print(markdown(benches))
    else:
        console.print(table(benches))
    for line in [*lines, *(f"written: {path}" for path in (options.json, options.plot) if path)]:
        console.print(line)


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the recipe keys that were given with ``--config``.

    Raises:
        ValueError: If the arguments name nothing to measure, or too much.
    """
    parser = argparse.ArgumentParser(
        prog="lit-cnn bench",
        usage="lit-cnn bench NAME... [options]\n       lit-cnn bench --table [options]\n"
        "       lit-cnn bench --config RECIPE [--config OVERLAY] [options] [--KEY VALUE ...]",
        description="Images per second of training steps and inference, their parts, memory, and the share of the "
        "machine's limit: a large matrix product in the same precision, measured in the same rounds.",
        allow_abbrev=False,
    )  # fmt: skip
    with_recipe = any(word.partition("=")[0] in ("-c", "--config") for word in arguments)
    if with_recipe:  # what follows an unknown --KEY is its value, not a name
        parser.set_defaults(names=[])
    else:
        parser.add_argument("names", nargs="*", metavar="NAME", help="networks that `lit-cnn models` lists")
    parser.add_argument("-c", "--config", action="append", metavar="RECIPE", help="bench a recipe's training step")
    parser.add_argument("--table", action="store_true", help="a network of each family")
    parser.add_argument("--against", nargs="+", choices=("timm", "torchvision"), default=[], metavar="LIBRARY",
                        help="race the same network of timm, torchvision or both")  # fmt: skip
    parser.add_argument("--fit", action="store_true", help="time lit-cnn fit against a plain PyTorch loop, too")
    parser.add_argument("--image-size", type=int, help="px (default: each network's own)")
    parser.add_argument("--batch-size", type=int, help="images (default: 128 up to 64 px, 16 above, 8 for heavy ones)")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), help="(default: the recipe's, or 32-true)")
    parser.add_argument("--contiguous", action="store_true", help="NCHW layout instead of channels_last")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:N (default: cuda where there is one)")
    parser.add_argument("--seconds", type=float, default=20.0, help="time per network; at least 6 rounds (default 20)")
    parser.add_argument("--rounds", type=int, help="rounds in place of a time")
    parser.add_argument("--json", metavar="FILE", help="write all figures; - for the standard output alone")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw where the time of a training step goes")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options, rest = parser.parse_known_args(arguments)
    if sum(map(bool, (options.names, options.config, options.table))) != 1:
        raise ValueError("bench needs one of: names of networks, --config RECIPE, --table")
    if rest and not options.config:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest and not rest[0].startswith("-"):
        raise ValueError(f"bench needs one of: names of networks, --config RECIPE, --table; got {rest[0]} and a recipe")
    if options.fit and len(options.names) > 1:
        raise ValueError(f"--fit times the training of one network, got {', '.join(options.names)}")
    for key, path in (("--json", options.json), ("--plot", options.plot)):
        if path and Path(path).is_dir():
            raise ValueError(f"{key} {path} is a folder: name a file")
    if options.table and options.fit:
        raise ValueError("--fit needs a network's name or --config RECIPE, not --table")
    if options.config and options.against:
        raise ValueError("--against compares networks of the catalog: name them in place of --config")
    for key, least in (("image_size", 1), ("batch_size", 1), ("rounds", 1), ("seconds", 0)):
        value = getattr(options, key)
        if value is not None and value < least:
            raise ValueError(f"--{key.replace('_', '-')} must be at least {least}, got {value}")
    return options, rest


def measure(options: argparse.Namespace, overrides: list[str]) -> "list[Bench]":
    from lit_cnn.benchmarking.race import Conditions, race
    from lit_cnn.cli.console import phases
    from lit_cnn.profiling.timing import is_bf16, resolve_device

    device = resolve_device(options.device)
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    if options.config:
        from lit_cnn.benchmarking.contestants import recipe_contestant

        recipe = instantiate(options, overrides)
        bf16 = is_bf16(recipe.trainer["precision"])
        where = Conditions(device, bf16, recipe.model.channels_last, **settings)
        with phases(2) as tell:
            return [race(title(options), [recipe_contestant(recipe, where)], where, tell)]
    where = Conditions(device, options.precision == "bf16-mixed", not options.contiguous, **settings)
    return measure_catalog(options, where)


def measure_catalog(options: argparse.Namespace, where: Any) -> "list[Bench]":
    from lit_cnn.architectures.catalog import find_entry
    from lit_cnn.benchmarking.contestants import TABLE, catalog_contestants, default_batch, references_of
    from lit_cnn.benchmarking.race import race
    from lit_cnn.cli.console import phases
    from lit_cnn.training.machine import MachineSettings

    MachineSettings().apply()
    chosen = TABLE if options.table else tuple((name, find_entry(name).image_size) for name in options.names)
    races: list[tuple[str, int, Any]] = []
    for name, own_size in chosen:
        size = options.image_size or own_size
        groups = references_of(name, options.against) or [[]]
        if options.against and not options.table and not groups[0]:
            raise ValueError(
                f"{name} has no counterpart in {' or '.join(options.against)}: leave --against out, or bench another"
            )
        races += [(name, size, rows) for rows in groups]
    benches = []
    with phases(sum(2 + len(rows) for _, _, rows in races)) as tell:
        for name, size, rows in races:
            batch = options.batch_size or default_batch(name, size)
            benches.append(race(name, catalog_contestants(name, size, batch, where, rows), where, tell))
    return benches


def title(options: argparse.Namespace) -> str:
    from lit_cnn.experiment.parser import recipe_name, resolve_configs

    return recipe_name(resolve_configs(["--config", options.config[0]]))


def recipe_arguments(options: argparse.Namespace, overrides: list[str]) -> list[str]:
    given = {"data.image_size": options.image_size, "data.batch_size": options.batch_size}
    keys = [f"--{key}={value}" for key, value in given.items() if value is not None]
    if options.precision:
        keys.append(f"--trainer.precision={options.precision}")
    if options.contiguous:
        keys.append("--model.channels_last=false")
    if options.device == "cpu":
        keys.append("--trainer.accelerator=cpu")
    return [*(word for config in options.config for word in ("--config", config)), *overrides, *keys]


def instantiate(options: argparse.Namespace, overrides: list[str]) -> "Recipe":
    """The recipe's objects, with its threads set."""
    from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
    from lit_cnn.experiment.recipe import Recipe

    cli = RecipeCLI(resolve_configs(recipe_arguments(options, overrides)))
    recipe = Recipe.of(cli)
    recipe.machine.apply()
    return recipe


def data_speed(options: argparse.Namespace, overrides: list[str]) -> "DataSpeed":
    """The recipe's loader alone and against decoding alone."""
    from lit_cnn.benchmarking.loading import measure_data

    return measure_data(instantiate(options, overrides).data, rounds=options.rounds, seconds=options.seconds / 2)


def check_fit(options: argparse.Namespace, overrides: list[str]) -> None:
    """Refuse before anything is measured a recipe whose epoch is too short for ``--fit``."""
    from lit_cnn.benchmarking.overhead import BLOCK, WARMUP, check_steps

    check_steps(instantiate(options, overrides), WARMUP + BLOCK * (options.rounds or FIT_ROUNDS))


def fit_overhead(options: argparse.Namespace, overrides: list[str]) -> "Overhead":
    """Of the recipe, or of the first network on images of noise in memory."""
    from lit_cnn.benchmarking.overhead import measure_noise, measure_overhead

    rounds = options.rounds or FIT_ROUNDS
    if options.config:
        return measure_overhead(recipe_arguments(options, overrides), rounds=rounds)
    from lit_cnn.architectures.catalog import find_entry
    from lit_cnn.benchmarking.contestants import default_batch

    name = options.names[0]
    size = options.image_size or find_entry(name).image_size
    keys = [
        f"--trainer.precision={options.precision or '32-true'}",
        f"--model.channels_last={str(not options.contiguous).lower()}",
    ]
    return measure_noise(name, size, options.batch_size or default_batch(name, size), keys, block=3, rounds=rounds)


def as_object(benches: "list[Bench]", speed: "DataSpeed | None", overhead: "Overhead | None") -> dict[str, Any]:
    """All figures in built-in types: images/s, ms, bytes, ratios with ``low`` and ``high`` of their 95 % interval."""
    fit = None if overhead is None else {key: as_plain(value) for key, value in overhead._asdict().items()}
    return {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "benches": [asdict(bench) for bench in benches],
        "data": asdict(speed) if speed else None,
        "fit": fit,
    }


def as_plain(value: Any) -> Any:
    return value if isinstance(value, int | tuple) else asdict(value)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def plot(benches: "list[Bench]", out_png: Path) -> None:
    from lit_cnn.reports.speed import draw_speed

    draw_speed(speed_bars(benches), conditions(benches).split("; memory")[0], out_png)


def speed_bars(benches: "list[Bench]") -> "list[Bar]":
    """A bar for each contestant; our own carries the network's name alone."""
    from lit_cnn.reports.speed import Bar

    return [
        Bar(
            name=bench.name if number == 0 else f"{bench.name} ({result.label})",
            phases=result.phases,
            images_per_second=result.training.median,
            share_of_limit=result.training_share.median,
        )
        for bench in benches
        for number, result in enumerate(bench.results)
    ]
