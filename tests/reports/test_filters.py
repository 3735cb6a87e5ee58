"""Filters as pictures: one scale for all, 0 in the middle."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.reports.filters import draw_filters, filter_tiles, filters_figure


def test_filters_of_three_channels_are_colors_on_one_scale() -> None:
    weights = np.zeros((2, 3, 2, 2))
    weights[0, :, 0, 1] = 2.0, -2.0, 0.0
    weights[1, 2, 1, 0] = 1.0
    tiles = filter_tiles(weights)
    assert tiles.shape == (2, 2, 2, 3)
    assert tiles[0, 0, 1].tolist() == [255, 0, 128]
    assert tiles[1, 1, 0].tolist() == [128, 128, 191]
    assert tiles[1, 0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("channels", [1, 4])
def test_other_filters_are_gray_one_tile_for_each_channel(channels: int) -> None:
    weights = np.arange(2 * channels * 4, dtype=float).reshape(2, channels, 2, 2)
    tiles = filter_tiles(weights)
    assert tiles.shape == (2 * channels, 2, 2, 3)
    assert (tiles[..., :1] == tiles).all()
    assert tiles[-1, 1, 1, 0] == 255


def test_filters_of_zeros_are_middle_gray() -> None:
    assert set(filter_tiles(np.zeros((1, 3, 2, 2))).flatten().tolist()) == {128}


@pytest.mark.slow
def test_every_filter_is_drawn_with_the_scale(tmp_path: Path) -> None:
    figure = filters_figure(np.eye(3).reshape(3, 3, 1, 1).repeat(4, axis=0) * 0.5, "conv1")
    assert len(figure.axes) == 12
    assert [text.get_text() for text in figure.texts] == [
        "conv1",
        "one scale: middle gray is 0, white and black are +/-0.5",
    ]
    with Image.open(draw_filters(np.ones((1, 3, 2, 2)), tmp_path / "f.png", title="conv1")) as picture:
        assert min(picture.size) > 50


def test_what_is_not_filters_is_refused() -> None:
    with pytest.raises(ValueError, match=r"have the shape \(F, C, k, k\), got \(3, 3\)"):
        filters_figure(np.ones((3, 3)), "x")
