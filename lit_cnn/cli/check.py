"""``lit-cnn check PATH``: whether a data folder, an npz file, a checkpoint or a run can be trusted."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from lit_cnn.data.checking import Finding, check_data
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.evaluation.checking import check_checkpoint, check_run

COLORS = {"error": "red", "warning": "yellow", "fact": "green"}


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn check", description=__doc__)
    parser.add_argument("path", help="a folder of images, an .npz file, a checkpoint, or a run folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args(arguments)
    with Console(stderr=True).status("checking"):
        findings = list(check(options.path))
    errors = sum(finding.kind == "error" for finding in findings)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
        return 1 if errors else 0
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        console.print(f"[{COLORS[finding.kind]}]{finding.kind:8s}[/]", end="")
        console.print(finding.text, markup=False)
    warnings = sum(finding.kind == "warning" for finding in findings)
    console.print(f"{errors} errors, {warnings} warnings")
    return 1 if errors else 0


def check(name: str) -> Iterator[Finding]:
    """The findings about what ``name`` turns out to be."""
    path = Path(name).expanduser()
    if (path / "config.yaml").is_file() or (path / "checkpoints").is_dir():
        return check_run(path)
    if path.is_dir() or path.suffix == ".npz" or not path.exists():
        return check_data(resolve_data_path(name, "the path"))
    return check_checkpoint(path)
