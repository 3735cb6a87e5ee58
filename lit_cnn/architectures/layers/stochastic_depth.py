"""Stochastic depth: residual branches that are dropped at random in training."""

from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers.keyed import KeyedLayer
from lit_cnn.randomness import uniform, uniform_number

Gate = Literal["sample", "batch"]
"""What stochastic depth draws one gate for: a sample, or the whole global batch."""


class _Skip(torch.autograd.Function):
    """The shortcut, for a block that did not compute its branch, whose parameters get a gradient of zero.

    So each parameter is part of the graph on every rank, as data parallelism expects, and weight decay and momentum act
    on it as they do where a branch is multiplied by 0.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(shortcut: Tensor, *parameters: Tensor) -> Tensor:  # noqa: ARG004
        return shortcut.view_as(shortcut)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[1:]
        zeros = (torch.zeros_like(p) if wants else None for p, wants in zip(ctx.saved_tensors, needed, strict=True))
        return grad, *zeros


class StochasticDepth(KeyedLayer):
    """Drop the whole residual branch with probability ``rate`` (Huang et al., 2016, arXiv:1603.09382).

    Survivors are scaled by 1 / (1 - rate), so that evaluation needs no rescaling. A module that just calls the layer
    multiplies the branch, already computed, by 0 or 1 / (1 - rate). A block that asks ``drops`` before it computes
    saves the time of what a batch's gate drops (section 3 of the paper)::

        if self.drop_path.drops():
            return self.drop_path.skip(x, self)
        return x + self.drop_path.keep(self.residual(x))

    Args:
        rate: Probability in [0, 1) that a branch is dropped.
        gate: "sample" draws for every sample on its own, as later papers do. "batch" draws once per block and
            optimizer step for the whole global batch, as the paper does per mini-batch: all ranks and all parts of an
            accumulated batch share the gate. Without a key it is drawn at every forward pass.

    Attributes:
        skips: Whether ``drops`` may be true. False: each branch is computed and multiplied, with the same gates, and
            batch norm counts the batches of dropped branches, too.

    Raises:
        ValueError: If ``rate`` is outside [0, 1) or ``gate`` is neither.
    """

    def __init__(self, rate: float, gate: Gate = "sample") -> None:
        super().__init__(rate)
        if gate not in get_args(Gate):
            raise ValueError(f"the gate of stochastic depth must be 'sample' or 'batch', got {gate!r}")
        self.gate: Gate = gate
        self.skips = True

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keys = self.batch_key(x) if self.gate == "batch" else self.sample_keys(x)
        return self._scaled(x, uniform(keys, 0) >= self.rate)

    def drops(self) -> bool:
        """Draw whether the branch is dropped for the whole batch, so that a block need not compute it.

        The gate is that of ``forward``, drawn on the host: the device is not waited for. False with the gate of a
        sample and in evaluation, and under ``torch.compile`` and export, where a skipped branch would be another graph:
        there ``keep`` multiplies.
        """
        if not self._skips_here:
            return False
        key = int(torch.randint(-(2**62), 2**62, (), device="cpu")) if self.host_key is None else self.host_key
        return bool(uniform_number(key, 0) < np.float32(self.rate))  # torch, too, compares in float32

    def skip(self, shortcut: Tensor, block: nn.Module) -> Tensor:
        """The output of a block that ``drops`` its branch, with a gradient of zero for all parameters of ``block``.

        Parameters of ``block`` that the shortcut has used keep their gradient. The result shares the memory of
        ``shortcut``: it must not be changed in place.
        """
        return _Skip.apply(shortcut, *block.parameters())

    def keep(self, branch: Tensor) -> Tensor:
        """The branch of a block that goes on after ``drops``: scaled, or ``forward`` of it where none is skipped."""
        return self._scaled(branch, branch.new_ones(())) if self._skips_here else self(branch)

    @property
    def _skips_here(self) -> bool:
        able = self.skips and self.gate == "batch" and not torch.compiler.is_compiling()
        return able and self.training and self.rate > 0.0

    def _scaled(self, x: Tensor, kept: Tensor) -> Tensor:
        return x * (kept.to(x.dtype) / (1.0 - self.rate)).view(-1, *[1] * (x.dim() - 1))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, gate={self.gate}"


def linear_rates(final_rate: float, depth: int) -> tuple[float, ...]:
    """Drop rates of ``depth`` residual blocks: block l of L drops with ``final_rate`` · l / L (Huang et al., eq. 4)."""
    return tuple(final_rate * number / depth for number in range(1, depth + 1))
