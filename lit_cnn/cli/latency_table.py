"""``lit-cnn profile NAME… --latency-table FILE``: the time of each operation, and how well it predicts networks."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import as_json, busy_warning, phases, say
from lit_cnn.cli.outputs import require_writable
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.profiling.latency_table import LatencyTable
    from lit_cnn.profiling.prediction_errors import Prediction, PredictionErrors
    from lit_cnn.profiling.table_timing import TimedNetwork

COLUMNS = (
    *(Column("name", "name"), Column("px", rank=2), Column("in the table", "name", rank=1), Column("predicted ms")),
    *(Column("measured ms"), Column("error %")),
)
ERROR_COLUMNS = (
    *(Column("networks", "name"), Column("number"), Column("mean absolute %"), Column("largest %", rank=1)),
    *(Column("bias %", rank=2), Column("Kendall tau", rank=3)),
)


def check_options(options: argparse.Namespace) -> None:
    """Refuse flags that do not belong together.

    Raises:
        ValueError: Naming the flags.
    """
    if not options.latency_table:
        for flag, given in (("--check", options.check), ("--clock", options.clock != "wall")):
            if given:
                raise ValueError(f"{flag} belongs to a latency table: add --latency-table FILE, or leave it out")
        return
    others = {"--layers": options.layers, "--counts-only": options.counts_only, "--plot": options.plot}
    for flag, given in others.items():
        if given:
            raise ValueError(f"--latency-table and {flag} cannot be used at once: run the command twice")
    require_writable("--latency-table", options.latency_table, (".json",), in_new_folder=True)


def run(options: argparse.Namespace) -> int:
    """Extend the table of the file, save it after each network, and print the errors."""
    from lit_cnn.profiling.latency_table import LatencyTable, condition_of
    from lit_cnn.profiling.table_timing import time_networks
    from lit_cnn.profiling.timing import TimingSettings, resolve_device

    settings = TimingSettings(
        device=str(resolve_device(options.device)),
        precision=options.precision,
        batch_size=options.batch_size,
        channels_last=not options.contiguous,
        repeats=options.repeats,
    )
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") and settings.device == "cpu" else None
    table = LatencyTable.open(options.latency_table, condition_of(settings, options.clock))
    before, networks, measured = len(table.rows), _networks(options), []
    with phases(len(networks)) as tell:
        for each in time_networks(table, networks, settings, on_network=lambda name: tell(f"{name}: measuring")):
            measured.append(each)
            table.save(options.latency_table)
    predictions = sorted((each.against(table) for each in measured), key=lambda each: not each.used)
    say(f"latency table: {options.latency_table}", stderr=True)
    if options.json:
        print(as_json(_report(table, before, predictions)))
        return 0
    new = len(table.rows) - before
    notes = [
        f"{len(table.rows):,} operations, {new:,} of them new; predicted: the sum over a network's operations",
        f"ms per batch: {table.condition}{'' if options.clock == 'processor' else busy_warning(busy)}",
    ]
    print_tables([_predictions(predictions), _errors(predictions, notes)], in_markdown=options.markdown)
    return 0


def _networks(options: argparse.Namespace) -> list[TimedNetwork]:
    """Those whose operations are added, and those that are only predicted, in the order in which they are timed."""
    from lit_cnn.architectures.catalog import create_model, find_entries
    from lit_cnn.profiling.table_timing import TimedNetwork, spread

    named = find_entries(options.names)
    known = {entry.name for entry in named}
    checked = [entry for entry in find_entries(options.check) if entry.name not in known]
    networks = [
        TimedNetwork(entry.name, partial(create_model, entry.name), size or entry.image_size, used)
        for entries, used in ((named, True), (checked, False))
        for entry in entries
        for size in options.image_size or [None]
    ]
    return spread(networks)


def _groups(predictions: list[Prediction]) -> list[tuple[str, PredictionErrors]]:
    from lit_cnn.profiling.prediction_errors import errors_of

    groups = [("used for the table", True), ("not used", False)]
    chosen = [(name, [each for each in predictions if each.used == used]) for name, used in groups]
    return [(name, errors_of(group)) for name, group in chosen if group]


def _report(table: LatencyTable, before: int, predictions: list[Prediction]) -> dict[str, Any]:
    return {
        "file": table.source,
        "condition": asdict(table.condition),
        "operations": len(table.rows),
        "new_operations": len(table.rows) - before,
        "networks": [{**asdict(each), "error_percent": each.error_percent} for each in predictions],
        "errors": {name: asdict(errors) for name, errors in _groups(predictions)},
    }


def _predictions(predictions: list[Prediction]) -> Table:
    rows = [
        [
            *(each.name, str(each.image_size), "yes" if each.used else "no", f"{each.predicted_ms:,.2f}"),
            *(f"{each.measured_ms:,.2f}", f"{each.error_percent:+.1f}"),
        ]
        for each in predictions
    ]
    return Table(COLUMNS, rows)


def _errors(predictions: list[Prediction], notes: list[str]) -> Table:
    rows = []
    for name, errors in _groups(predictions):
        rank = "–" if errors.rank_correlation != errors.rank_correlation else f"{errors.rank_correlation:.2f}"
        figures = [
            f"{errors.mean_absolute_percent:.1f}",
            f"{errors.largest_percent:+.1f}",
            f"{errors.bias_percent:+.1f}",
        ]
        rows.append([name, str(errors.networks), *figures, rank])
    return Table(ERROR_COLUMNS, rows, notes=notes)
