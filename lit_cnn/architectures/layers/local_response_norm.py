"""Local response normalization, a brightness control between neighboring channels, of AlexNet, ZFNet and GoogLeNet."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

ResponseNormKind = Literal["paper", "caffe", "none"]
"""AlexNet's formula; Caffe's reading of it, which averages squares where the paper sums them; or no such layer."""


class ResponseNorm(nn.Module):
    """b_c = a_c / (k + alpha · Σ a_j²)^beta over the ``size`` channels j around c (AlexNet, section 3.3).

    The window is cut at the first and last channel. (N, C, H, W) -> (N, C, H, W).

    Args:
        size: n, channels in the window; odd.
        alpha: Weight of the sum of squares.
        beta: Exponent.
        k: Constant that keeps the denominator from zero.
        average: Divide ``alpha`` by ``size``, as Caffe and ``torch.nn.LocalResponseNorm`` do.
    """

    def __init__(
        self, size: int = 5, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0, average: bool = False
    ) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k, self.average = size, alpha, beta, k, average

    def forward(self, x: Tensor) -> Tensor:
        channels, half = x.shape[1], self.size // 2
        squares = F.pad(x.square(), (0, 0, 0, 0, half, half))
        total = squares[:, :channels]
        for shift in range(1, self.size):
            total = total + squares[:, shift : shift + channels]
        weight = self.alpha / self.size if self.average else self.alpha
        return x * (self.k + weight * total).pow(-self.beta)

    def extra_repr(self) -> str:
        return f"size={self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}, average={self.average}"


def make_response_norm(kind: ResponseNormKind) -> nn.Module:
    """AlexNet's constants (k = 2), Caffe's (k = 1, averaged), or the identity."""
    if kind == "none":
        return nn.Identity()
    return ResponseNorm(k=1.0, average=True) if kind == "caffe" else ResponseNorm()
