"""The arguments that the commands with a checkpoint share."""

import argparse


def add_checkpoint_arguments(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """The checkpoint (or several), ``--data``, ``--weights`` and ``--json``."""
    if several:
        parser.add_argument("checkpoints", nargs="+", metavar="checkpoint", help="checkpoints of lit-cnn fit")
    else:
        parser.add_argument("checkpoint", help="a checkpoint of lit-cnn fit")
    parser.add_argument("--data", help="data path instead of the recorded one")
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
