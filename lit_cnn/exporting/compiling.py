"""Compile a network for inference with its weights as constants."""

import torch
from torch import Tensor, nn

from lit_cnn.exporting.folding import checked_difference


@torch.no_grad()
def compile_for_inference(network: nn.Module, example: Tensor, *, tolerance: float | None = None) -> nn.Module:
    """``network`` compiled by TorchInductor and compared with itself; to be called without gradients.

    TorchInductor's "freezing" stores the filters in the layout in which they are used and joins activations to the
    convolutions before them. Each shape of input compiles for seconds at its first pass.

    Args:
        network: Any network with one output, in evaluation mode; folded, it leaves more to join. It must not be changed
            afterwards.
        example: (N, C, H, W) images, on the network's device.
        tolerance: Largest accepted difference over the largest output; by default that of the example's precision.

    Returns:
        The compiled network.

    Raises:
        ValueError: If it cannot be compiled here, or if the two differ by more.
    """
    compiled = torch.compile(network, dynamic=False, options={"freezing": True})
    try:
        compiled(example)
    except RuntimeError as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ValueError(
            f"{type(network).__name__} cannot be compiled here ({reason}): "
            "install a C++ compiler, or leave --compile out"
        ) from None
    checked_difference(compiled, network, example, tolerance, f"compiled {type(network).__name__}")
    return compiled
