"""``lit-cnn parity``: our networks against those of torchvision and timm, with the same weights."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, console, markdown, phases, say, table

if TYPE_CHECKING:
    from rich.table import Table

    from lit_cnn.pretrained.parity import ParityResult

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
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects")
    form.add_argument("--markdown", action="store_true", help="a Markdown table")
    return parser


def run(arguments: list[str]) -> int:
    """Exit code 1 if a difference is above its tolerance or a pairing is impossible."""
    options = make_parser().parse_args(arguments)

    from lit_cnn.pretrained.parity import measure_all, select_references

    rows = select_references(options.names, quick=options.quick)
    if not rows:
        raise ValueError(f"none of {', '.join(options.names)} belongs to the quick matrix; leave --quick out")
    if options.list:
        say("\n".join(f"{row.name:24s} {row.library} {row.other}" for row in rows))
        return 0
    with phases(len(rows)) as tell:
        results, failures = measure_all(rows, lambda name: tell(f"comparing {name}"))
    if options.json:
        print(as_json([{**asdict(result), "equal": result.equal} for result in results]))
    elif options.markdown:
        say(markdown(HEADER, [cells(result) for result in results]))
    else:
        console().print(results_table(results))
    for failure in failures:
        say(f"lit-cnn: {failure}", stderr=True)
    return 0 if not failures and all(result.equal for result in results) else 1


def cells(result: "ParityResult") -> list[str]:
    numbers = (result.logits, result.logits_single, result.gradient)
    differences = ["not compared" if value is None else f"{value:.1e}" for value in numbers]
    reference = f"{result.library} {result.other}"
    facts = [str(result.image_size), str(result.pairs), result.method]
    return [result.name, reference, *facts, *differences, f"{result.seconds:.1f}"]


def results_table(results: "list[ParityResult]") -> "Table":
    from lit_cnn.pretrained.parity import TOLERANCE_DOUBLE, TOLERANCE_SINGLE

    limits = f"{TOLERANCE_DOUBLE:g} in float64, {TOLERANCE_SINGLE:g} in float32"
    caption = f"Differences are relative to the largest entry; equal means at most {limits}."
    words = ("name", "reference", "paired by")
    shown = table(HEADER, [cells(result) for result in results], left=words, no_wrap=HEADER, caption=caption)
    for row, result in zip(shown.rows, results, strict=True):
        row.style = None if result.equal else "red"
    return shown
