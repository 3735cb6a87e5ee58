"""Layers that act at random in training: dropout and stochastic depth.

Their masks are a hash of (key, layer, position of the sample in the global batch), so that a step gives the same masks
on any number of ranks, under gradient accumulation, activation checkpointing and ``torch.compile``. A trainer sets the
key of each step with :func:`set_random_key`; without one a fresh key is drawn from torch's default generator at every
forward pass, as ``nn.Dropout`` would.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from lit_cnn.randomness import derive_key, fold, uniform

Gate = Literal["sample", "batch"]
"""What stochastic depth draws one gate for: a sample, or the whole global batch."""


class KeyedLayer(nn.Module):
    """A layer whose training-time mask is drawn from ``key`` and ``positions``.

    Args:
        rate: Probability in [0, 1) that a unit (or a path) is dropped. It may be changed during training.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"a drop rate must be in [0, 1), got {rate}")
        self.rate = rate
        self.key: Tensor | None = None
        self.positions: Tensor | None = None

    def batch_key(self, x: Tensor) -> Tensor:
        """() int64: the key of the optimizer step, or a fresh one for this forward pass."""
        return torch.randint(-(2**62), 2**62, (), device=x.device) if self.key is None else self.key

    def sample_keys(self, x: Tensor) -> Tensor:
        """(N,) int64: one key per sample of the batch ``x``."""
        positions = torch.arange(x.shape[0], device=x.device) if self.positions is None else self.positions
        return fold(self.batch_key(x), positions)

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"


class Dropout(KeyedLayer):
    """Zero each element with probability ``rate`` and scale the rest by 1 / (1 - rate) (Srivastava et al., 2014)."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        elements = torch.arange(x[0].numel(), device=x.device).view(1, *x.shape[1:])
        keys = self.sample_keys(x).view(-1, *[1] * (x.dim() - 1))
        kept = uniform(keys, elements) >= self.rate
        return x * kept.to(x.dtype) / (1.0 - self.rate)


class StochasticDepth(KeyedLayer):
    """Drop the whole residual branch with probability ``rate`` (Huang et al., 2016, arXiv:1603.09382).

    Survivors are scaled by 1 / (1 - rate), so that evaluation needs no rescaling. A dropped branch is multiplied by 0
    after it was computed: neither gate saves time by itself. The paper's saving (section 3) needs a block that skips
    its branch, which under data parallelism leaves parameters without a gradient.

    Args:
        rate: Probability in [0, 1) that a branch is dropped.
        gate: "sample" draws for every sample on its own, as later papers do. "batch" draws once per block and
            optimizer step for the whole global batch, as the paper does per mini-batch: all ranks and all parts of an
            accumulated batch share the gate. Without a key it is drawn at every forward pass.

    Raises:
        ValueError: If ``rate`` is outside [0, 1) or ``gate`` is neither.
    """

    def __init__(self, rate: float, gate: Gate = "sample") -> None:
        super().__init__(rate)
        if gate not in get_args(Gate):
            raise ValueError(f"the gate of stochastic depth must be 'sample' or 'batch', got {gate!r}")
        self.gate: Gate = gate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        keys = self.batch_key(x) if self.gate == "batch" else self.sample_keys(x)
        kept = uniform(keys, 0) >= self.rate
        return x * (kept.to(x.dtype) / (1.0 - self.rate)).view(-1, *[1] * (x.dim() - 1))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, gate={self.gate}"


def random_layers(network: nn.Module) -> list[KeyedLayer]:
    """The random layers of ``network``, in the order of ``network.modules()``."""
    return [module for module in network.modules() if isinstance(module, KeyedLayer)]


def set_random_key(network: nn.Module | Sequence[KeyedLayer], *, seed: int, step: int, positions: Tensor) -> None:
    """Key the masks of every random layer of ``network`` for one optimizer step.

    Args:
        network: Any module, or its ``random_layers``, which spares the search; layers are told apart by their order.
        seed: The run's seed.
        step: Optimizer steps done so far.
        positions: (N,) int64, position of each sample in the global batch, on the device of the batch.
    """
    layers = random_layers(network) if isinstance(network, nn.Module) else network
    for number, layer in enumerate(layers):
        layer.key = torch.tensor(derive_key(seed, "layer", step, number), device=positions.device)
        layer.positions = positions


def clear_random_key(network: nn.Module) -> None:
    """Let the random layers of ``network`` draw from torch's default generator again."""
    for module in network.modules():
        if isinstance(module, KeyedLayer):
            module.key = module.positions = None


def linear_rates(final_rate: float, depth: int) -> tuple[float, ...]:
    """Drop rates of ``depth`` residual blocks: block l of L drops with ``final_rate`` · l / L (Huang et al., eq. 4)."""
    return tuple(final_rate * number / depth for number in range(1, depth + 1))
