"""``lit-cnn parity``: our networks against those of torchvision and timm, with the same weights."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, phases, say
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables

if TYPE_CHECKING:
    from lit_cnn.pretrained.parity import ParityResult
    from lit_cnn.pretrained.references import Reference

COLUMNS = (
    *(Column("name", "name"), Column("reference", "name", rank=1), Column("px", rank=5), Column("tensors", rank=4)),
    *(Column("paired by", "name", rank=3), Column("logits float64"), Column("logits float32")),
    *(Column("gradient float64"), Column("s", rank=2)),
)


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn parity",
        description="Give our networks the weights of torchvision's and timm's and compare logits (evaluation) and "
        "gradients (training). Differences are relative to the largest logit or gradient entry.",
        example="lit-cnn parity 'resnet*' --quick",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="names or shell patterns, such as 'resnet_rs*'")
    parser.add_argument("--quick", action="store_true", help="the small network of each paper only")
    parser.add_argument("--list", action="store_true", help="list the rows without measuring")
    add_form_arguments(parser, "a list of objects")
    return parser


def run(arguments: list[str]) -> int:
    """Exit code 1 if a difference is above its tolerance or a pairing is impossible."""
    options = make_parser().parse_args(arguments)

    from lit_cnn.pretrained.parity import measure_all, select_references

    rows = select_references(options.names, quick=options.quick)
    if not rows:
        raise ValueError(f"none of {', '.join(options.names)} belongs to the quick matrix; leave --quick out")
    if options.list:
        print_references(rows, options)
        return 0
    with phases(len(rows)) as tell:
        results, failures = measure_all(rows, lambda name: tell(f"comparing {name}"))
    if options.json:
        print(as_json([{**asdict(result), "equal": result.equal} for result in results]))
    else:
        print_tables([results_table(results)], in_markdown=options.markdown)
    for failure in failures:
        say(f"lit-cnn: {failure}", stderr=True)
    return 0 if not failures and all(result.equal for result in results) else 1


def print_references(rows: "list[Reference]", options: argparse.Namespace) -> None:
    """The networks that have counterparts, without measuring."""
    if options.json:
        print(as_json([{"name": row.name, "library": row.library, "other": row.other} for row in rows]))
        return
    columns = (Column("name", "name"), Column("library", "name"), Column("reference", "name"))
    print_tables([Table(columns, [[row.name, row.library, row.other] for row in rows])], in_markdown=options.markdown)


def cells(result: "ParityResult") -> list[str]:
    numbers = (result.logits, result.logits_single, result.gradient)
    differences = ["not compared" if value is None else f"{value:.1e}" for value in numbers]
    reference = f"{result.library} {result.other}"
    facts = [str(result.image_size), str(result.pairs), result.method]
    return [result.name, reference, *facts, *differences, f"{result.seconds:.1f}"]


def results_table(results: "list[ParityResult]") -> Table:
    from lit_cnn.pretrained.parity import TOLERANCE_DOUBLE, TOLERANCE_SINGLE

    limits = f"{TOLERANCE_DOUBLE:g} in float64, {TOLERANCE_SINGLE:g} in float32"
    note = f"Differences are relative to the largest entry; equal means at most {limits}."
    unequal = [place for place, result in enumerate(results) if not result.equal]
    return Table(COLUMNS, [cells(result) for result in results], notes=[note], marked=unequal)
