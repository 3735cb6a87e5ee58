"""Activation checkpointing (Chen et al., 2016, arXiv:1604.06174): forget what a block computed, and compute it again in
the backward pass.

A step needs less memory and about a forward pass more time; its gradients are the same. The masks of dropout and
stochastic depth are drawn from the step's key, so the second pass has those of the first, and batch norm counts a batch
once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS


def checkpoint_activations(network: nn.Module) -> int:
    """Let every block of ``network`` keep its input alone for the backward pass; names of weights stay as they are.

    Args:
        network: A network of the catalog.

    Returns:
        The number of blocks.

    Raises:
        ValueError: If the network is none of the catalog's, so that its blocks are not known.
    """
    features = getattr(network, "features", None)
    if not isinstance(features, nn.Sequential):
        raise ValueError(
            f"activation checkpointing needs the blocks of a network of the catalog, but {type(network).__name__} has "
            "no stages: set model.activation_checkpointing to false"
        )
    blocks = list(find_blocks(features))
    for block in blocks:
        block.forward = partial(_forward, block, block.forward)
    return len(blocks)


def find_blocks(features: nn.Sequential) -> Iterator[nn.Module]:
    """The blocks of each stage: residual blocks, inception blocks, cells; a stage of plain layers is one block."""
    for stage in features.children():
        inner = [module for module in stage.children() if any(True for _ in module.children())]
        if isinstance(stage, nn.Sequential) and inner:
            yield from inner
        elif any(True for _ in stage.parameters()):
            yield stage


def _forward(block: nn.Module, forward: Callable[..., Any], *inputs: Any) -> Any:
    if not (block.training and torch.is_grad_enabled()):
        return forward(*inputs)
    return checkpoint(
        forward, *inputs, use_reentrant=False, context_fn=lambda: (nullcontext(), _spared_statistics(block))
    )


@contextmanager
def _spared_statistics(block: nn.Module) -> Iterator[None]:
    """Let batch norms update copies of their running statistics. They cannot do without, since what the second pass
    keeps must match the first tensor by tensor."""
    norms = [module for module in block.modules() if isinstance(module, BATCH_NORMS)]
    kept = [(norm, name, value) for norm in norms for name, value in norm.named_buffers(recurse=False)]
    for norm, name, value in kept:
        setattr(norm, name, value.clone())
    try:
        yield
    finally:
        for norm, name, value in kept:
            setattr(norm, name, value)
