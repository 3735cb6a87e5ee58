"""Limits on the gradient before an update: by global norm, by value, or adaptive to each unit's weights."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

_KINDS = ("none", "norm", "value", "adaptive")


@dataclass(frozen=True)
class ClippingSettings:
    """Which limit gradients obey.

    Args:
        kind: none; norm limits the norm of all gradients together; value limits each entry; adaptive limits the norm of
            each unit's gradient relative to the norm of its weights (NFNet, arXiv:2102.06171), the classifier excepted.
        limit: The largest norm, the largest absolute entry, or the largest ratio (NFNet: 0.01 at batch 4096).
    """

    kind: Literal["none", "norm", "value", "adaptive"] = "none"
    limit: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"clipping.kind must be one of {', '.join(_KINDS)}, got {self.kind!r}")
        if not self.limit > 0:
            raise ValueError(f"clipping.limit must be above 0, got {self.limit}; use kind none for no clipping")


def classifier_of(network: nn.Module) -> nn.Module | None:
    """The layer that adaptive clipping spares: the head's ``classifier``, or the head itself; None without a head."""
    head = getattr(network, "head", None)
    return getattr(head, "classifier", head)


def clip_gradients_(network: nn.Module, classifier: nn.Module | None, settings: ClippingSettings) -> None:
    """Clip the gradients of ``network`` in place.

    Args:
        network: The module whose gradients are limited; they must not be multiplied by a loss scale.
        classifier: The last linear layer, left alone by adaptive clipping; None to clip every parameter.
        settings: Kind and limit.
    """
    if settings.kind == "norm":
        nn.utils.clip_grad_norm_(network.parameters(), settings.limit)
    elif settings.kind == "value":
        nn.utils.clip_grad_value_(network.parameters(), settings.limit)
    elif settings.kind == "adaptive":
        spared = set() if classifier is None else {id(parameter) for parameter in classifier.parameters()}
        adaptive_clip_((p for p in network.parameters() if id(p) not in spared), settings.limit)


@torch.no_grad()
def adaptive_clip_(parameters: Iterable[nn.Parameter], clip_factor: float, eps: float = 1e-3) -> None:
    """Scale each unit's gradient to at most ``clip_factor`` times the norm of its weights (Brock et al. 2021, eq. 3).

    A unit is one output channel of a convolution or linear layer, or the whole of a bias, gain or scale. Weight norms
    count as at least ``eps``, so that zero-initialized units can move. Parameters without gradient are left alone.
    """
    for parameter in parameters:
        if parameter.grad is not None:
            largest = unit_norm(parameter).clamp(min=eps) * clip_factor
            norm = unit_norm(parameter.grad)
            parameter.grad.mul_(torch.where(norm > largest, largest / norm.clamp(min=1e-6), torch.ones_like(norm)))


def unit_norm(values: Tensor) -> Tensor:
    """The L2 norm of each unit, shaped to broadcast: (C, 1, ...) for kernels, 0-dim for vectors like (C, 1, 1, 1)."""
    if sum(size > 1 for size in values.shape) <= 1:
        return torch.linalg.vector_norm(values)
    return torch.linalg.vector_norm(values, dim=tuple(range(1, values.ndim)), keepdim=True)
