"""What happens to an image before it meets a detector, as a checkpoint records it."""

from dataclasses import dataclass
from typing import Any

from lit_cnn.data.image_size import Sides
from lit_cnn.data.sources.bit_depth import Levels
from lit_cnn.data.sources.decoding import ColorProfile, PixelFormat
from lit_cnn.data.sources.transparency import Color
from lit_cnn.data.stored_fields import from_stored, to_stored
from lit_cnn.detection.canvas import Canvas


@dataclass(frozen=True)
class CanvasPreprocessing:
    """An image is decoded to RGB, fitted into the canvas, and normalized to (pixel / 255 - mean) / std.

    Args:
        canvas: height and width in pixels.
        mean: one number per channel, for pixels in [0, 1].
        std: one number per channel, for pixels in [0, 1].
        fill: level of each channel where the canvas has no image.
        levels: numbers of a file that become black and white (see ``PixelFormat``).
        background: color under transparent pixels; None shows the colors hidden in them.
        color_profile: convert colors to sRGB by the embedded profile, or ignore it.
    """

    canvas: Sides
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fill: Color
    levels: Levels = None
    background: Color | None = (255, 255, 255)
    color_profile: ColorProfile = "convert"

    @property
    def frame(self) -> Canvas:
        """The canvas that fits images into itself."""
        return Canvas(*self.canvas, self.fill)

    @property
    def pixel_format(self) -> PixelFormat:
        """What the pixels of a file become."""
        return PixelFormat(3, self.levels, self.background, self.color_profile)

    def as_dict(self) -> dict[str, Any]:
        """Built-in types only (lists instead of tuples), ready for a checkpoint or JSON."""
        return to_stored(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "CanvasPreprocessing":
        """Undo ``as_dict``.

        Raises:
            ValueError: if a key without a default is missing, or a key is unknown.
        """
        return from_stored(cls, values, "the stored preprocessing of a detector")
