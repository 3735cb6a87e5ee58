"""Small images inside a page are small, whole and of the right colors."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.thumbnails import SIDE, data_uri, is_coarse, thumbnail


def opened(uri: str) -> Image.Image:
    kind, _, content = uri.partition(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize(
    ("shape", "small"),
    [
        ((3, 400, 200), (3, SIDE, SIDE // 2)),
        ((1, 200, 400), (3, SIDE // 2, SIDE)),
        ((4, 20, 30), (3, 20, 30)),
        ((3, 1, 5000), (3, 1, SIDE)),
    ],
)
def test_no_side_is_longer_and_the_shape_stays(shape: tuple[int, ...], small: tuple[int, ...]) -> None:
    assert thumbnail(np.zeros(shape, dtype=np.uint8)).shape == small


def test_few_pixels_are_kept_exactly() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 12), dtype=np.uint8)
    assert is_coarse(pixels)
    shown = np.asarray(opened(data_uri(pixels)).convert("RGB"))
    np.testing.assert_array_equal(shown, pixels.transpose(1, 2, 0))


def test_photographs_take_little_room() -> None:
    ramp = np.linspace(0, 255, 160 * 160).reshape(160, 160)
    pixels = np.stack([ramp, ramp.T, 255 - ramp]).astype(np.uint8)
    assert not is_coarse(pixels)
    uri = data_uri(pixels)
    assert len(uri) < 10_000
    shown = np.asarray(opened(uri).convert("RGB")).astype(int)
    assert np.abs(shown - pixels.transpose(1, 2, 0)).mean() < 8


def test_gray_is_shown_gray() -> None:
    shown = np.asarray(opened(data_uri(np.full((1, 8, 8), 130, dtype=np.uint8))).convert("RGB"))
    assert set(shown.ravel().tolist()) == {130}


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="1, 3 or 4 channels, got 2"):
        data_uri(np.zeros((2, 4, 4), dtype=np.uint8))
