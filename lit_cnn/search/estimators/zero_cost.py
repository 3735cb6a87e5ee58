"""Scores of networks that have not been trained, and the counts that such a score has to beat.

The counts are parameters and multiply-adds: over many spaces no score has ranked networks reliably better than the
number of parameters (Li et al., "ZiCo", 2023, arXiv:2301.11300). Every function leaves the network as it was: it works
on a copy, in which dropout and drop path are off.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lit_cnn.architectures.cells import CellNetwork
from lit_cnn.architectures.meta import copy_on_meta
from lit_cnn.data.image_size import ImageSize, sides_of
from lit_cnn.profiling.counting import count_madds

RECTIFIERS: tuple[Callable[..., Tensor], ...] = (F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
"""All ways to rectify a map: what ``nn.ReLU`` and ``F.relu_`` call is among them."""

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def params(network: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def madds(network: nn.Module, image_size: ImageSize, *, in_channels: int = 3) -> int:
    """Multiply-adds of one image.

    Raises:
        ValueError: If the image is too small for the network.
    """
    return count_madds(copy_on_meta(network), image_size, in_channels=in_channels)


def synflow(network: nn.Module, image_size: ImageSize, *, in_channels: int = 3) -> float:
    """The sum over the weights w of all convolutions and linear layers of |w · dR/dw|.

    R is the sum of the outputs for one image of ones, once all parameters and buffers are replaced by their absolute
    values and batch norms by the identity; in float64, since R grows by the product of the layers' sums (Tanaka et al.,
    2020, arXiv:2006.05467; as a score of architectures: Abdelfattah et al., 2021, arXiv:2101.08134).
    """
    positive = _without_batch_norm(copy.deepcopy(network).double().eval())
    with torch.no_grad():
        for tensor in positive.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    weights = [layer.weight for layer in positive.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    for weight in weights:
        weight.requires_grad_()
    image = torch.ones(1, in_channels, *sides_of(image_size), dtype=torch.float64, device=weights[0].device)
    with torch.enable_grad():
        slopes = torch.autograd.grad(positive(image).sum(), weights, allow_unused=True)
    pairs = zip(weights, slopes, strict=True)
    return sum(float((weight.detach() * slope).abs().sum()) for weight, slope in pairs if slope is not None)


def naswot(network: nn.Module, images: Tensor) -> float:
    """NASWOT: the logarithm of the determinant of K, the agreement of the images' codes.

    K = sum over rectified maps of c cᵀ + (1 - c)(1 - c)ᵀ, where the rows of c say which units of an image are positive
    before ReLU (Mellor et al., 2021, arXiv:2006.04647). Batch norms use the statistics of ``images``. Cells rectify a
    state once for all operations that read it, outside any module, so the calls of ReLU are observed, not modules.

    Args:
        network: A network of cells.
        images: (N, C, H, W) as the network sees them in training; the score is comparable for the same images only.

    Returns:
        The score, high ones good; minus infinity if two images have the same code.

    Raises:
        ValueError: If ``network`` is not a network of cells: others may use activations that have no code.
    """
    if not isinstance(network, CellNetwork):
        raise ValueError(
            f"naswot scores networks of cells only, got {type(network).__name__}: use synflow, params or madds"
        )
    scored = copy.deepcopy(network).eval()
    for layer in scored.modules():
        if isinstance(layer, BATCH_NORMS):
            layer.train()
    observer = _ActivationCodes(len(images))
    with torch.no_grad(), observer:
        scored(images)
    return float(torch.linalg.slogdet(observer.agreement).logabsdet)


class _ActivationCodes(TorchFunctionMode):
    """Adds up, over all maps that are rectified within the block, on how many units each two images agree."""

    def __init__(self, images: int) -> None:
        super().__init__()
        self.agreement = torch.zeros(images, images, dtype=torch.float64)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in RECTIFIERS:
            active = (args[0] > 0).flatten(1).float()  # sums of 0 and 1: exact in float32
            agreement = active @ active.T + (1 - active) @ (1 - active).T
            self.agreement += agreement.double().cpu()
        return func(*args, **(kwargs or {}))


def _without_batch_norm(module: nn.Module) -> nn.Module:
    for name, child in module.named_children():
        if isinstance(child, BATCH_NORMS):
            setattr(module, name, nn.Identity())
        else:
            _without_batch_norm(child)
    return module
