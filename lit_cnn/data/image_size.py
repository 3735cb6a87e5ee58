"""Sizes of images: a square by one number, or height and width."""

import warnings

ImageSize = int | tuple[int, int]
"""What a recipe states: the side of a square, or [height, width], in pixels."""
Sides = tuple[int, int]
"""Height and width in pixels."""

EXTREME_ASPECT = 50
"""Longer side / shorter side beyond which an image is likely no photograph, but a line or a damaged file."""


def sides_of(size: ImageSize) -> Sides:
    """(height, width) of what a recipe states."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def as_stated(size: Sides) -> ImageSize:
    """Undo ``sides_of``: one number for a square."""
    return size[0] if size[0] == size[1] else size


def in_words(size: Sides) -> str:
    """Width x height, as programs that show images write it: 640x480."""
    return f"{size[1]}x{size[0]}"


def label(size: ImageSize) -> str:
    """One number for a square, else ``in_words``: for tables."""
    height, width = sides_of(size)
    return str(height) if height == width else in_words((height, width))


def with_shorter_side(size: Sides, shorter: int) -> Sides:
    """The size of the same aspect ratio whose shorter side has ``shorter`` pixels."""
    least = min(size)
    return round(size[0] * shorter / least), round(size[1] * shorter / least)


def covering(image: Sides, box: Sides) -> Sides:
    """The smallest size of the image's aspect ratio that covers ``box``: one side is the box's, the other no shorter.

    The longer side is truncated as torchvision does, so that for a square box this is its resize of the shorter side.
    """
    (height, width), (high, wide) = image, box
    if high * width >= wide * height:
        return high, int(high * width / height)
    return int(wide * height / width), wide


def center(image: Sides, part: Sides) -> tuple[int, int]:
    """Top and left of the central part, rounded as torchvision does."""
    return round((image[0] - part[0]) / 2), round((image[1] - part[1]) / 2)


def extreme_aspect(width: int, height: int) -> bool:
    """Whether an image is more than ``EXTREME_ASPECT`` times as long as it is wide, or as wide as it is long."""
    return max(width, height) > EXTREME_ASPECT * min(width, height)


_named: list[str] = []
"""The first file of an extreme aspect ratio that this process has read."""


def name_extreme_aspect(width: int, height: int, name: str) -> None:
    """Warn of a file whose aspect ratio is extreme: of the first alone in each process, since a set may hold many."""
    if extreme_aspect(width, height) and not _named:
        _named.append(name)
        warnings.warn(
            f"the image {name} has {width}x{height} pixels, one side over {EXTREME_ASPECT} times the other, so the "
            "network sees little of it; remove or cut it if it is unintended (others like it are not named here)",
            stacklevel=3,
        )
