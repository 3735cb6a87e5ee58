"""``lit-cnn search retrain``: the best networks of a search again, with fresh seeds, next to random and known ones."""

from __future__ import annotations

import argparse
import functools
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lit_cnn.cli.console import as_json, line_console
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:
    from lit_cnn.search.gain import Gain
    from lit_cnn.search.retraining import Retrained


GAIN = (
    "against random: the mean over the seeds minus the mean of the (other) random networks' means, with Welch's 95 % "
    "interval; the random networks are its replicates, so it is about the average network of the space, not about the "
    "few that were drawn"
)


def retrain(options: argparse.Namespace, rest: list[str]) -> int:
    """Train them, or continue, and print means, intervals and whether anything is decided."""
    from lit_cnn.cli.search import run_trials, starter
    from lit_cnn.search.retraining import chosen_networks, open_retraining, results
    from lit_cnn.search.shown import open_study, trained_networks, within_limits
    from lit_cnn.sweeps.folder import RECIPE

    folder = options.folder.expanduser()
    study = open_study(folder, options.storage)
    parts = study.parts
    networks = chosen_networks(
        parts.settings,
        trained_networks(study),
        options.winners,
        options.random,
        options.published,
        functools.partial(within_limits, study),
    )
    console = line_console(stderr=options.json or options.markdown)
    sweep, cli = open_retraining(
        folder / f"{folder.resolve().name}_retrained",
        parts,
        networks,
        options.seeds,
        options.recipe,
        rest,
        options.storage,
        console.print,
    )
    stopped = run_trials(sweep, starter(cli, sweep.folder / RECIPE), again(options, rest))
    rows = results(sweep, networks)
    if options.json:
        print(as_json(rows))
    else:
        print_tables([retrained_table(rows, parts.settings.metric)], in_markdown=options.markdown)
    return 128 + stopped if stopped else 0


def again(options: argparse.Namespace, rest: Sequence[str]) -> str:
    """The command that goes on with the same networks, seeds and recipe; the database is not repeated."""
    words = ["lit-cnn", "search", "retrain", str(options.folder), "--winners", str(options.winners)]
    words += ["--random", str(options.random), *(["--published"] if options.published else [])]
    words += ["--seeds", str(options.seeds), *(["--recipe", options.recipe] if options.recipe else []), *rest]
    return shlex.join(words)


def retrained_table(rows: list[Retrained], metric: str) -> Table:
    """The networks with means over the seeds, and their differences from the mean of the random ones."""
    figure, points = (metric, "") if _is_loss(metric) else (f"{metric} (%)", " (points)")
    columns = [
        *(Column("network", "name"), Column("chosen", "prose", rank=1), Column(figure), Column("seeds")),
        *(Column(f"against random{points}"), Column("decided", "prose", rank=2)),
    ]
    cells = []
    for row in rows:
        cells.append(
            [
                row.name,
                row.chosen,
                "–" if row.mean is None else f"{_shown(metric, row.mean)} ± {_shown(metric, row.sd or 0)}",
                str(row.n),
                _difference(metric, row.against_random),
                _verdict(row.against_random),
            ]
        )
    title = "retrained, mean ± standard deviation over the seeds"
    return Table(columns, cells, title=title, notes=[*seeds_note(rows), GAIN])


def seeds_note(rows: list[Retrained]) -> list[str]:
    """With which seeds the networks were trained; empty while none has ended."""
    seeds = sorted({seed for row in rows for seed in row.seeds})
    if not seeds:
        return []
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return [f"trained with {named}, after those of the search, whose results have chosen the winner"]


def _difference(metric: str, gain: Gain | None) -> str:
    if gain is None:
        return "–"
    mean, *ends = (_shown(metric, each, "+") for each in (gain.mean, gain.low, gain.high) if each is not None)
    return f"{mean} [{', '.join(ends)}]" if ends else mean


def _shown(metric: str, value: float, sign: str = "") -> str:
    """A loss as it is, an accuracy in percent, a difference of accuracies in points."""
    return f"{value:{sign}.4f}" if _is_loss(metric) else f"{100 * value:{sign}.2f}"


def _is_loss(metric: str) -> bool:
    return "loss" in metric


def _verdict(gain: Gain | None) -> str:
    """Whether a difference is decided, and if not, of what more would help."""
    if gain is None:
        return "–"
    if gain.low is None:
        return f"no interval without two {gain.limited_by}"
    return "yes" if gain.decided else f"no: train more {gain.limited_by}"
