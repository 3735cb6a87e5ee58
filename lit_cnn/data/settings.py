"""How the settings of a recipe's ``data`` section refuse a wrong value, and those that are not augmentation: an
augmentation's stand with its technique in ``augmentation/``. The docstrings are the text of ``--help``."""

from dataclasses import dataclass
from typing import Literal, get_args

from lit_cnn.data.image_size import ImageSize, Sides, sides_of

Interpolation = Literal["bilinear", "bicubic", "nearest"]
ResizeMode = Literal["shorter_side", "squash"]
Decode = Literal["full", "reduced"]
OnError = Literal["stop", "skip"]


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Refuse a value of the recipe in one sentence."""
    if not condition:
        raise ValueError(f"data.{name} is {value!r} but must be {expected}")


def require_probability(name: str, value: float) -> None:
    """Refuse what is not a probability."""
    require(0.0 <= value <= 1.0, name, value, "a probability between 0 and 1")


def require_range(name: str, value: tuple[float, float], upper: float) -> None:
    """Refuse what is not an ordered pair of positive numbers up to ``upper``."""
    valid = len(value) == 2 and 0.0 < value[0] <= value[1] <= upper
    limit = f", at most {upper:g}" if upper < float("inf") else ""
    require(valid, name, tuple(value), f"two positive numbers, the smaller first{limit}")


@dataclass(frozen=True)
class Normalize:
    """Statistics that normalize pixels in [0, 1]: (pixel - mean) / std per channel.

    Args:
        mean: one number from 0 to 1 per channel; null takes the source's (CIFAR's, ImageNet's for folders of color
            images, measured on the training images otherwise).
        std: one positive number up to 1 per channel; null takes the source's.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        require(
            (self.mean is None) == (self.std is None), "normalize.std", self.std, "set together with normalize.mean"
        )
        if self.mean is not None and self.std is not None:
            require(len(self.mean) == len(self.std), "normalize.std", self.std, "as long as normalize.mean")
            units = "for pixels in [0, 1]; divide numbers made for levels up to 255 by 255"
            means = all(0 <= value <= 1 for value in self.mean)
            require(means, "normalize.mean", self.mean, f"from 0 to 1 in every channel, {units}")
            stds = all(0 < value <= 1 for value in self.std)
            require(stds, "normalize.std", self.std, f"positive and at most 1 in every channel, {units}")

    def require_channels(self, channels: int, origin: str) -> None:
        """Raise a ValueError unless there is one number for each channel."""
        if self.mean is not None and len(self.mean) != channels:
            raise ValueError(
                f"data.normalize.mean has {len(self.mean)} numbers, but the images of {origin} have {channels} "
                "channels; state one number per channel"
            )


def require_image_size(name: str, value: ImageSize) -> None:
    """Refuse what is neither a positive side nor two of them."""
    valid = isinstance(value, int) or len(value) == 2
    require(
        valid and min(sides_of(value)) > 0,
        name,
        value,
        "at least 1: the side of a square in pixels, or [height, width]",
    )


@dataclass(frozen=True)
class Evaluation:
    """What the network sees in validation, test and prediction: resized, center cropped.

    Args:
        crop_ratio: side of the crop / side after resizing; 1.0 for small images such as CIFAR's.
        interpolation: filter used when resizing.
        image_size: size of the crop in pixels, like data.image_size, which null takes.
        resize: length in pixels that the shorter side is resized to before the crop, at least that of the crop; null
            takes round(shorter side of the crop / crop_ratio). Where the crop is not square, an image is resized until
            it just covers a box of the crop's aspect ratio whose shorter side has this length.
        resize_mode: shorter_side keeps the image's aspect ratio; squash resizes it to the box (for a square crop, both
            sides to this length) without keeping it.
    """

    crop_ratio: float = 0.875
    interpolation: Interpolation = "bilinear"
    image_size: ImageSize | None = None
    resize: int | None = None
    resize_mode: ResizeMode = "shorter_side"

    def __post_init__(self) -> None:
        require(0.0 < self.crop_ratio <= 1.0, "evaluation.crop_ratio", self.crop_ratio, "above 0 and at most 1")
        if self.image_size is not None:
            require_image_size("evaluation.image_size", self.image_size)
        require(
            self.resize_mode in get_args(ResizeMode),
            "evaluation.resize_mode",
            self.resize_mode,
            "shorter_side or squash",
        )

    def resized_side(self, size: Sides) -> int:
        """Length in pixels of the shorter side before the crop of ``size``.

        Raises:
            ValueError: if the crop would not fit.
        """
        if self.resize is None:
            return round(min(size) / self.crop_ratio)
        expected = f"null or at least {min(size)}, the shorter side of the crop"
        require(self.resize >= min(size), "evaluation.resize", self.resize, expected)
        return self.resize
