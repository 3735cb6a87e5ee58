"""Images before preprocessing, from memory and from files."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from colors import color_network, labelled, noise, preprocessing, whole
from PIL import Image
from torch import Tensor

from lit_cnn.data.module import ImageData
from lit_cnn.data.settings import OnError
from lit_cnn.data.sources import decoding
from lit_cnn.evaluation.corruptions import CorruptedViews
from lit_cnn.evaluation.images import EvaluationImages, evaluation_images
from lit_cnn.evaluation.logits import collect
from lit_cnn.evaluation.robustness import corruption_scores
from lit_cnn.evaluation.test_time_augmentation import make_views

SIZES = {"cat": [(9, 7), (8, 12)], "dog": [(8, 8), (20, 10), (6, 9)]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in ("train", "val"):
        for name, sizes in SIZES.items():
            (tmp_path / split / name).mkdir(parents=True)
            for number, (width, height) in enumerate(sizes):
                pixels = np.full((height, width, 3), 10 * number + len(name), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / name / f"{number}.png")
    return tmp_path


def seen(images: EvaluationImages) -> list[tuple[int, torch.Size]]:
    """Row and size of every image that a ``Prepare`` gets."""
    parts = [part for chunk in images.prepared(whole) for part in chunk]
    return [(row, part.views[0].shape[-2:]) for part in parts for row in part.rows.tolist()]


@pytest.mark.parametrize("workers", [0, 1])
def test_files_come_once_in_order_with_their_own_size(folder: Path, workers: int) -> None:
    data = ImageData("imagefolder", str(folder), image_size=8, workers=workers)
    images = evaluation_images(data, "val")
    assert (len(images), images.pixel_format.channels, images.workers) == (5, 3, workers)
    assert images.labels.tolist() == [0, 0, 1, 1, 1]
    if workers == 0:
        expected = [(height, width) for sizes in SIZES.values() for width, height in sizes]
        assert seen(images) == [(row, torch.Size(size)) for row, size in enumerate(expected)]
    assert int(images.image(3)[0, 0, 0]) == 13


def test_arrays_come_once_in_order() -> None:
    images = labelled(noise(300, 2, 2))
    assert [row for row, _ in seen(images)] == list(range(300))
    assert len(list(images.prepared(whole))) == 2
    assert torch.equal(images.image(7), noise(300, 2, 2)[7])


def test_arrays_of_many_views_come_in_small_chunks() -> None:
    def many(images: Tensor, _: Tensor) -> list[Tensor]:
        return [images[:, None].expand(-1, 40_000, -1, -1, -1)]  # 7.68 MB of each image, which are not made

    sizes = [sum(len(part.rows) for part in chunk) for chunk in labelled(noise(20)).prepared(many)]
    assert sizes == [8, 8, 4]


def test_a_sample_is_always_the_same() -> None:
    images = labelled(noise(300, 2, 2))
    rows = [int(part.int().sum()) for part in (images.image(row) for row in range(300))]
    drawn = [int(images.sample(50).image(row).int().sum()) for row in range(50)]
    assert drawn == [int(images.sample(50).image(row).int().sum()) for row in range(50)]
    assert len(set(drawn) - set(rows)) == 0
    assert drawn != rows[:50]
    assert len(images.sample(1000)) == 300


def test_a_missing_test_split_is_named(folder: Path) -> None:
    with pytest.raises(ValueError, match="has no test split; use the validation split instead"):
        evaluation_images(ImageData("imagefolder", str(folder), image_size=8), "test")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_broken_files_are_left_out_and_counted_where_the_recipe_skips_them(folder: Path, workers: int) -> None:
    (folder / "val" / "cat" / "1.png").write_bytes(b"no image")
    (folder / "val" / "dog" / "0.png").write_bytes(b"no image")
    options = {"path": str(folder), "image_size": 8, "workers": workers}
    images = evaluation_images(ImageData("imagefolder", on_error="skip", **options), "val")
    words = r"skipped 2 of 5 images of .*, the first: the image .*cat/1\.png cannot be decoded"
    with pytest.warns(UserWarning, match=words):
        parts = [part for chunk in images.prepared(whole) for part in chunk]
    assert [int(part.rows) for part in parts] == [0, 3, 4]
    assert [part.views[0].shape[-2:] for part in parts] == [(7, 9), (10, 20), (9, 6)]
    with pytest.raises(ValueError, match=r"cat/1\.png cannot be decoded"):
        list(evaluation_images(ImageData("imagefolder", **options), "val").prepared(whole))


@pytest.mark.filterwarnings("error")
def test_sound_files_are_not_complained_about(folder: Path) -> None:
    data = ImageData("imagefolder", str(folder), image_size=8, workers=0, on_error="skip")
    images = evaluation_images(data, "val")
    assert len(seen(images)) == 5
    for path in (folder / "val").rglob("*.png"):
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"none of the 5 images of .* can be evaluated: the image"):
        seen(images)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_every_file_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch, on_error: OnError) -> None:
    opened: list[str] = []
    original = decoding.open_image

    def noted(content: bytes, limit: int | None) -> Image.Image:
        opened.append(hashlib.sha256(content).hexdigest())
        return original(content, limit)

    monkeypatch.setattr(decoding, "open_image", noted)
    seen(evaluation_images(ImageData("imagefolder", str(folder), image_size=8, workers=0, on_error=on_error), "val"))
    stored = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "val").rglob("*.png")]
    assert sorted(opened) == sorted(stored)


def test_workers_are_those_of_the_recipe_or_the_default_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lit_cnn.evaluation.images.available_cores", lambda: 3)
    options = {"path": str(folder), "image_size": 8}
    assert evaluation_images(ImageData("imagefolder", workers=1, **options), "val").workers == 1
    assert evaluation_images(ImageData("imagefolder", **options), "val").workers == 3
    assert evaluation_images(ImageData("digits"), "val").workers == 0


@pytest.mark.filterwarnings("ignore:skipped 1 of 5")
def test_figures_are_those_of_the_files_that_can_be_read(folder: Path) -> None:
    """A broken file in the middle changes neither the others' probabilities nor what is divided by."""
    options = {"path": str(folder), "image_size": 8, "workers": 0, "on_error": "skip"}
    images, trained = evaluation_images(ImageData("imagefolder", **options), "val"), color_network()
    views = CorruptedViews(preprocessing(), ("contrast",), (1,))
    sound, clean = collect(trained, images, make_views("center", preprocessing())), [0, 2, 3, 4]
    (folder / "val" / "cat" / "1.png").write_bytes(b"no image")
    outcome = collect(trained, images, make_views("center", preprocessing()))
    assert torch.equal(outcome.probabilities, sound.probabilities[clean])
    assert outcome.labels.tolist() == [0, 1, 1, 1]
    expected = (sound.probabilities.argmax(1) == sound.labels)[clean].double().mean()
    assert corruption_scores(trained, images, views).clean == float(expected)
