"""``lit-cnn search show``: the curve, the front, the best network and its ancestry of one search or of several."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lit_cnn.cli.console import as_json, line_console
from lit_cnn.cli.tables import print_tables

if TYPE_CHECKING:
    from lit_cnn.search.findings import Found
    from lit_cnn.search.shown import Study


def show(options: argparse.Namespace, rest: list[str]) -> int:
    """Print and draw what the searches have found."""
    from lit_cnn.cli.search import SHOWN, networks_table
    from lit_cnn.search.pictures import draw_studies
    from lit_cnn.search.shown import open_study, trained_networks

    if rest:
        raise ValueError(f"lit-cnn search show has no argument {rest[0]}; it takes folders of searches")
    studies = [open_study(folder.expanduser(), options.storage) for folder in options.folders]
    if options.json:
        print(as_json({str(study.folder): study.found for study in studies}))
        return 0
    tables = [
        dataclasses.replace(networks_table(study.sweep, trained_networks(study)[:SHOWN]), notes=facts(study))
        for study in studies
    ]
    print_tables(tables, in_markdown=options.markdown)
    pictures = draw_studies(studies)
    line_console(stderr=options.markdown).print("\n".join(f"picture: {path}" for path in pictures))
    return 0


def facts(study: Study) -> list[str]:
    """What the table does not say: how far the search is, the front, the best network and where it comes from."""
    from lit_cnn.cli.search import cost_text, measured_text
    from lit_cnn.search.findings import best_first, ended, front

    metric, settings = study.parts.settings.metric, study.parts.settings
    best = best_first(study.found)[0]
    over = ended(study.found)
    failed = sum(one.state == "failed" for one in over)
    return [
        f"{study.folder.name}: {settings.strategy['name']} over {settings.space['name']}, {len(over)} of "
        f"{settings.evaluations} evaluated, {len({one.network for one in over})} different networks, {failed} failed, "
        f"{sum(one.rejected for one in study.found)} proposals above the limits",
        "front of accuracy and parameters: "
        + ", ".join(
            f"{one.name} ({measured_text(metric, one.accuracy)}, {cost_text('params', one.costs['params'])} M)"
            for one in front(study.found, "params", sign=settings.sign)
        ),
        f"best: {best.name} = {best.network}",
        f"ancestry: {ancestry_text(study.ancestry, metric)}",
    ]


def ancestry_text(line: Sequence[Found], metric: str) -> str:
    """From the first ancestor to the winner."""
    from lit_cnn.cli.search import measured_text

    if len(line) < 2:
        return "drawn without a parent"
    return " → ".join(f"{one.name} (trial {one.slot + 1}, {measured_text(metric, one.accuracy)})" for one in line)
