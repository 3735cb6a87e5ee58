"""A window cuts the same rectangle from pixels and pictures."""

import numpy as np
from PIL import Image

from lit_cnn.data.sources.window import Window, whole

PIXELS = np.arange(12 * 20 * 3, dtype=np.uint8).reshape(12, 20, 3)


def test_pixels_and_pictures_are_cut_at_the_stated_place() -> None:
    window = Window(2, 5, 7, 11)
    assert np.array_equal(window.of_pixels(PIXELS), PIXELS[2:9, 5:16])
    assert np.array_equal(np.asarray(window.of_picture(Image.fromarray(PIXELS))), PIXELS[2:9, 5:16])


def test_the_whole_leaves_nothing_out() -> None:
    picture = Image.fromarray(PIXELS)
    assert whole((12, 20)).of_picture(picture) is picture
    assert whole((12, 20)).of_pixels(PIXELS).shape == PIXELS.shape


def test_a_reduced_window_stays_inside_the_smaller_picture() -> None:
    assert Window(2, 4, 8, 12).reduced(1, (12, 20)) == (2, 4, 8, 12)
    assert Window(2, 4, 8, 12).reduced(2, (6, 10)) == (1, 2, 4, 6)
    assert Window(3, 7, 9, 13).reduced(2, (6, 10)) == (2, 4, 4, 6)
