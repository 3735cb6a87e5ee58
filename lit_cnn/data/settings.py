"""The typed fields of a recipe's ``data`` section; each default is the switched-off state.

The fields apply in a fixed order: crop, flip, color_jitter, shear, auto_augment, rand_augment, cutout, random_erasing
(``erasing_settings.py``) on every image, then mixup or cutmix (``mixing_settings.py``) on the batch; under mixing.first
the batch is mixed between flip and color_jitter. The docstrings are the text of ``--help``.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Interpolation = Literal["bilinear", "bicubic", "nearest"]
Decode = Literal["full", "reduced"]
AutoAugmentPolicy = Literal[
    "none", "imagenet", "imagenet_v0", "cifar10", "svhn", "fast_cifar10", "fast_imagenet", "trivial"
]


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Refuse a value of the recipe in one sentence."""
    if not condition:
        raise ValueError(f"data.{name} is {value!r} but must be {expected}.")


def require_probability(name: str, value: float) -> None:
    """Refuse what is no probability."""
    require(0.0 <= value <= 1.0, name, value, "a probability between 0 and 1")


def require_range(name: str, value: tuple[float, float], upper: float) -> None:
    """Refuse what is no ordered pair of positive numbers up to ``upper``."""
    valid = len(value) == 2 and 0.0 < value[0] <= value[1] <= upper
    limit = f", at most {upper:g}" if upper < float("inf") else ""
    require(valid, name, tuple(value), f"two positive numbers, the smaller first{limit}")


@dataclass
class Crop:
    """How a training image becomes image_size x image_size pixels.

    Args:
        kind: random_resized takes a random part of random area and aspect ratio and resizes it (Inception crop); pad
            brings the shorter side to image_size, pads with black and crops at random (CIFAR); shorter_side brings the
            shorter side to a random length and crops at random (VGG 256 to 512, ResNet 256 to 480); resize brings the
            shorter side to image_size and crops the centre; none requires images that have this size already.
        scale: smallest and largest share of the image's area, of random_resized.
        ratio: smallest and largest width / height, of random_resized.
        padding: pixels added on each side, of pad.
        shorter_side: smallest and largest length in pixels, of shorter_side; the smallest must hold image_size.
        central: cut the central square first and crop inside it, of shorter_side (AlexNet: 256 to 256).
        interpolation: filter used when resizing.
    """

    kind: Literal["random_resized", "pad", "shorter_side", "resize", "none"] = "random_resized"
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    padding: int = 4
    shorter_side: tuple[int, int] = (256, 480)
    central: bool = False
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        require_range("crop.scale", self.scale, 1.0)
        require_range("crop.ratio", self.ratio, float("inf"))
        require(self.padding >= 0, "crop.padding", self.padding, "0 or a positive number of pixels")
        require_range("crop.shorter_side", self.shorter_side, float("inf"))

    def require_fit(self, image_size: int) -> None:
        """Raise a ValueError if shorter_side may make an image smaller than ``image_size``."""
        if self.kind == "shorter_side" and image_size > self.shorter_side[0]:
            raise ValueError(
                f"data.crop.shorter_side begins at {self.shorter_side[0]} pixels, too few for image_size {image_size}; "
                "raise it or choose smaller images."
            )


@dataclass
class Flip:
    """Random mirroring.

    Args:
        horizontal: probability of exchanging left and right.
        vertical: probability of exchanging top and bottom.
    """

    horizontal: float = 0.5
    vertical: float = 0.0

    def __post_init__(self) -> None:
        require_probability("flip.horizontal", self.horizontal)
        require_probability("flip.vertical", self.vertical)


@dataclass
class ColorJitter:
    """Random change of colours: brightness, contrast, saturation and hue in random order, then lighting.

    Args:
        brightness: a factor is drawn from [max(0, 1 - brightness), 1 + brightness]; 0 is off.
        contrast: the same for contrast.
        saturation: the same for saturation (no effect on gray images).
        hue: the hue turns by an angle drawn from [-hue, hue] of a full circle, at most 0.5.
        lighting: AlexNet's PCA colour noise (Krizhevsky et al. 2012, section 4.1): one colour is added to all pixels of
            an image, the sum of the principal components of ImageNet's RGB pixels, each times its eigenvalue and a
            normal draw of this standard deviation (the paper's is 0.1); 0 is off. RGB images only.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    lighting: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation", "lighting"):
            require(getattr(self, name) >= 0, f"color_jitter.{name}", getattr(self, name), "0 or positive")
        require(0.0 <= self.hue <= 0.5, "color_jitter.hue", self.hue, "between 0 and 0.5")

    @property
    def enabled(self) -> bool:
        """Whether any of the first four is on."""
        return any((self.brightness, self.contrast, self.saturation, self.hue))


@dataclass
class Shear:
    """Random horizontal shear; the area outside the image takes the data set's mean colour.

    Args:
        degrees: the angle is drawn from [-degrees, degrees]; 0 is off.
    """

    degrees: float = 0.0

    def __post_init__(self) -> None:
        require(0.0 <= self.degrees < 90.0, "shear.degrees", self.degrees, "at least 0 and below 90")


@dataclass
class RandAugment:
    """RandAugment (Cubuk et al. 2019): operations drawn uniformly, with replacement, all of one magnitude.

    The recipes that timm writes as rand-m9-mstd0.5-inc1 are magnitude 9, magnitude_std 0.5, probability 0.5, scale
    increasing and operations released. Here the list keeps cutout, which timm leaves out, and geometry takes the
    nearest pixel, where timm draws bilinear or bicubic interpolation.

    Args:
        layers: operations drawn for each image (the paper's N); 0 is off.
        magnitude: strength of the operations (the paper's M). Above the top of the scale geometry and colour factors
            extrapolate (increasing stays at its top), and every value is clamped to a legal operation.
        scale: meaning of the magnitude. paper is the scale of the released code, 0 to 10: shear 0.3 M/10, rotation
            30 M/10 degrees and translation 100/224 M/10 of the image side, each of random sign; colour, contrast,
            brightness and sharpness factor 0.1 + 1.8 M/10 (5 changes nothing); posterize keeps 4 M/10 bits and solarize
            inverts pixels from 256 M/10 on, so that both become weaker as M grows, as in that code. increasing is 0
            to 10 too, but everything becomes stronger: factors 1 +- 0.9 M/10, posterize 4 - 4 M/10 bits (none at 10,
            a black image), solarize from 256 - 256 M/10 on, translation 0.45 M/10 of the side, and the data set's mean
            colour outside the image. torchvision is the table of torchvision, 0 to 30, where everything becomes
            stronger as M grows.
        operations: the paper's 14, or the released code's 16: no identity, but invert, cutout (a square of side
            80/224 M/10 of the image's) and solarize-add (110 M/10 levels more for pixels below 128).
        probability: probability with which each drawn operation applies; timm's default is 0.5.
        magnitude_std: standard deviation of normal noise on each operation's magnitude, which stays between 0 and the
            top of the scale.
    """

    layers: int = 0
    magnitude: float = 9
    scale: Literal["paper", "increasing", "torchvision"] = "paper"
    operations: Literal["paper", "released"] = "paper"
    probability: float = 1.0
    magnitude_std: float = 0.0

    def __post_init__(self) -> None:
        require(self.layers >= 0, "rand_augment.layers", self.layers, "0 (off) or a positive number of operations")
        for name in ("magnitude", "magnitude_std"):
            require(getattr(self, name) >= 0, f"rand_augment.{name}", getattr(self, name), "0 or positive")
        require_probability("rand_augment.probability", self.probability)


@dataclass
class Normalize:
    """Statistics that normalize pixels in [0, 1]: (pixel - mean) / std per channel.

    Args:
        mean: one number from 0 to 1 per channel; null takes the source's (CIFAR's, ImageNet's for folders of colour
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


@dataclass
class Evaluation:
    """What the network sees in validation, test and prediction: shorter side resized, centre cropped.

    Args:
        crop_ratio: side of the crop / shorter side after resizing; 1.0 for small images such as CIFAR's.
        interpolation: filter used when resizing.
        image_size: side of the crop in pixels; null takes data.image_size.
    """

    crop_ratio: float = 0.875
    interpolation: Interpolation = "bilinear"
    image_size: int | None = None

    def __post_init__(self) -> None:
        require(0.0 < self.crop_ratio <= 1.0, "evaluation.crop_ratio", self.crop_ratio, "above 0 and at most 1")
        valid = self.image_size is None or self.image_size > 0
        require(valid, "evaluation.image_size", self.image_size, "null or a positive number of pixels")


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded image to the network's input, in plain values: what a checkpoint stores and prediction uses.

    Args:
        image_size: side of the centre crop in pixels.
        crop_ratio: side of the crop / shorter side after resizing.
        interpolation: filter used when resizing.
        mean: one number per channel, for pixels in [0, 1].
        std: one number per channel, for pixels in [0, 1].
        in_channels: 1 for gray, 3 for RGB.
    """

    image_size: int
    crop_ratio: float
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]
    in_channels: int

    def as_dict(self) -> dict[str, Any]:
        """Built-in types only (lists instead of tuples), ready for a checkpoint or JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """Undo ``as_dict``.

        Raises:
            ValueError: if a key is missing or unknown.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            wrong = ", ".join(sorted(set(values) ^ names))
            raise ValueError(
                f"The stored preprocessing has missing or unknown entries ({wrong}); it needs {sorted(names)}."
            )
        mean, std = tuple(values["mean"]), tuple(values["std"])
        return cls(**{**values, "mean": mean, "std": std})


@dataclass(frozen=True)
class Stage:
    """What progressive learning (Tan & Le 2021, section 4.2) changes from an epoch on; None keeps the recipe's value.

    Args:
        first_epoch: first epoch of the stage; it ends where the next one begins.
        image_size: side in pixels of the training images.
        magnitude: RandAugment's magnitude.
        mixup_alpha: mixup's alpha.
        cutmix_alpha: CutMix's alpha.
    """

    first_epoch: int
    image_size: int
    magnitude: float | None = None
    mixup_alpha: float | None = None
    cutmix_alpha: float | None = None

    def __post_init__(self) -> None:
        require(self.first_epoch >= 0, "stages.first_epoch", self.first_epoch, "0 or a later epoch")
        require(self.image_size > 0, "stages.image_size", self.image_size, "a positive number of pixels")
        for name in ("magnitude", "mixup_alpha", "cutmix_alpha"):
            value = getattr(self, name)
            require(value is None or value >= 0, f"stages.{name}", value, "null, 0 or positive")
