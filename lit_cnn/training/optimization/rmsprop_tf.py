"""RMSprop of TensorFlow, with which MnasNet, MobileNetV3 and EfficientNet were trained."""

from typing import Any

import torch
from torch import Tensor

from lit_cnn.training.optimization.group_optimizer import GroupOptimizer


class RMSpropTF(GroupOptimizer):
    """RMSprop as TensorFlow 1 defines it.

    a ← ρa + (1 - ρ)g², starting at 1;  v ← μv + η·g/√(a + ε);  θ ← θ - v

    Unlike torch's: a starts at 1 instead of 0, ε stands inside the root, and the rate η inside the velocity, so that a
    falling rate does not rescale past steps. ``weight_decay`` is coupled.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        *,
        rho: float = 0.9,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "momentum": momentum, "epsilon": epsilon, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        for parameter in params:
            state = self.state[parameter]
            if not state:
                state["square"], state["velocity"] = torch.ones_like(parameter), torch.zeros_like(parameter)
        squares = [self.state[parameter]["square"] for parameter in params]
        velocities = [self.state[parameter]["velocity"] for parameter in params]
        if group["weight_decay"]:
            grads = list(torch._foreach_add(grads, params, alpha=group["weight_decay"]))
        torch._foreach_mul_(squares, group["rho"])
        torch._foreach_addcmul_(squares, grads, grads, 1 - group["rho"])
        roots = torch._foreach_add(squares, group["epsilon"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_addcdiv_(velocities, grads, roots, group["lr"])
        torch._foreach_sub_(params, velocities)
