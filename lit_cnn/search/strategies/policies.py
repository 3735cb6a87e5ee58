"""Distributions over the points of a space that a controller learns: the weights of each are plain tensors.

Everything is computed in float64: a last bit that two machines round differently decides a draw less often.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from lit_cnn.randomness import generator
from lit_cnn.search.spaces.space import Point, SearchSpace

Weights = dict[str, Tensor]


class Policy(Protocol):
    """A distribution over the options of every decision."""

    def initial(self, seed: int) -> Weights:
        """The weights before the first reward."""

    def log_probabilities(self, weights: Weights, points: Tensor) -> tuple[Tensor, Tensor]:
        """Of points (N, decisions): their log-probabilities (N,), and the entropies of the decisions made, summed
        (N,)."""

    def sample(self, weights: Weights, draws: Random) -> Point:
        """A point drawn from the distribution."""


def draw(logits: Tensor, draws: Random) -> int:
    """An option drawn from the softmax of its logits (options,)."""
    chances = F.softmax(logits, 0).cumsum(0).tolist()
    place = draws.random() * chances[-1]
    return next((option for option, chance in enumerate(chances) if place < chance), len(chances) - 1)


class IndependentPolicy:
    """A softmax for each decision and nothing else, as NATS-Bench has it (arXiv:2009.00437): logits 1e-3 · normal."""

    def __init__(self, space: SearchSpace) -> None:
        self.counts = [len(decision.options) for decision in space.decisions]
        self._missing = torch.arange(max(self.counts)) >= torch.tensor(self.counts)[:, None]

    def initial(self, seed: int) -> Weights:
        logits = torch.randn(self._missing.shape, generator=generator(seed, "search", "policy"), dtype=torch.float64)
        return {"logits": 1e-3 * logits}

    def log_probabilities(self, weights: Weights, points: Tensor) -> tuple[Tensor, Tensor]:
        logs = F.log_softmax(weights["logits"].masked_fill(self._missing, -1e9), 1)
        chosen = logs[torch.arange(len(self.counts)), points].sum(1)
        entropy = -(logs.exp() * logs).masked_fill(self._missing, 0).sum()
        return chosen, entropy.expand(len(points))

    def sample(self, weights: Weights, draws: Random) -> Point:
        rows = zip(weights["logits"], self.counts, strict=True)
        return tuple(draw(logits[:count], draws) for logits, count in rows)


class LSTMPolicy:
    """NASNet's controller (arXiv:1707.07012, appendix A): a one-layer LSTM with a softmax for each decision, whose
    input is an embedding of the decision before; all weights uniform in [-0.1, 0.1].

    Args:
        space: Whose decisions are made, in their order.
        units: Width of the LSTM, and of the embeddings.
    """

    def __init__(self, space: SearchSpace, units: int = 100) -> None:
        self.counts = [len(decision.options) for decision in space.decisions]
        self.units = units

    def initial(self, seed: int) -> Weights:
        source = generator(seed, "search", "policy")

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=source, dtype=torch.float64) * 0.2 - 0.1

        width = self.units
        weights = {"first": uniform(1, width)}
        for name in ("input", "hidden"):
            weights[name], weights[f"{name} bias"] = uniform(4 * width, width), uniform(4 * width)
        for number, count in enumerate(self.counts):
            weights[f"softmax {number}"] = uniform(count, width)
            weights[f"embedding {number}"] = uniform(count, width)
        return weights

    def log_probabilities(self, weights: Weights, points: Tensor) -> tuple[Tensor, Tensor]:
        logs, entropies = [], []

        def given(number: int, logits: Tensor) -> Tensor:
            every = F.log_softmax(logits, 1)
            entropies.append(-(every.exp() * every).sum(1))
            logs.append(every.gather(1, points[:, number : number + 1]).squeeze(1))
            return points[:, number]

        self._decide(weights, len(points), given)
        return torch.stack(logs).sum(0), torch.stack(entropies).sum(0)

    def sample(self, weights: Weights, draws: Random) -> Point:
        point = []

        def drawn(_: int, logits: Tensor) -> Tensor:
            point.append(draw(logits[0], draws))
            return torch.tensor(point[-1:])

        with torch.no_grad():
            self._decide(weights, 1, drawn)
        return tuple(point)

    def _decide(self, weights: Weights, size: int, choose: Callable[[int, Tensor], Tensor]) -> None:
        """Let ``choose`` take an option (size,) of each decision from the logits (size, options)."""
        shown = weights["first"].expand(size, -1)
        state = shown.new_zeros(size, self.units), shown.new_zeros(size, self.units)
        cell = [weights[name] for name in ("input", "hidden", "input bias", "hidden bias")]
        for number in range(len(self.counts)):
            state = torch.lstm_cell(shown, state, *cell)
            options = choose(number, state[0] @ weights[f"softmax {number}"].T)
            shown = weights[f"embedding {number}"][options]
