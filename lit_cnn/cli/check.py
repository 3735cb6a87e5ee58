"""``lit-cnn check PATH``: whether a data set, a checkpoint or a run can be trusted.

A data set is a folder of images, a list of files (CSV), an .npz file, or a set of lit-cnn data pack or of the datasets
library; or a folder of images with boxes (Pascal VOC, COCO, YOLO) or the recipe of a detector, whose classes are shown
in a table; --json names all boxes that are wrong, the others ten of a kind. Exit codes: 0 no error was found, 1 one
was, with --strict also a warning.
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, counted, line_console, say
from lit_cnn.cli.pixel_arguments import add_pixel_arguments, pixel_format_of
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables
from lit_cnn.data.sources.wording import counted as number_of
from lit_cnn.printable import printable

if TYPE_CHECKING:
    from lit_cnn.data.checks.finding import Finding
    from lit_cnn.detection.annotations import Layout
    from lit_cnn.detection.checking import CheckedClass

COLORS = {"error": "red", "warning": "yellow", "fact": "green"}


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn check", __doc__, example="lit-cnn check my_images")
    parser.add_argument("path", help="a data set, a detector's recipe, a checkpoint, a run folder, or timm:NAME.TAG")
    parser.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")
    add_form_arguments(parser, "a list of objects, or an object of findings and classes,")
    add_pixel_arguments(parser)
    return parser


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    from lit_cnn.evaluation.checking import check_path
    from lit_cnn.pretrained.importing import checkpoint_of

    path, pixel_format = str(checkpoint_of(options.path, lambda text: say(text, stderr=True))), pixel_format_of(options)
    annotated = annotated_folder(path)
    with counted("checking") as advance:
        if annotated is None:
            findings, classes = list(check_path(path, pixel_format, advance)), None
        else:
            from lit_cnn.detection.checking import check_annotations

            checked = check_annotations(*annotated, pixel_format, advance, complete=options.json)
            findings, classes = checked.findings, checked.classes
    show(options, findings, classes)
    errors, warnings = count(findings)
    return 1 if errors or (options.strict and warnings) else 0


def annotated_folder(name: str) -> tuple[Path, Layout] | None:
    """The folder of images with boxes that is meant, by its path or by the recipe of a detector, and the layout that is
    stated for it; None of anything else."""
    from lit_cnn.data.sources.load import resolve_data_path
    from lit_cnn.detection.annotations import fitting_layouts
    from lit_cnn.experiment.files import find_recipe, read_yaml

    try:
        place = resolve_data_path(name)
    except FileNotFoundError:
        place = Path(name)
    if place.is_dir():
        return (place, "auto") if fitting_layouts(place) else None
    try:
        recipe = read_yaml(find_recipe(name)) if place.suffix in ("", ".yaml", ".yml") else {}
    except ValueError:  # there is no such recipe
        return None
    data = recipe.get("data")
    if recipe.get("task") != "detection" or not isinstance(data, dict):
        return None
    if "path" not in data:
        raise ValueError(f"{name} does not state data.path; pass the folder of its images")
    return resolve_data_path(data["path"]), data.get("layout", "auto")


def count(findings: Sequence[Finding]) -> tuple[int, int]:
    """Errors and warnings."""
    errors, warnings = (sum(finding.kind == kind for finding in findings) for kind in ("error", "warning"))
    return errors, warnings


def show(options: Namespace, findings: list[Finding], classes: list[CheckedClass] | None) -> None:
    """Print what was found, and the classes of images with boxes, in the wanted form."""
    line = ", ".join(map(number_of, count(findings), ("error", "warning")))
    if options.json:
        print(as_json(findings if classes is None else {"findings": findings, "classes": classes}))
    elif options.markdown:
        rows = [[finding.kind, finding.text] for finding in findings]
        columns = (Column("kind", "name"), Column("finding", "prose"))
        tables = [Table(columns, rows, notes=[line]), *([] if classes is None else [class_table(classes)])]
        print_tables(tables, in_markdown=True)
    else:
        print_findings(findings)
        if classes is not None:
            print_tables([class_table(classes)])
        line_console().print(line)


def class_table(classes: Sequence[CheckedClass]) -> Table:
    """The classes of images with boxes, split by split."""
    columns = (
        *(Column("class", "name"), Column("split", "name"), Column("boxes"), Column("images")),
        *(Column("median side in px", rank=1), Column("difficult", rank=2)),
    )
    rows = [
        [
            *(each.name, each.split, f"{each.boxes:,}", f"{each.images:,}"),
            *("–" if math.isnan(each.median_side) else f"{each.median_side:.0f}", f"{each.difficult:,}"),
        ]
        for each in classes
    ]
    return Table(columns, rows)


def print_findings(findings: list[Finding]) -> None:
    out = line_console()
    for finding in findings:
        out.print(f"{finding.kind:8s}", style=COLORS[finding.kind], end="")
        out.print(printable(finding.text))
