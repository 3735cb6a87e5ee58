"""Images that cannot be read, or that look like accidents: of one color, transparent, thin, tiny, huge, misnamed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lit_cnn.data.checks.finding import NAMED, Finding, Kind, capped
from lit_cnn.data.checks.inspection import DIM, CheckedImage, Look
from lit_cnn.data.image_size import EXTREME_ASPECT, extreme_aspect
from lit_cnn.data.levels import unused_range
from lit_cnn.data.sources.wording import counted, few

TINY = 8
"""Shorter side in pixels below which an image is tiny."""
HUGE = 100_000_000
"""Pixels above which an image is huge."""


@dataclass(frozen=True)
class _Oddity:
    """What makes an image worth a look.

    Args:
        kind: Of the finding.
        one: What follows "1 image".
        several: What follows "3 images".
        holds: Whether an image has it.
    """

    kind: Kind
    one: str
    several: str
    holds: Callable[[Look], bool]


ODDITIES = (
    _Oddity(
        "warning",
        "is black throughout",
        "are black throughout",
        lambda look: look.color is not None and max(look.color) == 0,
    ),
    _Oddity(
        "warning",
        "is of one color throughout",
        "are of one color throughout",
        lambda look: look.color is not None and max(look.color) > 0,
    ),
    _Oddity(
        "warning",
        "has transparent pixels, which become those of data.background",
        "have transparent pixels, which become those of data.background",
        lambda look: look.transparent,
    ),
    _Oddity(
        "warning",
        f"is over {EXTREME_ASPECT} times as long as wide",
        f"are over {EXTREME_ASPECT} times as long as wide",
        lambda look: extreme_aspect(look.width, look.height),
    ),
    _Oddity(
        "warning",
        f"has a side below {TINY} px",
        f"have a side below {TINY} px",
        lambda look: min(look.width, look.height) < TINY,
    ),
    _Oddity(
        "warning",
        f"has over {HUGE // 10**6} million pixels",
        f"have over {HUGE // 10**6} million pixels",
        lambda look: look.width * look.height > HUGE,
    ),
    _Oddity(
        "fact", "has the ending of another format", "have the ending of another format", lambda look: look.misnamed
    ),
)


def check_appearance(images: Sequence[CheckedImage]) -> Iterator[Finding]:
    """Findings about single images."""
    problems = [image for image in images if image.problem is not None]
    texts = [
        str(image.problem) if image.place in str(image.problem) else f"{image.place}: {image.problem}"
        for image in problems
    ]
    yield from capped("error", texts, "images that cannot be decoded")
    for oddity in ODDITIES:
        found = [image for image in images if image.look is not None and oddity.holds(image.look)]
        if found:
            what = oddity.one if len(found) == 1 else oddity.several
            yield Finding(oddity.kind, f"{counted(len(found), 'image')} {what}: {places(found)}")


def check_sizes(split: str, images: Sequence[CheckedImage]) -> Iterator[Finding]:
    """How many images a split has, of which sizes and channels."""
    looks = [image.look for image in images if image.look is not None]
    sides = [side for look in looks for side in (look.width, look.height)]
    if sides:
        yield Finding("fact", f"{split}: {counted(len(images), 'image')}, sides from {min(sides)} to {max(sides)} px")
    gray = sum(look.gray for look in looks)
    if 0 < gray < len(looks):
        yield Finding("fact", f"{split}: {counted(gray, 'image')} gray, {len(looks) - gray:,} in color")


def check_levels(split: str, images: Sequence[CheckedImage], stated: bool, arrays: bool = False) -> Iterator[Finding]:
    """Whether all images of a split are nearly black, since they use the lower quarter of their levels alone.

    Args:
        split: Its name.
        images: What it holds.
        stated: Whether the user has said which numbers are black and white.
        arrays: Whether they are arrays, which are normalized by their own statistics and have no ``data.levels``.
    """
    looks = [image.look for image in images if image.look is not None]
    if stated or not looks:
        return
    deep = unused_range([look.deep for look in looks if look.deep is not None], split)
    brightest = max(look.brightest for look in looks)
    if deep is not None:
        yield Finding("warning", deep)
    elif brightest < DIM and arrays:
        yield Finding("fact", f"the images of {split} use levels up to {brightest} of 255")
    elif brightest < DIM:
        yield Finding(
            "warning",
            f"the images of {split} use levels up to {brightest} of 255 and are nearly black: set data.levels to "
            f"[0, {max(brightest, 1)}]",
        )


def places(images: Sequence[CheckedImage], limit: int = NAMED) -> str:
    """Where the first images are, and how many more there are."""
    return few([image.place for image in images], limit)
