"""Muon: the momentum of every weight matrix is orthogonalized, so that all its directions move by the same length.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; the size of the update, one rate for all parameters and
Adam for those that are not matrices as in Liu et al. 2025, arXiv:2502.16982, section 2.2.
"""

from collections.abc import MutableMapping
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.training.class_rows import head_tensors
from lit_cnn.training.optimization.group_optimizer import GroupOptimizer, adam_direction

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic polynomial: steep at 0; five rounds bring all of 0.002 to 1 between 0.68 and 1.21."""
ADAM_RMS = 0.2
"""Root mean square of an update over the learning rate, about that of Adam's."""
_SMALLEST_NORM = 1e-7


def split_matrices(network: nn.Module, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each group without the weights of convolutions and linear layers, and these as a group of their own.

    The layers that end in the classes stay with the others, for which Adam is meant. Groups of matrices hold
    ``matrix_blocks``: for each weight in how many blocks it falls, the groups of a convolution. A depthwise convolution
    is thus one row for each channel. No group is empty.
    """
    head = {id(network.get_parameter(name)) for name in head_tensors(network)}
    blocks = {
        id(module.weight): getattr(module, "groups", 1)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and id(module.weight) not in head
    }
    split: list[dict[str, Any]] = []
    for group in groups:
        others = [parameter for parameter in group["params"] if id(parameter) not in blocks]
        matrices = [parameter for parameter in group["params"] if id(parameter) in blocks]
        if others:
            split.append({**group, "params": others})
        if matrices:
            counts = [blocks[id(parameter)] for parameter in matrices]
            split.append({**group, "params": matrices, "name": f"{group['name']}_matrices", "matrix_blocks": counts})
    return split


def orthogonalized(matrices: Tensor) -> Tensor:
    """The nearest matrices whose rows (or columns, if fewer) are orthonormal, about: singular values near 1.

    Five rounds of a Newton-Schulz iteration, in the precision of the argument.

    Args:
        matrices: (N, rows, columns).
    """
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=_SMALLEST_NORM)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(GroupOptimizer):
    """m ← μm + (1 - μ)g;  u = (1 - μ)g + μm with ``nesterov``, else m;  θ ← θ - η(0.2·√max(rows, columns)·O(u) + λθ)

    O orthogonalizes each block of a weight, a matrix of the filters (rows) by their inputs and pixels (columns): on a
    GPU in bfloat16, else in the precision of the weight. Groups without ``matrix_blocks`` take Adam's step. With
    ``coupled``, λθ joins the gradient instead.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        coupled: bool = False,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "betas": betas, "epsilon": epsilon}
        super().__init__(params, {**defaults, "weight_decay": weight_decay, "coupled": coupled, "matrix_blocks": None})

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        decay = group["weight_decay"]
        if decay and group["coupled"]:
            grads = list(torch._foreach_add(grads, params, alpha=decay))
        elif decay:
            torch._foreach_mul_(params, 1 - group["lr"] * decay)
        adam = group["matrix_blocks"] is None
        updates = (adam_direction if adam else self._directions)(group, self.state, params, grads)
        torch._foreach_add_(params, updates, alpha=-group["lr"])

    def _directions(
        self,
        group: dict[str, Any],
        states: MutableMapping[Tensor, dict[str, Any]],
        params: list[Tensor],
        grads: list[Tensor],
    ) -> list[Tensor]:
        """Of weights that are matrices."""
        for parameter in params:
            if not states[parameter]:
                states[parameter]["momentum"] = torch.zeros_like(parameter)
        momenta = [states[parameter]["momentum"] for parameter in params]
        torch._foreach_lerp_(momenta, grads, 1 - group["momentum"])
        ahead = torch._foreach_lerp(grads, momenta, group["momentum"]) if group["nesterov"] else momenta
        blocks = dict(zip(map(id, group["params"]), group["matrix_blocks"], strict=True))
        return [_direction(momentum, blocks[id(parameter)]) for momentum, parameter in zip(ahead, params, strict=True)]


def _direction(momentum: Tensor, blocks: int) -> Tensor:
    """The step of a weight (out, in, …) whose ``blocks`` divide the first dimension, for a rate of 1."""
    matrices = momentum.reshape(blocks, momentum.shape[0] // blocks, -1)
    scale = ADAM_RMS * max(matrices.shape[1:]) ** 0.5
    computed = orthogonalized(matrices.bfloat16() if matrices.is_cuda else matrices)
    return (scale * computed).to(momentum).reshape(momentum.shape)
