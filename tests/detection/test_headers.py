"""Sizes from the first bytes of a file are those of the decoded image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.data.sources.decoding import BrokenImage
from lit_cnn.data.sources.folders import load_image
from lit_cnn.detection.headers import image_size, image_sizes


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp"])
@pytest.mark.parametrize("side", [20, 300])
def test_the_size_is_that_of_the_decoded_image(tmp_path: Path, ending: str, side: int) -> None:
    file = str(tmp_path / f"a.{ending}")
    noise = np.random.default_rng(0).integers(0, 256, (side, side + 7, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file)
    assert image_size(file) == load_image(file).size == (side + 7, side)


def test_an_image_that_is_shown_turned_has_the_size_that_it_is_shown_in(tmp_path: Path) -> None:
    file = str(tmp_path / "a.jpg")
    picture, exif = Image.new("RGB", (30, 20)), Image.Exif()
    exif[0x0112] = 6
    picture.save(file, exif=exif)
    assert image_size(file) == load_image(file).size == (20, 30)


def test_what_is_wrong_with_a_file_is_said_in_its_place(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    sizes = list(image_sizes(str(tmp_path / name) for name in ("a.png", "b.png", "c.png", "a.png")))
    assert sizes[0] == sizes[3] == (3, 2)
    assert isinstance(sizes[1], BrokenImage)
    assert isinstance(sizes[2], FileNotFoundError)
