"""The uniform numbers of a batch's images, each hashed from (seed, epoch, index, repeat, operation): an image's result
does not depend on the batch that it comes in. What holds for all epochs is hashed without theirs."""

import torch
from torch import Tensor

from lit_cnn.randomness import derive_key, fold, uniform, uniform_number

_EVERY_EPOCH = "every epoch"


class Draws:
    """Uniform numbers of each image of a batch, by the name of the operation that uses them.

    Args:
        seed: key of the run.
        epoch: epoch.
        index: (N,) int64 rows of the split.
        repeat: (N,) int64 copies.
    """

    def __init__(self, seed: int, epoch: int, index: Tensor, repeat: Tensor) -> None:
        self.seed, self.epoch, self.index, self.repeat = seed, epoch, index, repeat
        self.keys = fold(fold(derive_key(seed, epoch), index), repeat)

    def __call__(self, name: str, count: int) -> Tensor:
        """(N, count) float32 in [0, 1)."""
        return uniform(fold(self.keys, derive_key(name))[:, None], torch.arange(count))

    def lasting(self, name: str) -> Tensor:
        """(N,) float32 in [0, 1), the same in every epoch."""
        keys = fold(fold(derive_key(self.seed, _EVERY_EPOCH), self.index), self.repeat)
        return uniform(fold(keys, derive_key(name)), 0)


def lasting_number(seed: int, index: int, repeat: int, name: str) -> float:
    """``Draws.lasting`` of one image, to the bit."""
    return uniform_number(derive_key(seed, _EVERY_EPOCH, index, repeat, derive_key(name)), 0)
