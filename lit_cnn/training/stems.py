"""The first convolution of a network for images of other channels than its weights were made for."""

import torch
from torch import Tensor, nn


def adapt_stem(network: nn.Module, weights: dict[str, Tensor]) -> str:
    """Make the first convolution's filters in ``weights`` those of the network's channels, in place.

    A gray image is a color image of three equal channels, so its filter is the sum of the three; from gray to color
    each channel gets a third. A fourth channel (alpha) starts with zeros, and leaving it out drops its filter.

    Args:
        network: Whose first convolution says the channels.
        weights: Tensors by the network's names; only the first convolution's is replaced.

    Returns:
        What was done, as part of a sentence; empty where the channels agree.
    """
    layers = network.named_modules()
    name, first = next(((f"{name}.weight", each) for name, each in layers if isinstance(each, nn.Conv2d)), ("", None))
    filters = weights.get(name)
    if first is None or first.groups != 1 or filters is None or filters.ndim != 4:
        return ""
    before, after = filters.shape[1], first.in_channels
    rest_agrees = (len(filters), *filters.shape[2:]) == (len(first.weight), *first.weight.shape[2:])
    if before == after or not rest_agrees or {before, after} - {1, 3, 4}:
        return ""
    color = filters.sum(1, keepdim=True).expand(-1, 3, -1, -1) / 3 if before == 1 else filters[:, :3]
    if after == 1:
        weights[name] = color.sum(1, keepdim=True)
        return f"the first convolution sums its filters of {before} channels for gray images"
    alpha = torch.zeros_like(color[:, :1]) if before < 4 else filters[:, 3:]
    weights[name] = torch.cat([color, alpha], 1) if after == 4 else color.contiguous()
    if after == 4:
        return "the first convolution starts with zeros for the alpha channel"
    return f"the first convolution reads {after} channels instead of {before}"
