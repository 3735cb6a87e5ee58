"""``lit-cnn bench``: how fast networks train and infer, against other libraries and against the machine's limit."""

import argparse
import contextlib
import datetime
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.bench_tables import bench_table, comparisons, conditions, further
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, phases, say
from lit_cnn.cli.image_sizes import add_image_sizes, check_sizes, sizes_last
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable
from lit_cnn.cli.tables import print_tables

if TYPE_CHECKING:
    from lit_cnn.benchmarking.loading import DataSpeed
    from lit_cnn.benchmarking.overhead import Overhead
    from lit_cnn.benchmarking.race import Bench, Conditions
    from lit_cnn.experiment.recipe import Recipe

FIT_ROUNDS = 10
"""Turns of fit and the plain loop by default."""


def run(arguments: list[str]) -> int:
    options, overrides = parse(arguments)
    with contextlib.redirect_stdout(sys.stderr):  # keep messages printed while building the recipe out of stdout
        if options.fit and options.config:
            check_fit(options, overrides)
        benches = measure_recipe(options, overrides) if options.config else measure_catalog(options)
        speed = data_speed(options, overrides) if options.config else None
        overhead = fit_overhead(options, overrides) if options.fit else None
    figures = as_json(
        {
            "date": datetime.date.today().isoformat(),
            "cores": os.cpu_count(),
            "benches": benches,
            "data": speed,
            "fit": overhead and overhead._asdict(),
        }
    )
    if options.json == "-":
        say(figures)
    else:
        lines = [*comparisons(benches), *further(speed, overhead), conditions(benches)]
        print_tables([bench_table(benches, lines)], in_markdown=options.markdown)  # before a full disk can lose it
    if options.json not in (None, "-"):
        write(Path(options.json), figures)
        say(f"written: {options.json}", stderr=True)
    if options.plot:
        from lit_cnn.benchmarking.picture import draw_benches

        draw_benches(benches, conditions(benches).split("; memory")[0], options.plot)
        say(f"written: {options.plot}", stderr=True)
    return 0


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the recipe keys that were given with ``--config``.

    Raises:
        ValueError: If the arguments name nothing to measure, or too much.
    """
    with_recipe = any(word.partition("=")[0] in ("-c", "--config") for word in arguments)
    parser = make_parser(with_recipe)
    options, rest = parser.parse_known_args(sizes_last(arguments))
    if sum(map(bool, (options.names, options.config, options.table))) != 1:
        raise ValueError("bench needs one of: names of networks, --config RECIPE, --table")
    if rest and not options.config:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest and not rest[0].startswith("-"):
        raise ValueError(f"bench needs one of: names of networks, --config RECIPE, --table; got {rest[0]} and a recipe")
    check(options)
    return options, rest


def make_parser(with_recipe: bool = False) -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn bench",
        usage="lit-cnn bench NAME... [options]\n       lit-cnn bench --table [options]\n"
        "       lit-cnn bench --config RECIPE [--config OVERLAY] [options] [--KEY VALUE ...]",
        description="Images per second of training steps and inference, their parts, memory, and the share of the "
        "machine's limit: a large matrix product in the same precision, measured in the same rounds.",
        example="lit-cnn bench resnet50 --against timm torchvision",
    )  # fmt: skip
    if with_recipe:  # what follows an unknown --KEY is its value, not a name
        parser.set_defaults(names=[])
    else:
        parser.add_argument("names", nargs="*", metavar="NAME", help="names `lit-cnn models` lists, or shell patterns")
    parser.add_argument("-c", "--config", action="append", metavar="RECIPE", help="bench a recipe's training step")
    parser.add_argument("--table", action="store_true", help="a network of each family")
    parser.add_argument("--against", nargs="+", choices=("timm", "torchvision"), default=[], metavar="LIBRARY",
                        help="race the same network of timm, torchvision or both")  # fmt: skip
    parser.add_argument("--fit", action="store_true", help="time lit-cnn fit against a plain PyTorch loop, too")
    add_image_sizes(parser)
    parser.add_argument("--batch-size", type=int, help="images (default: 128 up to 64 px, 16 above, 8 for heavy ones)")
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), help="(default: the recipe's, or 32-true)")
    parser.add_argument("--contiguous", action="store_true", help="NCHW layout instead of channels_last")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:N (default: cuda where there is one)")
    parser.add_argument("--seconds", type=float, default=20.0, help="time per network; at least 6 rounds (default 20)")
    parser.add_argument("--rounds", type=int, help="rounds instead of a time")
    parser.add_argument(
        "--json",
        metavar="FILE",
        nargs="?",
        const="-",
        help="write all figures; no FILE or -: print them alone",
    )
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    add_output(parser, "--plot", f"draw where the time of a training step goes ({', '.join(PICTURES)})")
    return parser


def check(options: argparse.Namespace) -> None:
    """Refuse options that exclude each other, and numbers that are too small."""
    from lit_cnn.architectures.catalog import find_entries

    options.names = [entry.name for entry in find_entries(options.names)]
    check_sizes(options.image_size)
    if options.fit and len(options.names) > 1:
        raise ValueError(f"--fit times the training of one network, got {', '.join(options.names)}")
    if (options.fit or options.config) and len(options.image_size) > 1:
        raise ValueError(f"--image-size takes one size with {'--fit' if options.fit else '--config'}, got several")
    if options.json and Path(options.json).is_dir():
        raise ValueError(f"--json {options.json} is a folder: name a file")
    if options.plot:
        require_writable("--plot", options.plot, PICTURES, in_new_folder=True)
    if options.table and options.fit:
        raise ValueError("--fit needs a network's name or --config RECIPE, not --table")
    if options.config and options.against:
        raise ValueError("--against compares networks of the catalog: name them instead of --config")
    for key, least in (("batch_size", 1), ("rounds", 1), ("seconds", 0)):
        value = getattr(options, key)
        if value is not None and value < least:
            raise ValueError(f"--{key.replace('_', '-')} must be at least {least}, got {value}")


def conditions_of(options: argparse.Namespace, bf16: bool, channels_last: bool) -> "Conditions":
    from lit_cnn.benchmarking.race import Conditions
    from lit_cnn.profiling.timing import resolve_device

    return Conditions(resolve_device(options.device), bf16, channels_last, options.rounds, options.seconds)


def measure_recipe(options: argparse.Namespace, overrides: list[str]) -> "list[Bench]":
    from lit_cnn.benchmarking.contestants import recipe_contestant
    from lit_cnn.benchmarking.race import race
    from lit_cnn.experiment.parser import recipe_name, resolve_configs
    from lit_cnn.profiling.timing import is_bf16

    recipe = instantiate(options, overrides)
    where = conditions_of(options, is_bf16(recipe.trainer["precision"]), recipe.model.channels_last)
    title = recipe_name(resolve_configs(["--config", options.config[0]]))
    with phases(2) as tell:
        return [race(title, [recipe_contestant(recipe, where)], where, tell)]


def measure_catalog(options: argparse.Namespace) -> "list[Bench]":
    from lit_cnn.benchmarking.contestants import catalog_contestants, catalog_races, default_batch
    from lit_cnn.benchmarking.race import race
    from lit_cnn.training.machine import MachineSettings

    where = conditions_of(options, options.precision == "bf16-mixed", not options.contiguous)
    MachineSettings().apply()
    races = catalog_races(options.names, options.against, options.image_size)
    with phases(sum(2 + len(rivals) for _, _, rivals in races)) as tell:
        return [
            race(
                name,
                catalog_contestants(name, size, options.batch_size or default_batch(name, size), where, rivals),
                where,
                tell,
            )
            for name, size, rivals in races
        ]


def recipe_arguments(options: argparse.Namespace, overrides: list[str]) -> list[str]:
    given = {"data.image_size": next(iter(options.image_size), None), "data.batch_size": options.batch_size}
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
    size = next(iter(options.image_size), find_entry(name).image_size)
    keys = [
        f"--trainer.precision={options.precision or '32-true'}",
        f"--model.channels_last={str(not options.contiguous).lower()}",
    ]
    return measure_noise(name, size, options.batch_size or default_batch(name, size), keys, block=3, rounds=rounds)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
