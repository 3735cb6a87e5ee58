"""``lit-cnn check PATH``: whether a data folder, an npz file, a checkpoint or a run can be trusted."""

import argparse

from rich.console import Console

from lit_cnn.cli.console import as_json
from lit_cnn.cli.pixel_arguments import add_pixel_arguments, pixel_format_of
from lit_cnn.evaluation.checking import check_path

COLORS = {"error": "red", "warning": "yellow", "fact": "green"}


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn check", description=__doc__)
    parser.add_argument("path", help="a folder of images, an .npz file, a checkpoint, or a run folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    add_pixel_arguments(parser)
    options = parser.parse_args(arguments)
    with Console(stderr=True).status("checking"):
        findings = list(check_path(options.path, pixel_format_of(options)))
    errors = sum(finding.kind == "error" for finding in findings)
    if options.json:
        print(as_json(findings))
        return 1 if errors else 0
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        console.print(f"[{COLORS[finding.kind]}]{finding.kind:8s}[/]", end="")
        console.print(finding.text, markup=False)
    warnings = sum(finding.kind == "warning" for finding in findings)
    console.print(f"{errors} errors, {warnings} warnings")
    return 1 if errors else 0
