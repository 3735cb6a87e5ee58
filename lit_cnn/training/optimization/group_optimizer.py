"""What the optimizers written here share: one call for each group of parameters, and Adam's direction."""

from abc import ABC, abstractmethod
from collections.abc import Callable, MutableMapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def evaluate(closure: Callable[[], Any] | None) -> Any:
    """The loss of a closure run with gradients enabled; None without a closure."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def with_gradients(group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
    """The parameters of a group that have a gradient, and these."""
    params = [parameter for parameter in group["params"] if parameter.grad is not None]
    return params, [parameter.grad for parameter in params]


class GroupOptimizer(Optimizer, ABC):
    """Updates the parameters of a group that have a gradient, all in one call."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = evaluate(closure)
        for group in self.param_groups:
            params, grads = with_gradients(group)
            if params:
                self._update(group, params, grads)
        return loss

    @abstractmethod
    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None: ...


def adam_direction(
    group: dict[str, Any], states: MutableMapping[Tensor, dict[str, Any]], params: list[Tensor], grads: list[Tensor]
) -> list[Tensor]:
    """m/(√v + ε) with bias correction, of a group with ``betas`` and ``epsilon``; the moments live in ``states``."""
    beta1, beta2 = group["betas"]
    for parameter in params:
        state = states[parameter]
        if not state:
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
    steps = [states[parameter]["step"] for parameter in params]
    means = [states[parameter]["mean"] for parameter in params]
    squares = [states[parameter]["square"] for parameter in params]
    torch._foreach_lerp_(means, grads, 1 - beta1)
    torch._foreach_mul_(squares, beta2)
    torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
    roots = torch._foreach_div(squares, [1 - beta2**step for step in steps])
    torch._foreach_sqrt_(roots)
    torch._foreach_add_(roots, group["epsilon"])
    updates = torch._foreach_div(means, [1 - beta1**step for step in steps])
    torch._foreach_div_(updates, roots)
    return list(updates)
