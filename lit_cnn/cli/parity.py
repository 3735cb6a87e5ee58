"""``lit-cnn parity``: our networks against those of torchvision and timm, with the same weights."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lit_cnn.pretrained.parity import ParityResult
    from lit_cnn.pretrained.references import Reference

HEADER = (
    "name",
    "reference",
    "px",
    "tensors",
    "paired by",
    "logits float64",
    "logits float32",
    "gradient float64",
    "s",
)


def run(arguments: list[str]) -> int:
    """Exit code 1 if a difference is above its tolerance or a pairing is impossible."""
    parser = argparse.ArgumentParser(
        prog="lit-cnn parity",
        description="Give our networks the weights of torchvision's and timm's and compare logits (evaluation) and "
        "gradients (training). Differences are relative to the largest logit or gradient entry.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="names or shell patterns, such as 'resnet_rs*'")
    parser.add_argument("--quick", action="store_true", help="the small network of each paper only")
    parser.add_argument("--list", action="store_true", help="list the rows without measuring")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    options = parser.parse_args(arguments)

    from lit_cnn.pretrained.parity import select_references

    rows = select_references(options.names, quick=options.quick)
    if not rows:
        raise ValueError(f"none of {', '.join(options.names)} belongs to the quick matrix; leave --quick out")
    if options.list:
        print("\n".join(f"{row.name:24s} {row.library} {row.other}" for row in rows))
        return 0
    results, failures = measure(rows)
    if options.json:
        print(json.dumps([{**asdict(result), "equal": result.equal} for result in results], indent=2))
    elif options.markdown:
        print(markdown(results))
    else:
        print_table(results)
    for failure in failures:
        print(f"lit-cnn: {failure}", file=sys.stderr)
    return 0 if not failures and all(result.equal for result in results) else 1


def measure(rows: "list[Reference]") -> "tuple[list[ParityResult], list[str]]":
    """Every row that could be measured, and a sentence for every other."""
    from lit_cnn.pretrained.parity import measure_parity

    results, failures = [], []
    for row in with_progress(rows):
        try:
            results.append(measure_parity(row))
        except ValueError as error:
            failures.append(f"{row.label}: {error}")
    return results, failures


def with_progress(rows: "list[Reference]") -> "Iterator[Reference]":
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("comparing", total=len(rows))
        for row in rows:
            progress.update(task, description=f"comparing {row.name}")
            yield row
            progress.advance(task)


def cells(result: "ParityResult") -> list[str]:
    numbers = (result.logits, result.logits_single, result.gradient)
    differences = ["not compared" if value is None else f"{value:.1e}" for value in numbers]
    reference = f"{result.library} {result.other}"
    facts = [str(result.image_size), str(result.pairs), result.method]
    return [result.name, reference, *facts, *differences, f"{result.seconds:.1f}"]


def markdown(results: "list[ParityResult]") -> str:
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return "\n".join(lines + ["| " + " | ".join(cells(result)) + " |" for result in results])


def print_table(results: "list[ParityResult]") -> None:
    from rich.console import Console
    from rich.table import Table

    from lit_cnn.pretrained.parity import TOLERANCE_DOUBLE, TOLERANCE_SINGLE

    limits = f"{TOLERANCE_DOUBLE:g} in float64, {TOLERANCE_SINGLE:g} in float32"
    caption = f"Differences are relative to the largest entry; equal means at most {limits}."
    table = Table(caption=caption)
    for name in HEADER:
        left = name in ("name", "reference", "paired by")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for result in results:
        table.add_row(*cells(result), style=None if result.equal else "red")
    Console(width=None if sys.stdout.isatty() else 150).print(table)
