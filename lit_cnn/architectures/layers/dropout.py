"""Dropout whose masks are a function of the step and of the sample."""

import torch
from torch import Tensor

from lit_cnn.architectures.layers.keyed import KeyedLayer
from lit_cnn.randomness import uniform


class Dropout(KeyedLayer):
    """Zero each element with probability ``rate`` and scale the rest by 1 / (1 - rate) (Srivastava et al., 2014)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        elements = torch.arange(x.shape[1:].numel(), device=x.device).view(1, *x.shape[1:])
        keys = self.sample_keys(x).view(-1, *[1] * (x.dim() - 1))
        kept = uniform(keys, elements) >= self.rate
        return x * kept.to(x.dtype) / (1.0 - self.rate)
