"""``--image-size PX…`` of the commands that take names of networks."""

import argparse
from collections.abc import Sequence

FLAG = "--image-size"


def add_image_sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        FLAG, type=int, nargs="+", metavar="PX", default=[], help="one or several (default: each network's own)"
    )


def sizes_last(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``--image-size 128 160`` behind all others, so that names may stand after the numbers.

    >>> sizes_last(["--image-size", "128", "160", "resnet18"])
    ['resnet18', '--image-size', '128', '160']
    """
    if FLAG not in arguments:
        return list(arguments)
    start = list(arguments).index(FLAG)
    end = start + 1
    while end < len(arguments) and arguments[end].lstrip("-").isdigit():
        end += 1
    return [*arguments[:start], *arguments[end:], *arguments[start:end]]


def check_sizes(sizes: Sequence[int], flag: str = FLAG) -> None:
    """Refuse what is not a size.

    Args:
        sizes: Sides in pixels.
        flag: By which they are given.

    Raises:
        ValueError: If one is below 1 px.
    """
    for size in sizes:
        if size < 1:
            raise ValueError(f"{flag} must be at least 1, got {size}")
