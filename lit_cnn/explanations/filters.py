"""The filters with which a network looks at the image itself."""

from typing import NamedTuple

from torch import Tensor, nn

from lit_cnn.architectures.layers.scaled_conv import ScaledConv2d


class FirstFilters(NamedTuple):
    """The name of the first convolution, and its filters (F, C, k, k) as they are applied."""

    layer: str
    weights: Tensor


def first_filters(network: nn.Module) -> FirstFilters:
    """The first convolution's filters; of NFNet's the standardized ones.

    Raises:
        ValueError: If there is no convolution.
    """
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            weights = module.standardized_weight() if isinstance(module, ScaledConv2d) else module.weight
            return FirstFilters(name, weights.detach().cpu())
    raise ValueError(f"{type(network).__name__} has no convolution, so it has no filters to draw")
