"""Which anchors and proposals of an image a loss counts: a number of them, of which a share at most has an object."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lit_cnn.architectures.layers.keyed import KeyedLayer
from lit_cnn.randomness import fold


class BalancedSampler(KeyedLayer):
    """Draw positives and background of each image, from the hash of the step's key and the image's position.

    torchvision's draws from the default generator, by which a resumed run, or one on other ranks, would count others.

    Args:
        number: Drawn of each image; fewer where there are not so many.
        positive_share: Of them, at most.
    """

    def __init__(self, number: int, positive_share: float) -> None:
        super().__init__(rate=0.0)
        self.number = number
        self.most_positive = int(number * positive_share)

    def forward(self, positive: Sequence[Tensor], background: Sequence[Tensor]) -> list[Tensor]:
        """(A,) bool for each image: which are drawn.

        Args:
            positive: (A,) bool for each image, which may be drawn as positives.
            background: (A,) bool for each image, which may be drawn as background.
        """
        keys = self.sample_keys(torch.empty(len(positive), device=positive[0].device))
        drawn = []
        for key, objects, rest in zip(keys, positive, background, strict=True):
            mask = torch.zeros_like(objects)
            chosen = _draw(objects, key, self.most_positive)
            mask[chosen] = True
            mask[_draw(rest, key, self.number - len(chosen))] = True
            drawn.append(mask)
        return drawn

    def extra_repr(self) -> str:
        return f"number={self.number}, most_positive={self.most_positive}"


def _draw(candidates: Tensor, key: Tensor, most: int) -> Tensor:
    """At most ``most`` numbers of those that ``candidates`` (A,) marks."""
    found = torch.where(candidates)[0]
    return found[fold(key, found).topk(min(most, len(found)), largest=False).indices]
