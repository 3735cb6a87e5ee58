"""``lit-cnn models``: the catalog as a table."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from lit_cnn.architectures.catalog import CATALOG, Entry, list_models

SORT_KEYS = ("year", "params", "madds", "top1", "layers", "name")


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn models", description="List the catalog of architectures.")
    parser.add_argument("pattern", nargs="?", default="*", help="shell pattern of names, such as 'resnet_rs*'")
    parser.add_argument("--sort", choices=SORT_KEYS, help="sort by this column instead of the lecture's order")
    parser.add_argument("--max-params", type=float, help="at most this many million parameters")
    parser.add_argument("--max-madds", type=float, help="at most this many million multiply-adds")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args(arguments)
    entries = select(options.pattern, options.sort, options.max_params, options.max_madds)
    if not entries:
        raise ValueError(f"no architecture matches {options.pattern!r} within these limits; `lit-cnn models` lists all")
    if options.json:
        print(json.dumps([as_object(entry) for entry in entries], indent=2))
    elif options.markdown:
        print(markdown(entries))
    else:
        print_table(entries)
    return 0


def select(pattern: str, sort: str | None, max_params: float | None, max_madds: float | None) -> list[Entry]:
    names = set(list_models(pattern))
    entries = [
        entry
        for entry in CATALOG
        if entry.name in names
        and (max_params is None or entry.params <= max_params * 1e6)
        and (max_madds is None or entry.madds <= max_madds * 1e6)
    ]
    if sort:
        entries.sort(key=lambda entry: sort_value(entry, sort))
    return entries


def sort_value(entry: Entry, key: str) -> Any:
    if key in ("year", "top1"):
        value = getattr(entry.paper, key)
        return (value is None, value)
    return getattr(entry, key)


def as_object(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "year": entry.paper.year,
        "input_size": entry.image_size,
        "layers": entry.layers,
        "params": entry.params,
        "madds": entry.madds,
        "num_classes": entry.num_classes,
        "paper": asdict(entry.paper),
        "options": entry.options(),
        "deviations": list(entry.deviations),
    }


HEADER = ("name", "year", "px", "layers", "params (M)", "madds (M)", "paper top-1", "paper top-5", "protocol")


def row(entry: Entry) -> list[str]:
    percent = [f"{value:.2f}" if value is not None else "–" for value in (entry.paper.top1, entry.paper.top5)]
    counts = [f"{entry.params / 1e6:,.2f}", f"{entry.madds / 1e6:,.0f}"]
    facts = [str(entry.paper.year), str(entry.image_size), str(entry.layers)]
    return [entry.name, *facts, *counts, *percent, entry.paper.protocol]


def markdown(entries: list[Entry]) -> str:
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    lines += ["| " + " | ".join(row(entry)) + " |" for entry in entries]
    return "\n".join(lines)


def print_table(entries: list[Entry]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(caption="madds: multiply-adds of one image; FLOPs are twice as many. Accuracies are the papers'.")
    for name in HEADER:
        left = name in ("name", "protocol")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "protocol")
    for entry in entries:
        table.add_row(*row(entry))
    Console(width=None if sys.stdout.isatty() else 150).print(table)
