"""The typed fields ``cutout`` and ``random_erasing`` of a recipe's ``data`` section."""

from dataclasses import dataclass

from lit_cnn.data.settings import require, require_probability, require_range


@dataclass
class Cutout:
    """Cutout (DeVries & Taylor 2017): a square of the data set's mean colour, its centre uniform over the image.

    Args:
        size: side of the square in pixels, parts of which may leave the image; 0 is off.
        probability: share of the images that get a square.
    """

    size: int = 0
    probability: float = 1.0

    def __post_init__(self) -> None:
        require(self.size >= 0, "cutout.size", self.size, "0 (off) or a positive number of pixels")
        require_probability("cutout.probability", self.probability)


@dataclass
class RandomErasing:
    """Random erasing (Zhong et al. 2017): a rectangle inside the image takes the data set's mean colour.

    Args:
        probability: share of the images that lose a rectangle; 0 is off.
        scale: smallest and largest share of the image's area.
        ratio: smallest and largest height / width.
    """

    probability: float = 0.0
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)

    def __post_init__(self) -> None:
        require_probability("random_erasing.probability", self.probability)
        require_range("random_erasing.scale", self.scale, 1.0)
        require_range("random_erasing.ratio", self.ratio, float("inf"))
