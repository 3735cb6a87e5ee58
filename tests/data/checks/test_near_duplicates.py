from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import TWINS, scene

from lit_cnn.data.checks import near_duplicates as module
from lit_cnn.data.checks.near_duplicates import near_duplicates, perceptual_hash, thumbnail_and_hash


def groups(images: Iterable[Image.Image]) -> list[list[int]]:
    thumbnails, hashes = zip(*map(thumbnail_and_hash, images), strict=True)
    return near_duplicates(np.stack(thumbnails), np.array(hashes))


@pytest.mark.parametrize("change", TWINS.values(), ids=TWINS)
def test_a_changed_copy_is_found_among_others(change: Callable[[Image.Image], Image.Image]) -> None:
    images = [scene(seed) for seed in range(30)]
    assert groups([*images, change(images[7]), change(images[21])]) == [[7, 30], [21, 31]]


def test_other_pictures_are_no_twins() -> None:
    assert groups(scene(seed) for seed in range(400)) == []


def test_several_copies_are_one_group() -> None:
    image = scene(3)
    assert groups([image, scene(4), *(change(image) for change in TWINS.values())]) == [[0, *range(2, 2 + len(TWINS))]]


def test_the_same_shapes_in_other_colors_are_no_twins() -> None:
    swapped = Image.fromarray(np.asarray(scene(5))[..., ::-1].copy())
    assert groups([scene(5), swapped]) == []


@pytest.mark.parametrize("level", [0, 90])
def test_pictures_without_shapes_are_not_compared(level: int) -> None:
    noise = np.random.default_rng(0).integers(0, 3, (9, 40, 40, 3))
    assert groups(Image.fromarray((level + part).astype(np.uint8)) for part in noise) == []


def test_a_hash_is_of_shapes_and_not_of_brightness_and_contrast() -> None:
    gray = np.asarray(scene(1).convert("L").resize((32, 32)), dtype=np.float32)
    assert perceptual_hash(gray) == perceptual_hash(0.5 * gray + 30)
    assert int(perceptual_hash(gray)).bit_count() == 31
    assert int(perceptual_hash(gray) ^ perceptual_hash(255 - gray)).bit_count() > 50


def test_candidates_are_the_pairs_with_few_different_bits() -> None:
    """Against all pairs of 300 hashes and their copies with up to 11 flipped bits."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 300, dtype=np.uint64)
    copies = hashes.copy()
    for row in range(300):
        for bit in rng.choice(63, row % 12, replace=False):
            copies[row] ^= np.uint64(1 << int(bit))
    every = np.concatenate([hashes, copies])
    found = [
        tuple(sorted(pair)) for a, b in module._candidates(every) for pair in zip(a.tolist(), b.tolist(), strict=True)
    ]
    expected = {(i, j) for i in range(600) for j in range(i + 1, 600) if int(every[i] ^ every[j]).bit_count() < 12}
    assert expected >= {(row, row + 300) for row in range(300)}
    assert set(found) >= expected
    assert len(found) == len(set(found))


@pytest.mark.slow
def test_thousands_of_equal_hashes_stay_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    same_shapes = module._same_shapes

    def count(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        nonlocal compared
        compared += len(a)
        return same_shapes(a, b)

    monkeypatch.setattr(module, "_same_shapes", count)
    thumbnail, value = thumbnail_and_hash(scene(0))
    rows = 2000
    (group,) = near_duplicates(np.repeat(thumbnail[None], rows, 0), np.full(rows, value))
    assert len(group) == rows
    assert compared <= 40 * rows


def test_there_may_be_no_image() -> None:
    assert near_duplicates(np.zeros((0, 16, 16, 3), dtype=np.uint8), np.zeros(0, dtype=np.uint64)) == []


@pytest.mark.usefixtures("real_data")
def test_photographs_are_told_apart_and_their_copies_found() -> None:
    import os

    files = sorted((Path(os.environ["LIT_CNN_DATA"]) / "flowers" / "val").rglob("*.jpg"))
    images = [Image.open(file).convert("RGB") for file in files[:40]]
    change = TWINS["half, brighter JPEG"]
    assert groups([*images, *map(change, images)]) == [[row, row + 40] for row in range(40)]
