"""A predictor of rewards from the networks evaluated so far chooses the next one: Bayesian optimization.

As BANANAS (arXiv:1910.11858) and NASBOT do with other predictors; candidates are random networks and mutations of the
best, the one with the largest expected improvement (Jones et al., 1998) is evaluated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from lit_cnn.search.spaces.space import Point, SearchSpace
from lit_cnn.search.strategies.mutation import mutate
from lit_cnn.search.strategies.random import unseen_points
from lit_cnn.search.strategies.regression import Kernel, fit
from lit_cnn.search.strategies.strategy import FAILED, History

MODELS: dict[str, Kernel] = {"ridge": "linear", "gaussian_process": "squared_exponential"}
DIGITS = 9
"""Of scores that are compared: equal ones stay equal where another machine rounds otherwise."""


@dataclass(frozen=True)
class PredictorSettings:
    """Search by a predictor.

    Args:
        model: gaussian_process or ridge.
        initial: Random networks before the first prediction; None takes a tenth of the budget, at least 10.
        candidates: Networks whose rewards are predicted for each slot, half of them random.
        parents: The other half are mutations of so many of the best.

    Raises:
        ValueError: If a value is out of its range.
    """

    model: str = "gaussian_process"
    initial: int | None = None
    candidates: int = 200
    parents: int = 10

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(f"model is {self.model!r} but must be one of {', '.join(MODELS)}")
        for name, least in (("initial", 2), ("candidates", 1), ("parents", 1)):
            count = getattr(self, name)
            if count is not None and count < least:
                raise ValueError(f"{name} is {count} but must be at least {least}")

    def build(self, space: SearchSpace, budget: int) -> "Predictor":
        """The strategy for ``budget`` evaluations in a space."""
        initial = self.initial or max(10, budget // 10)
        return Predictor(space, MODELS[self.model], initial, self.candidates, self.parents)


class Predictor:
    """Evaluates the candidate whose expected improvement is the largest; failed networks are left out of the fit."""

    def __init__(self, space: SearchSpace, kernel: Kernel, initial: int, candidates: int, parents: int) -> None:
        self.space, self.kernel, self.initial = space, kernel, initial
        self.candidates, self.parents = candidates, parents

    def proposals(self, history: History) -> Iterator[Point]:
        known = [slot for slot, reward in enumerate(history.rewards) if reward > FAILED]
        seen = set(history.points)
        if history.slot >= self.initial and len(known) >= 2:
            candidates = self._candidates(history, known)
            scores = self._scores(history, known, candidates)
            yield from (candidates[place] for place in sorted(range(len(scores)), key=scores.__getitem__, reverse=True))
        yield from unseen_points(self.space, history.draws("random"), seen)

    def _candidates(self, history: History, known: Sequence[int]) -> list[Point]:
        """Networks that no slot has: random ones, and mutations of the best by one decision or two."""
        draws, seen = history.draws("candidates"), set(history.points)
        fresh = unseen_points(self.space, draws, seen)
        best = sorted(known, key=history.rewards.__getitem__, reverse=True)[: self.parents]
        found: dict[Point, None] = {}
        for number in range(self.candidates):
            if number % 2:
                found[next(fresh)] = None
                continue
            point = history.points[draws.choice(best)]
            for _ in range(draws.randint(1, 2)):
                point = mutate(self.space, point, draws)
            found[point] = None
        return [point for point in found if point not in seen]

    def _scores(self, history: History, known: Sequence[int], candidates: Sequence[Point]) -> list[tuple[float, float]]:
        """Expected improvement, and the predicted reward for where it is nothing."""
        if not candidates:
            return []
        rewards = normal_scores([history.rewards[slot] for slot in known])
        model = fit(np.array([history.points[slot] for slot in known]), rewards, self.kernel)
        means, deviations = model.predict(np.array(candidates))
        gains = expected_improvement(means, deviations, float(rewards.max()))
        return list(zip(gains.round(DIGITS).tolist(), means.round(DIGITS).tolist(), strict=True))


def normal_scores(rewards: Sequence[float]) -> np.ndarray:
    """Rewards replaced by the normal quantiles of their ranks, mean 0: a few networks that do not learn would decide a
    fit otherwise. Equal rewards get the mean of their ranks."""
    values = np.asarray(rewards, float)
    below = (values[None, :] < values[:, None]).sum(1)
    equal = (values[None, :] == values[:, None]).sum(1)
    shares = (below + equal / 2) / len(values)
    return np.array([NormalDist().inv_cdf(float(share)) for share in shares])


def expected_improvement(means: np.ndarray, deviations: np.ndarray, best: float) -> np.ndarray:
    """E[max(reward - best, 0)] of normal distributions with these means and standard deviations."""
    normal = NormalDist()
    z = (means - best) / deviations
    return np.array(
        [s * (value * normal.cdf(value) + normal.pdf(value)) for value, s in zip(z, deviations, strict=True)]
    )
