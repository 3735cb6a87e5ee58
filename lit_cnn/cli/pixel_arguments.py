"""The arguments of commands that decode image files without a recipe or checkpoint that says how."""

import argparse
from typing import TYPE_CHECKING

from lit_cnn.data.sources.pillow_limits import MAX_PIXELS

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.data.settings import Background
    from lit_cnn.data.sources.decoding import PixelFormat


def add_limit_argument(parser: argparse.ArgumentParser) -> None:
    """``--max-pixels``."""
    parser.add_argument(
        "--max-pixels", type=int, default=MAX_PIXELS, metavar="N",
        help="pixels from which on a file is refused, since a small one could ask for all memory",
    )  # fmt: skip


def add_pixel_arguments(parser: argparse.ArgumentParser) -> None:
    """``--levels``, ``--background``, ``--color-profile`` and ``--max-pixels``: the recipe's keys as flags."""
    parser.add_argument(
        "--levels", type=float, nargs=2, metavar=("LOW", "HIGH"), help="the numbers that are black and white"
    )
    parser.add_argument(
        "--background", default="white", help="under transparent pixels: white, black, gray, R,G,B or null for none"
    )
    parser.add_argument(
        "--color-profile", choices=["convert", "ignore"], default="convert", help="what an embedded profile does"
    )
    add_limit_argument(parser)


def pixel_format_of(options: argparse.Namespace) -> "PixelFormat":
    """What ``add_pixel_arguments`` has read, for RGB.

    Raises:
        ValueError: If a value is impossible.
    """
    from lit_cnn.data.settings import background_color, checked_levels
    from lit_cnn.data.sources.decoding import PixelFormat

    levels = checked_levels(options.levels)
    return PixelFormat(
        3, levels, background_color(_background(options.background)), options.color_profile, options.max_pixels
    )


def _background(stated: str) -> "Background":
    from lit_cnn.data.settings import BACKGROUNDS

    if stated in BACKGROUNDS or stated == "null":
        return None if stated == "null" else stated  # type: ignore[return-value]
    try:
        red, green, blue = (int(level) for level in stated.split(","))
    except ValueError:
        raise ValueError(f"--background is {stated!r} but must be white, black, gray, R,G,B or null") from None
    return red, green, blue
