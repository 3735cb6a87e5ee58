"""mixup (Zhang et al. 2017) and CutMix (Yun et al. 2019) on a whole batch, with targets on the simplex.

One share lambda is drawn per optimizer step, as in both papers' code, keyed by (seed, step) alone, or one per image,
keyed by (seed, step, position in the global batch). The partner of the sample at position p is p XOR 1 of the shuffled
batch; the sampler never parts the two, and an odd last sample stays unmixed: the result does not depend on the number
of ranks or accumulated batches.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lit_cnn.data.batch import Batch
from lit_cnn.data.settings import require, require_probability
from lit_cnn.randomness import derive_key
from lit_cnn.upload import upload


@dataclass(frozen=True)
class Mixup:
    """mixup (Zhang et al. 2017): convex combinations of two images and their targets.

    Args:
        alpha: the share is drawn from Beta(alpha, alpha) once per optimizer step (see mixing.per_image); 0 is off.
        probability: share of the optimizer steps, or images, that mix.
    """

    alpha: float = 0.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "mixup.alpha", self.alpha, "0 (off) or positive")
        require_probability("mixup.probability", self.probability)


@dataclass(frozen=True)
class CutMix:
    """CutMix (Yun et al. 2019): a box of another image, targets mixed by area.

    Args:
        alpha: the share is drawn from Beta(alpha, alpha) once per optimizer step (see mixing.per_image); 0 is off.
        probability: share of the optimizer steps, or images, that mix.
    """

    alpha: float = 0.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "cutmix.alpha", self.alpha, "0 (off) or positive")
        require_probability("cutmix.probability", self.probability)


@dataclass(frozen=True)
class Mixing:
    """How mixup and CutMix share the optimizer steps, or the images.

    NFNet (Brock et al. 2021) mixes first, half of the batch by mixup and the other half by CutMix: first and per_image
    with switch_probability 0.5.

    Args:
        switch_probability: probability of CutMix instead of mixup where both are on.
        stop_epoch: first epoch without any mixing; null mixes to the end.
        first: mix the cropped and flipped images before colors, shear, AutoAugment, RandAugment, cutout and erasing
            instead of after them.
        per_image: draw share, box, whether to mix, and mixup or CutMix for each image instead of once per optimizer
            step.
    """

    switch_probability: float = 0.5
    stop_epoch: int | None = None
    first: bool = False
    per_image: bool = False

    def __post_init__(self) -> None:
        require_probability("mixing.switch_probability", self.switch_probability)
        valid = self.stop_epoch is None or self.stop_epoch >= 0
        require(valid, "mixing.stop_epoch", self.stop_epoch, "null or an epoch number")


def _generator(*key: int | str) -> np.random.Generator:
    return np.random.default_rng(derive_key(*key) & 0xFFFFFFFFFFFFFFFF)


class Draw(NamedTuple):
    """What one optimizer step does: ``method``, and the share each image keeps of itself (before CutMix clips)."""

    method: str
    share: float
    center: tuple[float, float]


def draw(key: tuple[int, int], mixup: Mixup, cutmix: CutMix, mixing: Mixing) -> Draw:
    """The decision of the optimizer step ``key`` = (seed, step): method "mixup", "cutmix" or "none"."""
    random = _generator(*key, "mixing")
    switch, apply, row, column = random.random(4).tolist()
    both = mixup.alpha > 0 and cutmix.alpha > 0
    use_cutmix = switch < mixing.switch_probability if both else cutmix.alpha > 0
    alpha, probability = (cutmix.alpha, cutmix.probability) if use_cutmix else (mixup.alpha, mixup.probability)
    if alpha == 0 or apply >= probability:
        return Draw("none", 1.0, (row, column))
    return Draw("cutmix" if use_cutmix else "mixup", float(random.beta(alpha, alpha)), (row, column))


class ImageDraws(NamedTuple):
    """What happens to the image at each of N positions: whether CutMix (otherwise mixup) mixes it, the share (N,)
    float64 that it keeps of itself (before CutMix clips; 1 where it is not mixed), and the box's center (N, 2)."""

    cutmix: np.ndarray
    share: np.ndarray
    center: np.ndarray


def positions_of(batch_position: Tensor, global_batch: int | None) -> int:
    """How many positions of the global batch must be drawn for.

    A rank without samples has a padding one at the position after the last. Without ``global_batch`` the positions are
    looked at, which a device is waited for.
    """
    return int(batch_position.max()) + 1 if global_batch is None else global_batch + 1


def draw_images(key: tuple[int, int], count: int, mixup: Mixup, cutmix: CutMix, mixing: Mixing) -> ImageDraws:
    """The decisions for the first ``count`` positions of the global batch of the step ``key`` = (seed, step).

    The numbers of a position do not depend on how many follow: every generator is read from its beginning.
    """
    switch, apply, *center = _generator(*key, "mixing images").random((count, 4)).T
    both = mixup.alpha > 0 and cutmix.alpha > 0
    use_cutmix = switch < mixing.switch_probability if both else np.full(count, cutmix.alpha > 0)
    mixed = apply < np.where(use_cutmix, cutmix.probability, mixup.probability)
    shares = [
        _generator(*key, name).beta(alpha, alpha, count) if alpha > 0 else np.ones(count)
        for name, alpha in (("mixup shares", mixup.alpha), ("cutmix shares", cutmix.alpha))
    ]
    share = np.where(mixed, np.where(use_cutmix, shares[1], shares[0]), 1.0)
    return ImageDraws(use_cutmix & mixed, share, np.stack(center, axis=1))


def cutmix_boxes(height: int, width: int, share: np.ndarray, center: np.ndarray) -> np.ndarray:
    """(N, 4) int64: top, bottom, left, right of boxes with sides sqrt(1 - share) of the image's, clipped at the border.

    ``center`` (N, 2) holds uniform draws in [0, 1) for the boxes' centers over all pixels, ``share`` is (N,).
    """
    sides = np.array([height, width])
    size = (sides * np.sqrt(1.0 - share)[:, None]).astype(np.int64)
    first = (center * sides).astype(np.int64) - size // 2
    first, last = np.maximum(first, 0), np.minimum(first + size, sides)
    return np.stack([first[:, 0], last[:, 0], first[:, 1], last[:, 1]], axis=1)


def cutmix_box(height: int, width: int, share: float, center: tuple[float, float]) -> tuple[int, int, int, int]:
    """One of ``cutmix_boxes``."""
    top, bottom, left, right = cutmix_boxes(height, width, np.array([share]), np.array([center]))[0].tolist()
    return top, bottom, left, right


def partners(index: Tensor) -> Tensor:
    """(N,) local partner of each sample: i XOR 1; an odd last one and padding (index -1) keep to themselves."""
    own = torch.arange(len(index), device=index.device)
    partner = own ^ 1
    partner = torch.where(partner < len(index), partner, own)
    valid = (index >= 0) & (index[partner] >= 0)
    return torch.where(valid, partner, own)


def mix(
    batch: Batch,
    num_classes: int,
    key: tuple[int, int],
    mixup: Mixup,
    cutmix: CutMix,
    mixing: Mixing,
    global_batch: int | None = None,
) -> Batch:
    """Mix a micro-batch of the optimizer step ``key`` = (seed, step).

    Args:
        batch: images float or uint8, targets class indices; samples with index -1 stay as they are.
        num_classes: K.
        key: seed and optimizer step.
        mixup: settings of mixup.
        cutmix: settings of CutMix.
        mixing: how the two share the steps or images.
        global_batch: images of an optimizer step; with it a mix per image does not wait for a device.

    Returns:
        The batch with images of the same shape and type, and targets (N, K) float32; both unchanged in a step that
        does not mix.
    """
    if mixing.per_image:
        if mixup.alpha == 0 and cutmix.alpha == 0:
            return batch
        draws = draw_images(key, positions_of(batch.position, global_batch), mixup, cutmix, mixing)
        return _mix_images(batch, num_classes, draws)
    step = draw(key, mixup, cutmix, mixing)
    if step.method == "none":
        return batch
    images, partner, share = batch.images, partners(batch.index), step.share
    if step.method == "mixup":
        images = blend_images(images[partner], images, share)
    else:
        height, width = images.shape[-2:]
        top, bottom, left, right = cutmix_box(height, width, share, step.center)
        share = 1.0 - (bottom - top) * (right - left) / (height * width)
        pasted = images[partner, :, top:bottom, left:right]
        images = images.clone()
        images[:, :, top:bottom, left:right] = pasted
    return batch._replace(images=images, targets=_mixed_targets(batch.targets, partner, share, num_classes))


def blend_images(others: Tensor, own: Tensor, share: float | Tensor) -> Tensor:
    """(1 - share) * others + share * own, rounded for uint8."""
    if own.dtype != torch.uint8:
        return torch.lerp(others, own, share)
    return torch.lerp(others.float(), own.float(), share).round().to(torch.uint8)


def _mixed_targets(targets: Tensor, partner: Tensor, share: float | Tensor, num_classes: int) -> Tensor:
    """(N, K) float32 from class indices (N,)."""
    one_hot = functional.one_hot(targets, num_classes).float()
    return torch.lerp(one_hot[partner], one_hot, share)


def _mix_images(batch: Batch, num_classes: int, draws: ImageDraws) -> Batch:
    """Mix each image by the draws of its position; pixels inside a CutMix box have the share 0."""
    images, partner = batch.images, partners(batch.index)
    height, width = images.shape[-2:]
    boxes = cutmix_boxes(height, width, draws.share, draws.center) * draws.cutmix[:, None]
    drawn = np.concatenate([draws.share[:, None], draws.cutmix[:, None], boxes], axis=1)
    share, boxed, *box = upload(torch.from_numpy(drawn).float(), images.device)[batch.position].unbind(1)
    pixels = share.view(-1, 1, 1, 1)
    if draws.cutmix.any():
        inside, is_boxed = _in_boxes(box, height, width), boxed > 0
        pixels = torch.where(is_boxed.view(-1, 1, 1, 1), (~inside).float(), pixels)
        share = torch.where(is_boxed, 1.0 - inside.float().mean((1, 2, 3)), share)
    targets = _mixed_targets(batch.targets, partner, share[:, None], num_classes)
    return batch._replace(images=blend_images(images[partner], images, pixels), targets=targets)


def _in_boxes(box: list[Tensor], height: int, width: int) -> Tensor:
    """(N, 1, H, W), true inside the boxes whose top, bottom, left and right, (N,) each, are given."""
    top, bottom, left, right = (edge[:, None] for edge in box)
    row, column = torch.arange(height, device=top.device), torch.arange(width, device=top.device)
    rows, columns = (row >= top) & (row < bottom), (column >= left) & (column < right)
    return rows[:, None, :, None] & columns[:, None, None, :]
