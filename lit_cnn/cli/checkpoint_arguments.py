"""The arguments that the commands with a checkpoint share."""

import argparse
from pathlib import Path

from lit_cnn.cli.console import say
from lit_cnn.cli.outputs import add_output
from lit_cnn.evaluation.record_file import ENDINGS
from lit_cnn.run_folder.checkpoint import BEST
from lit_cnn.run_folder.folder import find_checkpoint


def add_checkpoint_arguments(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """The checkpoint (or several), ``--data``, ``--skip-broken``, ``--weights`` and ``--json``."""
    if several:
        parser.add_argument(
            "checkpoints", nargs="+", metavar="checkpoint", help="checkpoints, run folders, or timm:NAME"
        )
    else:
        parser.add_argument(
            "checkpoint",
            help="a checkpoint of lit-cnn fit, a run folder, or published weights: timm:NAME.TAG, torchvision:NAME.TAG",
        )
    parser.add_argument(
        "--data", metavar="PATH",
        help="other images of the checkpoint's classes; without split folders all of them are evaluated",
    )  # fmt: skip
    parser.add_argument("--skip-broken", action="store_true", help="leave out and count files that cannot be read")
    add_network_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """``--weights`` and ``--trust``."""
    parser.add_argument("--weights", choices=["ema", "raw"], default="ema", help="averaged weights where they exist")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="CLASS_PATH",
        help="a network outside the catalog whose code may be run; may be repeated",
    )  # fmt: skip


def add_split_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--split", choices=["val", "test"], default="val", help="images to evaluate on")


def add_temperature_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--temperature", default="1", metavar="T",
        help="divide the logits by T, or by that of a file of lit-cnn calibrate --out calibration.json",
    )  # fmt: skip


def add_predictions_argument(parser: argparse.ArgumentParser) -> None:
    add_output(
        parser, "--predictions",
        f"write label, prediction, its probability and the rank of the label for each image ({', '.join(ENDINGS)})",
    )  # fmt: skip


def chosen_checkpoint(path: str) -> str:
    """The file that is meant (see ``checkpoint_of`` and ``find_checkpoint``); on stderr, where it is not the best of a
    run folder, and what was imported."""
    from lit_cnn.pretrained.importing import checkpoint_of  # --help starts faster without torch

    path = str(checkpoint_of(path, lambda text: say(text, stderr=True)))
    found = str(find_checkpoint(path))
    if found != path and Path(found).name != BEST:
        say(f"{path} has no {BEST}: this is its {Path(found).name}", stderr=True)
    return found
