"""``lit-cnn calibrate CKPT``: whether its confidence can be believed, before and after temperature scaling.

The temperature is fitted on one half of the validation images and everything is measured on the other. A second table
says which share of the images keeps an answer at a least confidence, and how accurate these answers are.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, chosen_checkpoint
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, percent, progress, say
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable
from lit_cnn.cli.tables import Column, Table, print_tables
from lit_cnn.evaluation.choices import BINS

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.calibration import Calibration

ENDINGS = (*PICTURES, ".json")


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    for path in options.out:
        require_writable("--out", path, ENDINGS)
    from lit_cnn.cli.evaluated_images import evaluated_images
    from lit_cnn.evaluation.calibration import calibrate
    from lit_cnn.evaluation.logits import collect
    from lit_cnn.evaluation.recorded_data import load_network
    from lit_cnn.evaluation.test_time_augmentation import make_views
    from lit_cnn.reports.reliability import draw_reliability

    checkpoint = chosen_checkpoint(options.checkpoint)
    trained = load_network(checkpoint, options.weights, options.trust)
    with (
        evaluated_images(trained, options, "val") as images,
        progress("evaluating", len(images)) as advance,
    ):
        outcome = collect(trained, images, make_views("center", trained.preprocessing), advance=advance)
    result = calibrate(outcome.probabilities, outcome.labels, options.bins)
    report = {"checkpoint": checkpoint, "weights": options.weights, **result.report()}
    for path in options.out:
        if path.suffix == ".json":
            path.write_text(as_json(report) + "\n")
        else:
            draw_reliability(result.panels(), path)
    if options.json:
        print(as_json({**report, "data": images.facts}))
        return 0
    line = f"{checkpoint} on {len(outcome.labels)} images of {images.origin}"
    print_tables([calibration_table(result), abstention_table(result)], line, in_markdown=options.markdown)
    for path in options.out:
        say(path, stderr=options.markdown)
    return 0


def make_parser() -> CommandParser:
    example = "lit-cnn calibrate runs/folder/TIME-ID --out reliability.png --out calibration.json"
    parser = CommandParser("lit-cnn calibrate", __doc__, example=example)
    add_checkpoint_arguments(parser)
    parser.add_argument("--bins", type=int, default=BINS, help="confidence bins of equal width (default %(default)s)")
    add_output(
        parser,
        "--out",
        "a reliability diagram (.png, .pdf, .svg), or the figures (.json), of which predict and validate take the "
        "temperature; may be repeated",
        several=True,
    )
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    options = make_parser().parse_args(arguments)
    if options.bins < 1:
        raise ValueError(f"--bins is {options.bins} but must be at least 1")
    return options


def calibration_table(result: Calibration) -> Table:
    before, after = result.before, result.after
    rows = [
        ["accuracy", percent(before.accuracy), percent(after.accuracy)],
        ["mean confidence", percent(before.confidence), percent(after.confidence)],
        [f"ECE, {len(result.bins_before.counts)} bins", percent(before.ece), percent(after.ece)],
        ["negative log-likelihood", f"{before.log_loss:.4f}", f"{after.log_loss:.4f}"],
        ["Brier score", f"{before.brier:.4f}", f"{after.brier:.4f}"],
    ]
    notes = [f"fitted on {result.fitted_on} validation images, measured on the {result.measured_on} others"]
    if result.at_limit:
        notes.append(
            f"the temperature stopped at {result.temperature:.2f}: no larger or smaller one is finite and best, as "
            "happens where every fitted image is classified correctly"
        )
    columns = (Column("on the other half", "name"), Column("as trained"))
    return Table((*columns, Column(f"temperature {result.temperature:.3f}")), rows, notes=notes)


def abstention_table(result: Calibration) -> Table:
    rows = []
    for before, after in zip(result.abstention_before, result.abstention_after, strict=True):
        figures = [percent(value) for row in (before, after) for value in (row.answered, row.accuracy)]
        rows.append([f"{before.threshold:g}", *figures])
    names = ("threshold", "answered", "of these right", "answered at T", "right at T")
    return Table(
        [Column(name) for name in names],
        rows,
        title="answers from a least probability on",
        notes=[f"lit-cnn predict --min-probability, without or with --temperature {result.temperature:.3f}"],
    )
