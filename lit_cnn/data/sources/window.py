"""Rectangles of a picture."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from lit_cnn.data.image_size import Sides


class Window(NamedTuple):
    """A rectangle of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def of_picture(self, picture: Image.Image) -> Image.Image:
        """Cut it out."""
        box = (self.left, self.top, self.left + self.width, self.top + self.height)
        return picture if box == (0, 0, *picture.size) else picture.crop(box)

    def of_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Cut it out of (H, W, C), as a view."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]

    def reduced(self, divisor: int, sides: Sides) -> "Window":
        """The same place, to a pixel, in the picture decoded at 1 / ``divisor`` to ``sides``."""
        if divisor == 1:
            return self
        top, left = round(self.top / divisor), round(self.left / divisor)
        height = min(round(self.height / divisor), sides[0] - top)
        return Window(top, left, height, min(round(self.width / divisor), sides[1] - left))


def whole(sides: Sides) -> Window:
    """The rectangle that leaves nothing out."""
    return Window(0, 0, *sides)
