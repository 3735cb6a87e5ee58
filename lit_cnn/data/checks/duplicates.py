"""The same or nearly the same image twice: in two splits it flatters the accuracy, with two labels one is wrong."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from lit_cnn.data.checks.appearance import places
from lit_cnn.data.checks.finding import NAMED, Finding, capped
from lit_cnn.data.checks.inspection import CheckedImage
from lit_cnn.data.checks.near_duplicates import near_duplicates
from lit_cnn.data.sources.wording import counted, few

Group = list[CheckedImage]


def check_duplicates(images: Sequence[CheckedImage]) -> Iterator[Finding]:
    """Findings about images of equal pixels, and about others that show the same."""
    by_pixels: dict[bytes, Group] = defaultdict(list)
    for image in images:
        if image.look is not None:
            by_pixels[image.look.digest].append(image)
    yield from _check_equal([group for group in by_pixels.values() if len(group) > 1])
    yield from _check_near(_near([group[0] for group in by_pixels.values()]))


def _check_equal(groups: list[Group]) -> Iterator[Finding]:
    labels, splits, twice = [], [], []
    for group in groups:
        if len(_classes(group)) > 1:
            labels.append(f"one image has {len(_classes(group))} labels ({few(_classes(group))}): {places(group)}")
        elif len(_splits(group)) > 1:
            splits.append(f"the same image is in two splits, so that the accuracy is flattered: {places(group)}")
        else:
            twice.append(f"the same image is twice in {group[0].split}: {places(group)}")
    yield from capped("error", labels, "images with two labels")
    yield from capped("error", splits, "images in two splits")
    yield from capped("warning", twice, "images that are twice in a split")


def _near(images: list[CheckedImage]) -> list[Group]:
    if not images:
        return []
    looks = [image.look for image in images if image.look is not None]
    thumbnails = np.stack([look.thumbnail for look in looks])
    hashes = np.array([look.perceptual_hash for look in looks], dtype=np.uint64)
    return [[images[row] for row in rows] for rows in near_duplicates(thumbnails, hashes)]


def _check_near(groups: list[Group]) -> Iterator[Finding]:
    across, labels, within = [], [], []
    for group in groups:
        classes = f" as {few(_classes(group))}" if len(_classes(group)) > 1 else ""
        if len(_splits(group)) > 1:
            across.append(
                f"nearly the same image is in {' and '.join(_splits(group))}{classes}, so that the accuracy may be "
                f"flattered: {places(group)}"
            )
        elif classes:
            labels.append(
                f"nearly the same image has {len(_classes(group))} labels ({few(_classes(group))}): {places(group)}"
            )
        else:
            within.append(group)
    yield from capped("warning", across, "images that are nearly the same in two splits")
    yield from capped("warning", labels, "images that are nearly the same with two labels")
    for split in dict.fromkeys(group[0].split for group in within):
        alike = [group for group in within if group[0].split == split]
        number = sum(map(len, alike))
        named = "; ".join(places(group, 2) for group in alike[: NAMED // 2])
        yield Finding(
            "fact", f"{split}: {counted(number, 'image')} nearly the same as another of their class, such as {named}"
        )


def _classes(group: Group) -> list[str]:
    return list(dict.fromkeys(image.class_name for image in group))


def _splits(group: Group) -> list[str]:
    return list(dict.fromkeys(image.split for image in group))
