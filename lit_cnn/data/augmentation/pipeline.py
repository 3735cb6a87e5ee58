"""All that happens to training images, in its order: on a whole uint8 batch (N, C, H, W) for sets held in memory,
and image by image for files.

Batches take every parameter from the hash of (seed, epoch, index, repeat, operation) and are changed by operations that
are vectorized over the batch. A single image passes torchvision's v2 transforms under a generator state derived from
(seed, epoch, index, repeat). Either way an image looks the same in any batch and from any worker process.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from lit_cnn.data.augmentation.auto_augment import AutoAugmentPolicy, auto_augment_batch, auto_augment_transforms
from lit_cnn.data.augmentation.color_jitter import ColorJitter, color_jitter_batch, color_jitter_transforms
from lit_cnn.data.augmentation.crop import Crop, CutThenResize, crop_batch, crop_transforms, require_size
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.erasing import (
    Cutout,
    RandomErasing,
    cutout_batch,
    cutout_transforms,
    random_erasing_batch,
    random_erasing_transforms,
)
from lit_cnn.data.augmentation.flip import Flip, alternate, flip_batch, flip_transforms
from lit_cnn.data.augmentation.mixing import CutMix, Mixing, Mixup, mix
from lit_cnn.data.augmentation.plan import EpochPlan, Stage
from lit_cnn.data.augmentation.rand_augment import RandAugment, rand_augment_batch, rand_augment_transforms
from lit_cnn.data.augmentation.shear import Shear, shear_batch, shear_transforms
from lit_cnn.data.batch import Batch
from lit_cnn.data.image_size import ImageSize, Sides, sides_of, with_shorter_side
from lit_cnn.data.settings import Decode
from lit_cnn.data.sources.decoding import AnyImage, EncodedImage, reduction
from lit_cnn.randomness import derive_key


@dataclass(kw_only=True, eq=False)
class Augmentation:
    """The fields of a recipe's ``data`` section that change training images, in the order in which they apply; under
    mixing.first the batch is mixed between flip and color_jitter. Each default is the switched-off state, except for
    crop and flip.

    ``ImageData`` inherits them, so that a field here is a key of recipes.

    Args:
        crop: how a training image becomes image_size pixels.
        flip: random mirroring.
        color_jitter: random change of colors.
        shear: random horizontal shear.
        auto_augment: a learned policy applied after crop, flip, colors and shear: imagenet, cifar10 and svhn are the
            AutoAugment paper's, imagenet_v0 is EfficientNet's, fast_cifar10 and fast_imagenet are Fast AutoAugment's
            (whose code applies them before the crop); or trivial for TrivialAugment, or none.
        rand_augment: RandAugment.
        cutout: a square of the mean color.
        random_erasing: a rectangle of the mean color.
        mixup: convex combinations of images.
        cutmix: boxes of other images.
        mixing: how mixup and CutMix share the steps.
    """

    crop: Crop = field(default_factory=Crop)
    flip: Flip = field(default_factory=Flip)
    color_jitter: ColorJitter = field(default_factory=ColorJitter)
    shear: Shear = field(default_factory=Shear)
    auto_augment: AutoAugmentPolicy = "none"
    rand_augment: RandAugment = field(default_factory=RandAugment)
    cutout: Cutout = field(default_factory=Cutout)
    random_erasing: RandomErasing = field(default_factory=RandomErasing)
    mixup: Mixup = field(default_factory=Mixup)
    cutmix: CutMix = field(default_factory=CutMix)
    mixing: Mixing = field(default_factory=Mixing)

    def require_channels(self, channels: int, origin: str) -> None:
        """Refuse changes of color that images of so many channels cannot have.

        Raises:
            ValueError: naming the key.
        """
        if self.color_jitter.lighting and channels != 3:
            raise ValueError(
                f"data.color_jitter.lighting is noise of RGB colors, but the images of {origin} "
                f"{'are gray' if channels == 1 else f'have {channels} channels'}; set it to 0"
            )
        keys = {
            "data.color_jitter": self.color_jitter.enabled,
            "data.auto_augment": self.auto_augment != "none",
            "data.rand_augment": self.rand_augment.layers > 0,
        }
        used = [key for key, on in keys.items() if on]
        if channels == 4 and used:
            raise ValueError(
                f"{used[0]} changes the colors of gray and RGB images, but those of {origin} have 4 channels; switch "
                "it off, or read files without their alpha channel (data.in_channels 3)"
            )


@dataclass(frozen=True)
class Pipeline:
    """The augmentation of the epochs that share its settings.

    Args:
        augmentation: what applies.
        image_size: size in pixels of what comes out, as data.image_size states it.
        fill: the data set's mean color as uint8 levels, one per channel.

    Raises:
        ValueError: if the crop may be smaller than ``image_size``.
    """

    augmentation: Augmentation
    image_size: ImageSize
    fill: tuple[int, ...]

    def __post_init__(self) -> None:
        self.augmentation.crop.require_fit(self.sides)

    @property
    def sides(self) -> Sides:
        """Height and width in pixels."""
        return sides_of(self.image_size)

    def at(self, stage: Stage) -> "Pipeline":
        """The pipeline with the image size, the magnitude and the alphas of ``stage``."""
        own = self.augmentation
        augmentation = replace(
            own,
            rand_augment=replace(own.rand_augment, magnitude=stage.magnitude),
            mixup=replace(own.mixup, alpha=stage.mixup_alpha),
            cutmix=replace(own.cutmix, alpha=stage.cutmix_alpha),
        )
        return replace(self, augmentation=augmentation, image_size=stage.image_size)

    def augment_batch(self, images: Tensor, draws: Draws) -> Tensor:
        """uint8 images (N, C, H, W) to (N, C, *sides), except for mixing; the input is not changed."""
        return self.distort_batch(self.frame_batch(images, draws), draws)

    def frame_batch(self, images: Tensor, draws: Draws) -> Tensor:
        """The first part of ``augment_batch``: crop and flips."""
        images = crop_batch(images, self.augmentation.crop, self.sides, draws)
        return flip_batch(images, self.augmentation.flip, draws)

    def distort_batch(self, images: Tensor, draws: Draws) -> Tensor:
        """The second part of ``augment_batch``: colors and all that follows, on images of the final size."""
        chosen, fill = self.augmentation, self.fill
        images = color_jitter_batch(images, chosen.color_jitter, draws)
        images = shear_batch(images, chosen.shear, fill, draws)
        images = auto_augment_batch(images, chosen.auto_augment, draws)
        images = rand_augment_batch(images, chosen.rand_augment, fill, draws)
        images = cutout_batch(images, chosen.cutout, fill, draws)
        return random_erasing_batch(images, chosen.random_erasing, fill, draws)

    def frame_transforms(self) -> list[v2.Transform]:
        """The first part for one image: PIL image or uint8 tensor -> uint8 tensor (C, *sides)."""
        return [*crop_transforms(self.augmentation.crop, self.sides), *flip_transforms(self.augmentation.flip)]

    def distort_transforms(self) -> list[v2.Transform]:
        """The second part for one image: uint8 tensor -> uint8 tensor of the same size."""
        chosen, fill = self.augmentation, self.fill
        on_pil: list[v2.Transform] = [  # which is faster at these than tensors are
            *color_jitter_transforms(chosen.color_jitter),
            *shear_transforms(chosen.shear, fill),
            *auto_augment_transforms(chosen.auto_augment),
            *rand_augment_transforms(chosen.rand_augment, fill),
        ]
        if on_pil and len(fill) != 4:  # with four channels there is shear alone, which Pillow would weight by the last
            on_pil = [v2.ToPILImage(), *on_pil, v2.PILToTensor()]
        return [
            *on_pil,
            *cutout_transforms(chosen.cutout, fill),
            *random_erasing_transforms(chosen.random_erasing, fill),
        ]

    def mix_batch(self, batch: Batch, num_classes: int, key: tuple[int, int], global_batch: int | None = None) -> Batch:
        """Mix a micro-batch of the optimizer step ``key`` = (seed, step) (see ``mixing.mix``)."""
        chosen = self.augmentation
        return mix(batch, num_classes, key, chosen.mixup, chosen.cutmix, chosen.mixing, global_batch)


@dataclass(frozen=True)
class TrainingSettings:
    """What a data set needs to make training batches of its images in any epoch. Can be pickled.

    Args:
        pipeline: by the recipe's own values.
        epoch_plan: what of them changes with the epoch.
        seed: key of all random draws.
        num_classes: K.
    """

    pipeline: Pipeline
    epoch_plan: EpochPlan
    seed: int
    num_classes: int

    @property
    def mixes(self) -> bool:
        """Whether the data set mixes its batches itself, between flips and colors."""
        return self.pipeline.augmentation.mixing.first

    def pipelines(self) -> dict[Stage, Pipeline]:
        """The pipeline of each stage."""
        return {stage: self.pipeline.at(stage) for stage in self.epoch_plan.stages}


Step = Callable[[Any], Tensor]
"""What an image goes through: one of torchvision's transforms, or a function."""


class TrainingTransform:
    """The pipeline of one image as a function of its key; leaves ambient generators as they were.

    Args:
        pipeline: what to apply.
        seed: first part of the key.
        decode: full, or reduced to decode an ``EncodedImage`` at the smallest scale that the crop allows.
    """

    def __init__(self, pipeline: Pipeline, seed: int, decode: Decode = "full") -> None:
        self.framing: list[Step] = [*pipeline.frame_transforms()]
        self.distortion: list[Step] = [*pipeline.distort_transforms()]
        self.seed, self.decode = seed, decode
        self.crop, self.flip, self.sides = pipeline.augmentation.crop, pipeline.augmentation.flip, pipeline.sides

    def __call__(self, image: AnyImage, epoch: int, index: int, repeat: int) -> Tensor:
        """Augmented uint8 tensor (C, *sides) of the image with this row of the split.

        Raises:
            BrokenImage: if the file cannot be decoded.
        """
        steps = [*self._framing(epoch, index, repeat), *self.distortion]
        return self._run(steps, image, epoch, index, repeat, "image")

    def frame(self, image: AnyImage, epoch: int, index: int, repeat: int) -> Tensor:
        """The image cropped and flipped as by the whole pipeline, for ``distort`` to go on with."""
        return self._run(self._framing(epoch, index, repeat), image, epoch, index, repeat, "image")

    def distort(self, image: Tensor, epoch: int, index: int, repeat: int) -> Tensor:
        """All that follows crop and flip, on a uint8 tensor (C, *sides)."""
        return self._run(self.distortion, image, epoch, index, repeat, "distortion")

    def _framing(self, epoch: int, index: int, repeat: int) -> list[Step]:
        if not self.flip.alternating:
            return self.framing
        turn = partial(alternate, settings=self.flip, seed=self.seed, epoch=epoch, index=index, repeat=repeat)
        return [*self.framing, turn]

    def _run(self, steps: list[Step], image: Any, epoch: int, index: int, repeat: int, name: str) -> Tensor:
        # torchvision draws from torch's ambient generator only; seeding the others as well would double the cost.
        state = torch.get_rng_state()
        torch.default_generator.manual_seed(derive_key(self.seed, epoch, index, repeat, name) & 0x7FFFFFFFFFFFFFFF)
        try:
            if isinstance(image, EncodedImage):
                image, steps = self._begin(image, steps)
            for step in steps:
                image = step(image)
            return image
        finally:
            torch.set_rng_state(state)

    def _begin(self, image: EncodedImage, steps: list[Step]) -> tuple[Tensor, list[Step]]:
        """The pixels, cut already where only a part of them is kept, and the steps that remain."""
        if isinstance(steps[0], CutThenResize):
            return steps[0].cut(image, self.decode), steps[1:]
        if self.crop.kind == "none":
            pixels = image.pixels()
            require_size((pixels.shape[1], pixels.shape[2]), self.sides, f"the image {image.name}")
            return pixels, steps
        if self.decode == "full":
            return image.pixels(), steps
        jitters = self.crop.kind == "shorter_side"
        least = with_shorter_side(self.sides, self.crop.shorter_side[1]) if jitters else self.sides
        return image.pixels(reduction(image.sides(), least)), steps
