"""Compile a network for inference with its weights as constants."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.exporting.folding import checked_difference
from lit_cnn.torch_internals import freezing_compiler


class CompiledNetwork(nn.Module):
    """A network that TorchInductor compiles at its first pass over each size of image, for seconds to minutes.

    Inductor's "freezing" stores the filters in the layout in which they are used and joins activations to the
    convolutions before them; it holds in passes without gradients. The setting stands around the pass because as an
    option of ``torch.compile`` it would not reach the part of torch that makes constants of the weights.

    Args:
        network: In evaluation mode. It must not be changed afterwards.
        batch_size: Images of a batch; fewer are filled up with black ones, more are compiled for again.
    """

    def __init__(self, network: nn.Module, batch_size: int) -> None:
        super().__init__()
        self.network, self.batch_size = network, batch_size
        self._compiled = torch.compile(network, dynamic=False)

    def forward(self, images: Tensor) -> Tensor:
        missing = max(0, self.batch_size - len(images))
        with freezing_compiler():
            return self._compiled(F.pad(images, [0, 0, 0, 0, 0, 0, 0, missing]))[: len(images)]


@torch.no_grad()
def compile_for_inference(network: nn.Module, example: Tensor, *, tolerance: float | None = None) -> CompiledNetwork:
    """``network`` compiled and compared with itself.

    Args:
        network: Any network with one output, in evaluation mode; folded, it leaves more to join.
        example: (N, C, H, W) images, on the network's device.
        tolerance: Largest accepted difference over the largest output; by default that of the example's precision.

    Raises:
        ValueError: If it cannot be compiled here, or if the two differ by more.
    """
    compiled = CompiledNetwork(network, len(example))
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
