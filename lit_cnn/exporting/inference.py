"""A network made faster for inference, each step compared with the one before."""

import torch
from torch import nn

from lit_cnn.exporting.folding import fold_for_inference


def faster_network(network: nn.Module, shape: tuple[int, ...], *, with_compile: bool = False) -> nn.Module:
    """A copy with its batch norms folded into the convolutions and, if wanted, compiled.

    Args:
        network: Any network with one output.
        shape: (N, C, H, W) of the batches that it is compiled for, and of the noise on which it is compared.
        with_compile: Compile it, which takes seconds to minutes.

    Raises:
        ValueError: If it cannot be compiled here, or computes something else than the network.
    """
    example = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    example = example.to(next(network.parameters()).device, memory_format=torch.channels_last)
    folded = fold_for_inference(network, example[:1]).network
    if not with_compile:
        return folded
    from lit_cnn.exporting.compiling import compile_for_inference  # imports the compiler for a second

    return compile_for_inference(folded, example)
