"""LAMB: You et al. 2019, arXiv:1904.00962."""

from typing import Any

import torch
from torch import Tensor

from lit_cnn.training.optimization.group_optimizer import GroupOptimizer, adam_direction


class LAMB(GroupOptimizer):
    """LAMB (You et al. 2019, Algorithm 2): Adam's step, resized per tensor to the norm of its weights.

    m, v as in Adam with bias correction;  u = m/(√v + ε) + λθ;  θ ← θ - η·(‖θ‖/‖u‖)·u

    The trust ratio ‖θ‖/‖u‖ is 1 where either norm is 0, has no bounds, and is taken by groups with ``adapt`` alone, so
    that norm scales and biases get Adam's step. Some implementations first clip the global gradient norm to 1; the
    paper does not, nor does this class: the run's gradient clipping can. With ``coupled``, λθ joins the gradient.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        coupled: bool = False,
        adapt: bool = True,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "epsilon": epsilon, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "coupled": coupled, "adapt": adapt})

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        decay = group["weight_decay"]
        if decay and group["coupled"]:
            grads = list(torch._foreach_add(grads, params, alpha=decay))
        updates = adam_direction(group, self.state, params, grads)
        if decay and not group["coupled"]:
            torch._foreach_add_(updates, params, alpha=decay)
        if group["adapt"]:
            weights, lengths = torch.stack(torch._foreach_norm(params)), torch.stack(torch._foreach_norm(updates))
            ratio = torch.where((weights > 0) & (lengths > 0), weights / lengths, torch.ones_like(weights))
            torch._foreach_mul_(updates, list(ratio.unbind()))
        torch._foreach_add_(params, updates, alpha=-group["lr"])
