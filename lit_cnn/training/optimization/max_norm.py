"""A limit on the size of convolution filters, renewed after every update (Zeiler and Fergus 2013, section 3)."""

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


@torch.no_grad()
def limit_filters_(network: nn.Module, rms: float) -> None:
    """Scale each filter (output channel) whose root mean square exceeds ``rms`` down to it; biases and frozen filters
    stay."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.requires_grad:
            size = module.weight.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
            module.weight.mul_((rms / size.clamp(min=1e-12)).clamp(max=1.0))


def limit_filters_after_updates(optimizer: Optimizer, network: nn.Module, rms: float) -> None:
    """Let every ``optimizer.step()`` end with ``limit_filters_``."""
    optimizer.register_step_post_hook(partial(_after_step, network, rms))


def _after_step(network: nn.Module, rms: float, *_: Any) -> None:
    limit_filters_(network, rms)
