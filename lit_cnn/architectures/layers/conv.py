"""Convolution, alone and with batch normalization and activation."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.depthwise import Pair, WideDepthwise, trains_in_strips
from lit_cnn.architectures.layers.matrix_gradient import MatrixGradient, trains_by_product
from lit_cnn.torch_internals import takes_own_gradients


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Tensor:
    """``F.conv2d`` of (N, C, H, W), with gradients that are calculated in the way that is fastest on a CPU.

    Under autocast a depthwise one that trains is computed in float32 and rounded to autocast's precision: oneDNN's
    backward pass of it is slower in bfloat16 than in float32, by more than the rest of the block gains
    (``benchmarks/depthwise_precision.py``). Inference and GPUs keep the low precision.
    """
    depthwise, low_precision = 1 < groups == x.shape[1], torch.is_autocast_enabled("cpu")
    if not (x.device.type == "cpu" and torch.is_grad_enabled()) or (low_precision and not depthwise):
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    if low_precision:
        with torch.autocast("cpu", enabled=False):
            y = convolve(x.to(weight.dtype), weight, bias, stride, padding, dilation, groups)
        return y.to(torch.get_autocast_dtype("cpu"))
    own_gradients = takes_own_gradients()
    if own_gradients and depthwise and bias is None and trains_in_strips(x, weight, stride, dilation):
        return WideDepthwise.apply(x, weight, padding)
    if own_gradients and trains_by_product(x, weight, dilation, groups):
        return MatrixGradient.apply(x, weight, bias, stride, padding)
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


class Conv2d(nn.Conv2d):
    """torch's with the gradients of :func:`convolve`; padding is of zeros, in numbers."""

    def forward(self, x: Tensor) -> Tensor:
        stride, padding, dilation = self.stride, self.padding, self.dilation
        return convolve(x, self.weight, self.bias, stride, padding, dilation, self.groups)  # type: ignore[arg-type]


def same_size_conv(in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, groups: int = 1) -> Conv2d:
    """A bias-free convolution to (N, C', ceil(H / stride), ceil(W / stride)), padded by half its odd kernel."""
    return Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)


class ConvNormAct(nn.Sequential):
    """Bias-free convolution padded by half its kernel, batch norm, activation.

    Args:
        activation: Activation module, or None for a linear projection.
        eps: Batch norm's epsilon.
        momentum: Share of the new batch in batch norm's running statistics (torch's convention, 1 - TensorFlow's).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        activation: nn.Module | None = None,
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        self.conv = same_size_conv(in_channels, out_channels, kernel, stride=stride, groups=groups)
        self.norm = nn.BatchNorm2d(out_channels, eps=eps, momentum=momentum)
        if activation is not None:
            self.activation = activation
