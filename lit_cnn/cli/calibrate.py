"""``lit-cnn calibrate CKPT``: whether its confidence can be believed, before and after temperature scaling.

The temperature is fitted on one half of the validation images and everything is measured on the other.
"""

import argparse
from pathlib import Path

from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments
from lit_cnn.cli.console import as_json, console, percent, progress, say, table
from lit_cnn.evaluation.calibration import BINS, Calibration, calibrate
from lit_cnn.evaluation.logits import collect
from lit_cnn.evaluation.recorded_data import load_images, load_network
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.reports.reliability import draw_reliability


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn calibrate", description=__doc__, allow_abbrev=False)
    add_checkpoint_arguments(parser)
    parser.add_argument("--bins", type=int, default=BINS, help="confidence bins of equal width (default %(default)s)")
    parser.add_argument("--out", type=Path, help="reliability diagram to write, a PNG")
    options = parser.parse_args(arguments)
    if options.bins < 1:
        raise ValueError(f"--bins is {options.bins} but must be at least 1")
    trained = load_network(options.checkpoint, options.weights, options.trust)
    images = load_images(trained, options.data, "val")
    with progress("evaluating", len(images)) as advance:
        outcome = collect(trained, images, make_views("center", trained.preprocessing), advance=advance)
    result = calibrate(outcome.probabilities, outcome.labels, options.bins)
    if options.out:
        draw_reliability(result.panels(), options.out)
    if options.json:
        print(as_json(result.report()))
        return 0
    console(columns=None).print(calibration_table(result, options.checkpoint))
    if result.at_limit:
        say(
            f"the temperature stopped at {result.temperature:.2f}: no larger or smaller one is finite and best, as "
            "happens where every fitted image is classified correctly"
        )
    if options.out:
        say(options.out)
    return 0


def calibration_table(result: Calibration, checkpoint: str) -> Table:
    before, after = result.before, result.after
    rows = [
        ["accuracy", percent(before.accuracy), percent(after.accuracy)],
        ["mean confidence", percent(before.confidence), percent(after.confidence)],
        [f"ECE, {len(result.bins_before.counts)} bins", percent(before.ece), percent(after.ece)],
        ["negative log-likelihood", f"{before.log_loss:.4f}", f"{after.log_loss:.4f}"],
        ["Brier score", f"{before.brier:.4f}", f"{after.brier:.4f}"],
    ]
    return table(
        ["on the other half", "as trained", f"temperature {result.temperature:.3f}"],
        rows,
        title=checkpoint,
        caption=f"fitted on {result.fitted_on} validation images, measured on the {result.measured_on} others",
    )
