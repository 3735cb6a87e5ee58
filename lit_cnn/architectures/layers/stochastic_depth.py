"""Stochastic depth: residual branches that are dropped at random in training."""

from typing import Literal, get_args

from torch import Tensor

from lit_cnn.architectures.layers.keyed import KeyedLayer
from lit_cnn.randomness import uniform

Gate = Literal["sample", "batch"]
"""What stochastic depth draws one gate for: a sample, or the whole global batch."""


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


def linear_rates(final_rate: float, depth: int) -> tuple[float, ...]:
    """Drop rates of ``depth`` residual blocks: block l of L drops with ``final_rate`` · l / L (Huang et al., eq. 4)."""
    return tuple(final_rate * number / depth for number in range(1, depth + 1))
