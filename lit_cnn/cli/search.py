"""``lit-cnn search``: find an architecture, each candidate trained by a short recipe.

    lit-cnn search search/cells_cifar10_small                 run it; the same again continues or joins it
    lit-cnn search search/cells_cifar10_small --search.strategy.name local_search --search-dir searches/local
    lit-cnn search show searches/cells_cifar10_small          its curve, front, best network and its ancestry
    lit-cnn search retrain searches/cells_cifar10_small       train the winner again, next to random networks
    lit-cnn search export searches/cells_cifar10_small        the winner's recipe, for lit-cnn fit

A search file is a recipe with a section search: space, strategy, evaluations, objective and limits; --search.KEY VALUE
changes it, --KEY VALUE the recipe. With the same seed and lag, any number of workers up to lag + 1, started and killed
at any time, train the same networks. All parts but export print tables, also with --json or --markdown.

Exit codes: 0 done, 1 wrong input or no training succeeded, 130 and 143 stopped by SIGINT and SIGTERM.
"""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser, recipes_first
from lit_cnn.cli.console import as_json, line_console, number, say
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.search.findings import Found
    from lit_cnn.sweeps.engine import Sweep
    from lit_cnn.sweeps.trials import Fit

PARTS = ("run", "show", "retrain", "export")
PLACE = Path("searches")
"""Where a search without --search-dir is put, under the name of its file."""
SHOWN = 10
"""Networks of the table."""


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn search", __doc__, example="lit-cnn search search/cells_cifar10_small")
    parts = parser.add_subparsers(dest="part", required=True, metavar="{run,show,retrain,export}")
    run_part = parts.add_parser(
        "run",
        help="search; the word run may be left out",
        description="Run a search, or continue or join it: the file, or --search-dir of one that has begun.",
        usage="lit-cnn search [run] NAME [--search-dir DIR] [--search.KEY VALUE ...] [--KEY VALUE ...]",
        example="lit-cnn search search/cells_cifar10_small",
    )
    run_part.add_argument("--search-dir", type=Path, metavar="DIR", help="folder of the search (searches/NAME)")
    _add_storage(run_part)
    run_part.add_argument("--process-per-trial", action="store_true", help="start a process for each training")
    add_form_arguments(run_part, "the networks")
    show = parts.add_parser(
        "show",
        help="what searches have found: curves, front, best network, its ancestry",
        description="Print and draw what searches have found; several are compared by strategy, with bands over seeds.",
        example="lit-cnn search show searches/cells_cifar10_small",
    )
    show.add_argument("folders", nargs="+", type=Path, metavar="STUDY", help="folders of searches")
    _add_storage(show)
    add_form_arguments(show, "the networks of each search")
    retrain = parts.add_parser(
        "retrain",
        help="train the best networks again with fresh seeds, next to random and published ones",
        description="The best of many noisy rewards is overestimated: fresh seeds judge it, next to random networks.",
        example="lit-cnn search retrain searches/small --seeds 5 --trainer.max_epochs 20",
    )
    _add_study(retrain)
    retrain.add_argument("--winners", type=int, default=1, metavar="N", help="the N best of the search (default: 1)")
    retrain.add_argument("--random", type=int, default=3, metavar="N", help="N networks drawn at random (default: 3)")
    retrain.add_argument("--published", action="store_true", help="also the published networks of the space")
    retrain.add_argument("--seeds", type=int, default=3, help="each with so many seeds (default: 3)")
    retrain.add_argument("--recipe", metavar="RECIPE", help="how they are trained (default: as in the search)")
    add_form_arguments(retrain, "the networks")
    export = parts.add_parser(
        "export",
        help="the recipe of a network that was found",
        description="Write the recipe of the best network, or of another, with further --KEY VALUE, for lit-cnn fit.",
        example="lit-cnn search export searches/small --model.options.repeats 6 --model.options.filters 32",
    )
    _add_study(export)
    export.add_argument("--network", metavar="NAME", help="six letters of a network (default: the best)")
    export.add_argument("--recipe", metavar="RECIPE", help="how it is trained (default: as in the search)")
    export.add_argument("--out", type=Path, metavar="FILE", help="the recipe's file (default: STUDY/best.yaml)")
    return parser


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="STUDY", help="folder of a search")
    _add_storage(parser)


def _add_storage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--storage", metavar="URL", help="database that several machines share: postgresql+psycopg://user@host/name"
    )


def run(arguments: list[str]) -> int:
    if arguments[:1] not in ([part] for part in (*PARTS, "-h", "--help")):
        arguments = ["run", *arguments]
    if arguments[0] == "run":
        arguments = ["run", *recipes_first(arguments[1:])]
    options, rest = make_parser().parse_known_args(arguments)
    if options.part == "show":
        from lit_cnn.cli.search_show import show

        return show(options, rest)
    if options.part == "retrain":
        from lit_cnn.cli.search_retrain import retrain

        return retrain(options, rest)
    if options.part == "export":
        from lit_cnn.cli.search_export import export

        return export(options, rest)
    return search(options, rest)


def search(options: argparse.Namespace, rest: list[str]) -> int:
    """Run a search, or continue or join one."""
    from lit_cnn.search.findings import best_first, found_networks
    from lit_cnn.search.folder import find_parts, refuse_lost_storage, write_parts, write_results
    from lit_cnn.search.study import open_search
    from lit_cnn.sweeps.folder import RECIPE, settle_precision

    parts = find_parts(rest, options.search_dir and options.search_dir.expanduser())
    folder = (options.search_dir or PLACE / parts.name).expanduser()
    refuse_lost_storage(folder, options.storage)
    folder.mkdir(parents=True, exist_ok=True)
    console = line_console(stderr=options.json or options.markdown)
    sweep = open_search(folder, parts, options.storage, console.print)
    console.print(settle_precision(parts.cli, sweep))
    write_parts(folder, parts)
    fit = starter(parts.cli, folder / RECIPE)
    if options.process_per_trial:
        fit = dataclasses.replace(fit, main=None)
    stopped = run_trials(sweep, fit, f"lit-cnn search --search-dir {shlex.quote(str(folder))}")
    found = found_networks(sweep)
    write_results(folder, parts, found)
    best = best_first(found)
    if options.json:
        print(as_json(found))
    elif best:
        print_tables([networks_table(sweep, best[:SHOWN])], in_markdown=options.markdown)
        console.print(f"more: lit-cnn search show {shlex.quote(str(folder))}")
    else:
        console.print("no network has been trained yet")
    if stopped:
        return 128 + stopped
    return 0 if best else 1


def starter(cli: RecipeCLI, recipe: Path) -> Fit:
    """What starts trainings by a stored recipe: in this process, unless they take more than one device."""
    from lit_cnn.cli.main import main
    from lit_cnn.sweeps.folder import needs_processes, trainings

    return dataclasses.replace(trainings(recipe, cli), main=None if needs_processes(cli) else main)


def run_trials(sweep: Sweep, fit: Fit, again: str) -> int:
    """Run what is left, with a table that grows where a terminal shows it; returns the signal that stopped it, or 0."""
    from lit_cnn.cli.search_board import shown_board
    from lit_cnn.sweeps.stop_signals import StopSignals

    with StopSignals() as stop, shown_board(sweep):
        sweep.run(fit, stop)
    if stop.number:
        storage = " --storage URL" if sweep.storage_url else ""
        say(f"stopped. Continue with: {again}{storage}", stderr=True)
    return stop.number or 0


def networks_table(sweep: Sweep, found: Sequence[Found]) -> Table:
    """The networks, the best first."""
    metric, costs = sweep.plan.metric, list(found[0].costs) if found else []
    pruner = sweep.plan.pruner
    rewarded = any(one.accuracy != one.reward for one in found)
    columns = [
        Column("network", "name"),
        *([Column("reward")] if rewarded else []),
        Column(metric),
        *([Column(f"{pruner.unit} trained", rank=1)] if pruner else []),
        *[Column(HEADINGS.get(cost, cost), rank=1) for cost in costs],
        Column("trial", rank=2),
        Column("seconds", rank=3),
    ]
    rows = [
        [
            one.name,
            *([f"{one.reward:.4f}"] if rewarded else []),
            measured_text(metric, one.accuracy),
            *([str(one.trained)] if pruner else []),
            *[cost_text(cost, one.costs[cost]) for cost in costs],
            str(one.slot + 1),
            number(one.seconds),
        ]
        for one in found
    ]
    return Table(columns, rows, title=f"{sweep.folder.name}: best of {sweep.plan.size} evaluations")


HEADINGS = {
    "params": "parameters (M)",
    "madds": "multiply-adds (M)",
    "latency_ms": "latency (ms)",
    "step_ms": "step (ms)",
}
"""Cost -> heading of its column."""


def cost_text(cost: str, value: float) -> str:
    """A cost in the unit of its heading."""
    return number(value, 1e6) if cost in ("params", "madds") else number(value)


def measured_text(metric: str, value: float | None) -> str:
    """The metric of a network."""
    if value is None:
        return "–"
    from lit_cnn.training.monitor import metric_text

    return metric_text(metric, value)
