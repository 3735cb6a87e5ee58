"""``lit-cnn check PATH``: whether a data set, a checkpoint or a run can be trusted.

A data set is a folder of images, a list of files (CSV), an .npz file, or a set of lit-cnn data pack or of the datasets
library. Exit codes: 0 no error was found, 1 one was, with --strict also a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, counted, line_console, say
from lit_cnn.cli.pixel_arguments import add_pixel_arguments, pixel_format_of
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables
from lit_cnn.printable import printable

if TYPE_CHECKING:
    from lit_cnn.data.checks.finding import Finding

COLORS = {"error": "red", "warning": "yellow", "fact": "green"}


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn check", __doc__, example="lit-cnn check my_images")
    parser.add_argument("path", help="a data set, a checkpoint, a run folder, or timm:NAME.TAG")
    parser.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")
    add_form_arguments(parser, "a list of objects")
    add_pixel_arguments(parser)
    return parser


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    from lit_cnn.evaluation.checking import check_path
    from lit_cnn.pretrained.importing import checkpoint_of

    path = str(checkpoint_of(options.path, lambda text: say(text, stderr=True)))
    with counted("checking") as advance:
        findings = list(check_path(path, pixel_format_of(options), advance))
    errors, warnings = (sum(finding.kind == kind for finding in findings) for kind in ("error", "warning"))
    if options.json:
        print(as_json(findings))
    elif options.markdown:
        rows = [[finding.kind, finding.text] for finding in findings]
        counts = f"{errors} errors, {warnings} warnings"
        columns = (Column("kind", "name"), Column("finding", "prose"))
        print_tables([Table(columns, rows, notes=[counts])], in_markdown=True)
    else:
        print_findings(findings)
        line_console().print(f"{errors} errors, {warnings} warnings")
    return 1 if errors or (options.strict and warnings) else 0


def print_findings(findings: list[Finding]) -> None:
    out = line_console()
    for finding in findings:
        out.print(f"{finding.kind:8s}", style=COLORS[finding.kind], end="")
        out.print(printable(finding.text))
