"""``lit-cnn search retrain``: the best networks of a search again, with fresh seeds, next to random and known ones."""

from __future__ import annotations

import argparse
import functools
import shlex
from typing import TYPE_CHECKING

from lit_cnn.cli.console import as_json, line_console
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:
    from lit_cnn.search.retraining import Retrained


def retrain(options: argparse.Namespace, rest: list[str]) -> int:
    """Train them, or continue, and print means, intervals and whether anything is decided."""
    from lit_cnn.cli.search import run_trials, starter
    from lit_cnn.search.retraining import chosen_networks, open_retraining, results
    from lit_cnn.search.shown import open_study, trained_networks, within_limits

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
    sweep, recipe = open_retraining(
        folder / f"{folder.resolve().name}_retrained",
        parts,
        networks,
        options.seeds,
        options.recipe,
        rest,
        options.storage,
        console.print,
    )
    again = f"lit-cnn search retrain {shlex.quote(str(folder))} {shlex.join(rest)}".strip()
    stopped = run_trials(sweep, starter(parts, recipe), again)
    rows = results(sweep, networks)
    if options.json:
        print(as_json(rows))
    else:
        print_tables([retrained_table(rows, parts.settings.metric)], in_markdown=options.markdown)
    return 128 + stopped if stopped else 0


def retrained_table(rows: list[Retrained], metric: str) -> Table:
    """The networks with means over the seeds, and their paired differences from the mean of the random ones."""
    columns = [
        *(Column("network", "name"), Column("chosen", "prose", rank=1), Column(metric), Column("seeds")),
        *(Column("against random (points)"), Column("seeds to decide", rank=2)),
    ]
    cells = []
    for row in rows:
        difference = row.against_random
        cells.append(
            [
                row.name,
                row.chosen,
                "–" if row.mean is None else f"{100 * row.mean:.2f} ± {100 * (row.sd or 0):.2f}",
                str(row.n),
                "–" if difference is None else _points(difference.mean, difference.low, difference.high),
                "–" if difference is None else "decided" if difference.decided else str(difference.deciding_n or "–"),
            ]
        )
    note = (
        "against random: the difference from the mean of the random networks of the same seed, with its 95 % t "
        "interval; seeds to decide: so many would find this difference with a power of 80 %"
    )
    title = "retrained, mean ± standard deviation over the seeds"
    return Table(columns, cells, title=title, notes=[*seeds_note(rows), note])


def seeds_note(rows: list[Retrained]) -> list[str]:
    """With which seeds the networks were trained; empty while none has ended."""
    seeds = sorted({seed for row in rows for seed in row.seeds})
    if not seeds:
        return []
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return [f"trained with {named}, after those of the search, whose results have chosen the winner"]


def _points(mean: float, low: float, high: float) -> str:
    return f"{100 * mean:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
