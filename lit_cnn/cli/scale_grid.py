"""``lit-cnn scale NAME --grid``: candidates for alpha, beta and gamma, each trained by the engine of sweeps."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import as_json, line_console
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:
    from rich.console import Console

    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.search.scaling.networks import ScaledNetwork
    from lit_cnn.search.scaling.rules import Coefficients
    from lit_cnn.sweeps.engine import Sweep
    from lit_cnn.sweeps.results import TrialResult
    from lit_cnn.sweeps.space import Space

SMALL_RECIPE = "quickstart"
"""What trains candidates where no recipe is named: handwritten digits of 16 px."""


def run_grid(options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Train the candidates that are left, and print the ranking; returns the exit code."""
    from lit_cnn.cli.sweep import print_places
    from lit_cnn.experiment.identity import identity
    from lit_cnn.experiment.parser import RecipeCLI
    from lit_cnn.search.scaling.grid import grid_space
    from lit_cnn.search.scaling.networks import Base
    from lit_cnn.sweeps.engine import Sweep
    from lit_cnn.sweeps.folder import write_results

    Base(options.name)  # refuses what cannot be scaled before a recipe is read
    cli = RecipeCLI(recipe_words(options, rest))
    resolved = cli.values()
    networks = networks_of(options, resolved)
    space = grid_space(list(networks.values()), resolved, options.metric or cli.config.monitor, options.seeds)
    folder = (options.sweep_dir or Path("sweeps") / f"scale_{options.name}").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    console = line_console(stderr=options.json or options.markdown)
    sweep = Sweep(folder, space, dict(identity(resolved)), None, None, console.print)
    stopped = 0 if options.report else train(sweep, space, cli, console)
    rows = sweep.results()
    write_results(folder, space, rows)
    ranked = [(row, *list(networks.items())[row.trial - 1]) for row in rows]
    if options.json:
        print(as_json([as_object(*each) for each in ranked]))
    else:
        print_tables([ranking(ranked, options, space.metric, cli)], in_markdown=options.markdown)
        print_places(console, folder, rows)
    if stopped:
        return 128 + stopped
    return 0 if options.report or any(row.complete for row in rows) else 1


def networks_of(options: argparse.Namespace, resolved: dict[str, Any]) -> dict[Coefficients, ScaledNetwork]:
    """The candidates, as the recipe has their base."""
    from lit_cnn.search.scaling.grid import candidates, distinct
    from lit_cnn.search.scaling.recipes import base_of

    stated = {key: value for key, value in resolved["model"]["options"].items() if value is not None}
    base = base_of(options.name, {**resolved, "model": {"options": stated}})
    return distinct(base, candidates(options.step, options.tolerance))


def train(sweep: Sweep, space: Space, cli: RecipeCLI, console: Console) -> int:
    """Run the candidates that are left; returns the number of the signal that stopped it, or 0."""
    from lit_cnn.cli.main import main
    from lit_cnn.sweeps.folder import needs_processes, settle_precision, write_parts
    from lit_cnn.sweeps.stop_signals import StopSignals

    console.print(settle_precision(cli, sweep))
    fit = write_parts(sweep.folder, space, cli)
    if not needs_processes(cli):
        fit = dataclasses.replace(fit, main=main)
    with StopSignals() as stop:
        sweep.run(fit, stop)
    if stop.number:
        console.print("stopped; the same command continues")
    return stop.number or 0


def recipe_words(options: argparse.Namespace, rest: Sequence[str]) -> list[str]:
    """The recipe's arguments, with the network that is scaled; one for ImageNet gets its small stem on small images."""
    from lit_cnn.architectures.catalog import find_entry
    from lit_cnn.experiment.parser import resolve_configs

    words = [word for name in options.config or [SMALL_RECIPE] for word in ("--config", name)]
    words.append(f"--model.architecture={options.name}")
    if options.depth_rounding:
        words.append(f"--model.options.depth_rounding={options.depth_rounding}")
    if not options.config and "stem" in find_entry(options.name).options():
        words.append("--model.options.stem=small")
    return resolve_configs([*words, *rest])


def ranking(
    ranked: Sequence[tuple[TrialResult, Coefficients, ScaledNetwork]],
    options: argparse.Namespace,
    metric: str,
    cli: Any,
) -> Table:
    """The candidates, the best first."""
    from lit_cnn.search.scaling.recipes import ROUNDED
    from lit_cnn.training.monitor import metric_text

    rows = []
    for row, coefficients, network in ranked:
        value = "–" if row.value is None else metric_text(metric, row.value)
        value += f" ± {metric_text(metric, row.sd)}" if row.sd is not None else ""
        cells = [f"{number:g}" for number in coefficients]
        cells += [f"{coefficients.madds:.2f}", f"{network.times:.2f}", f"{network.image_size}", f"{network.params:,}"]
        rows.append([*cells, value, row.state])
    columns = [
        Column("alpha"),
        Column("beta"),
        Column("gamma"),
        Column("alpha · beta² · gamma²", rank=3),
        Column("madds ×", rank=1),
    ]
    columns += [Column("px", rank=2), Column("parameters", rank=4), Column(metric), Column("state", "prose", rank=5)]
    rounded = ROUNDED[cli.config.model.options.depth_rounding or "up"]
    trainer, recipe = cli.config.trainer, ", ".join(options.config or [SMALL_RECIPE])
    return Table(
        columns,
        rows,
        title=f"{options.name}: products within {options.tolerance:.0%} of 2, in steps of {options.step:g}",
        notes=[
            f"each trained for {trainer.max_epochs} epochs of {recipe}; madds ×: as counted, with blocks rounded "
            f"{rounded}; candidates that rounding makes the same network are trained once"
        ],
    )


def as_object(row: TrialResult, coefficients: Coefficients, network: ScaledNetwork) -> dict[str, Any]:
    figures = {name: getattr(row, name) for name in ("value", "sd", "state", "run")}
    counts = {"image_size": network.image_size, "params": network.params, "madds_times": network.times}
    return {**coefficients._asdict(), "product": coefficients.madds, **counts, **figures}
