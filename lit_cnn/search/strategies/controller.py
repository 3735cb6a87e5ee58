"""Reinforcement learning: a policy whose log-probabilities of good networks are raised, by REINFORCE or by PPO.

REINFORCE is Williams (1992) as Zoph and Le search with it (arXiv:1611.01578), PPO the clipped objective of Schulman et
al. (arXiv:1707.06347), with which NASNet is searched (arXiv:1707.07012, appendix A). The policy of a slot is computed
again from the rewards that the slot knows, in the order of the slots.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lit_cnn.search.spaces.space import Point, SearchSpace
from lit_cnn.search.strategies.policies import IndependentPolicy, LSTMPolicy, Policy, Weights
from lit_cnn.search.strategies.replay import Replay
from lit_cnn.search.strategies.strategy import FAILED, History

LEARNING_RATES = {"independent": 0.1, "lstm": 0.003}
"""Of each policy where none is stated: the best of a few after 60 evaluations in tables of trained accuracies."""
REDRAWN = 100
"""So many samples of a slot are compared with the point that it took, to find the choices that led to it."""


class Update(NamedTuple):
    """How a policy learns.

    Args:
        learning_rate: Of Adam.
        entropy: Weight of the entropy that is maximized next to the reward.
        baseline: Weight of the past in the exponential moving average of rewards that is subtracted from a reward,
            whose bias towards its start is corrected.
        minibatch: Networks per update.
        passes: Gradient steps per update.
        clip: PPO's bound of the ratio of new to old probability minus 1; None for REINFORCE.
    """

    learning_rate: float
    entropy: float
    baseline: float
    minibatch: int = 1
    passes: int = 1
    clip: float | None = None


class _Sample(NamedTuple):
    """A slot's choices, and their log-probability when they were drawn."""

    choices: Point
    log_probability: float


class _Learner(NamedTuple):
    """The policy of a slot, and what its next updates need.

    Args:
        weights: Of the policy.
        moments: Adam's two moving averages, by weight.
        steps: Gradient steps so far.
        average: The baseline's numerator and denominator.
        training: Samples whose reward this slot does not know.
        batch: Samples with their advantages, for the next update.
    """

    weights: Weights
    moments: dict[str, tuple[Tensor, Tensor]]
    steps: int = 0
    average: tuple[float, float] = (0.0, 0.0)
    training: tuple[_Sample, ...] = ()
    batch: tuple[tuple[_Sample, float], ...] = ()


class Controller:
    """Proposes samples of its policy; networks that come again are evaluated again, failed ones teach nothing."""

    def __init__(self, space: SearchSpace, policy: Policy, update: Update) -> None:
        self.space, self.policy, self.update = space, policy, update
        self._learners: Replay[_Learner] = Replay(self._start, self._step)

    def proposals(self, history: History) -> Iterator[Point]:
        return map(self.space.canonical, self._samples(self.weights(history), history))

    def weights(self, history: History) -> Weights:
        """Those of the policy that the history's slot samples from."""
        return self._learners.state(history).weights

    def _samples(self, weights: Weights, history: History) -> Iterator[Point]:
        draws = history.draws("policy")
        while True:
            yield self.policy.sample(weights, draws)

    def _start(self, seed: int) -> _Learner:
        weights = self.policy.initial(seed)
        return _Learner(weights, {name: (torch.zeros_like(w), torch.zeros_like(w)) for name, w in weights.items()})

    def _step(self, learner: _Learner, before: History, after: History) -> _Learner:
        sample = self._sample(learner.weights, before, after.points[-1])
        learner = learner._replace(training=(*learner.training, sample))
        if len(after.rewards) == len(before.rewards):
            return learner
        sample, reward = learner.training[0], after.rewards[-1]
        learner = learner._replace(training=learner.training[1:])
        return learner if reward == FAILED else self._rewarded(learner, sample, reward)

    def _sample(self, weights: Weights, history: History, point: Point) -> _Sample:
        """The choices that led to the slot's point: several may make the same network."""
        samples = itertools.islice(self._samples(weights, history), REDRAWN)
        choices = next((sample for sample in samples if self.space.canonical(sample) == point), point)
        if self.update.clip is None:
            return _Sample(choices, 0.0)
        with torch.no_grad():
            return _Sample(choices, self.policy.log_probabilities(weights, torch.tensor([choices]))[0].item())

    def _rewarded(self, learner: _Learner, sample: _Sample, reward: float) -> _Learner:
        weight = self.update.baseline
        total, count = (
            weight * old + (1 - weight) * new for old, new in zip(learner.average, (reward, 1), strict=True)
        )
        batch = (*learner.batch, (sample, reward - total / count))
        learner = learner._replace(average=(total, count), batch=batch)
        if len(batch) < self.update.minibatch:
            return learner
        for _ in range(self.update.passes):
            learner = self._stepped(learner)
        return learner._replace(batch=())

    def _stepped(self, learner: _Learner) -> _Learner:
        """One step of Adam (arXiv:1412.6980) on the batch."""
        weights = {name: weight.detach().requires_grad_() for name, weight in learner.weights.items()}
        gradients = torch.autograd.grad(self._loss(weights, learner), list(weights.values()), allow_unused=True)
        steps, moments, found = learner.steps + 1, {}, {}
        for (name, weight), gradient in zip(learner.weights.items(), gradients, strict=True):
            if gradient is None:  # the embedding of the last decision leads nowhere
                found[name], moments[name] = weight, learner.moments[name]
                continue
            first, second = learner.moments[name]
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            size = (second / (1 - 0.999**steps)).sqrt() + 1e-8
            found[name] = weight - self.update.learning_rate * first / (1 - 0.9**steps) / size
            moments[name] = first, second
        return learner._replace(weights=found, moments=moments, steps=steps)

    def _loss(self, weights: Weights, learner: _Learner) -> Tensor:
        samples, advantages = zip(*learner.batch, strict=True)
        points, advantage = torch.tensor([sample.choices for sample in samples]), torch.tensor(advantages).double()
        logs, entropy = self.policy.log_probabilities(weights, points)
        gain = logs * advantage
        if self.update.clip is not None:
            ratio = (logs - torch.tensor([sample.log_probability for sample in samples])).exp()
            bounded = ratio.clamp(1 - self.update.clip, 1 + self.update.clip)
            gain = torch.minimum(ratio * advantage, bounded * advantage)
        return -(gain + self.update.entropy * entropy).mean()


@dataclass(frozen=True)
class ReinforceSettings:
    """REINFORCE; by default NATS-Bench's policy and baseline (arXiv:2009.00437), which has a learning rate of 0.01.

    Args:
        policy: independent or lstm.
        learning_rate: Of Adam; None takes 0.1 for independent and 0.003 for lstm. With NATS-Bench's 0.01 independent
            decisions learn next to nothing in 150 evaluations.
        entropy: Weight of the policy's entropy, in units of the reward; NASNet has 1e-5.
        baseline: Weight of the past in the moving average of rewards; NASNet has 0.95.
        units: Width of the LSTM.

    Raises:
        ValueError: If a value is out of its range.
    """

    policy: str = "independent"
    learning_rate: float | None = None
    entropy: float = 0.0
    baseline: float = 0.9
    units: int = 100

    def __post_init__(self) -> None:
        _check(self.policy, self.learning_rate, self.entropy, self.baseline, self.units)

    def build(self, space: SearchSpace, budget: int) -> Controller:
        """The strategy for ``budget`` evaluations in a space."""
        update = Update(self.learning_rate or LEARNING_RATES[self.policy], self.entropy, self.baseline)
        return Controller(space, make_policy(self.policy, space, self.units), update)


@dataclass(frozen=True)
class PPOSettings:
    """Proximal policy optimization; by default NASNet's controller, entropy and baseline, whose learning rate of
    0.00035 and minibatch of 20 are for 20,000 evaluations.

    Args:
        policy: independent or lstm.
        learning_rate: Of Adam; None takes 0.1 for independent and 0.003 for lstm.
        entropy: Weight of the policy's entropy, in units of the reward.
        baseline: Weight of the past in the moving average of rewards.
        units: Width of the LSTM.
        minibatch: Networks per update; None takes a fifteenth of the budget, from 5 to 20.
        passes: Gradient steps per update; NASNet's paper does not say.
        clip: Bound of the ratio of new to old probability minus 1; NASNet's paper does not say, PPO's has 0.2.

    Raises:
        ValueError: If a value is out of its range.
    """

    policy: str = "lstm"
    learning_rate: float | None = None
    entropy: float = 1e-5
    baseline: float = 0.95
    units: int = 100
    minibatch: int | None = None
    passes: int = 5
    clip: float = 0.2

    def __post_init__(self) -> None:
        _check(self.policy, self.learning_rate, self.entropy, self.baseline, self.units)
        for name, count in (("minibatch", self.minibatch), ("passes", self.passes)):
            if count is not None and count < 1:
                raise ValueError(f"{name} is {count} but must be at least 1")
        if self.clip <= 0:
            raise ValueError(f"clip is {self.clip} but must be above 0, such as 0.2")

    def build(self, space: SearchSpace, budget: int) -> Controller:
        """The strategy for ``budget`` evaluations in a space."""
        minibatch = self.minibatch or min(max(budget // 15, 5), 20)
        update = Update(
            self.learning_rate or LEARNING_RATES[self.policy],
            self.entropy,
            self.baseline,
            minibatch,
            self.passes,
            self.clip,
        )
        return Controller(space, make_policy(self.policy, space, self.units), update)


def make_policy(name: str, space: SearchSpace, units: int) -> Policy:
    """The policy of that name for the decisions of a space."""
    return LSTMPolicy(space, units) if name == "lstm" else IndependentPolicy(space)


def _check(policy: str, learning_rate: float | None, entropy: float, baseline: float, units: int) -> None:
    if policy not in LEARNING_RATES:
        raise ValueError(f"policy is {policy!r} but must be one of {', '.join(LEARNING_RATES)}")
    if learning_rate is not None and learning_rate <= 0:
        raise ValueError(f"learning_rate is {learning_rate} but must be above 0, such as 0.1")
    if entropy < 0:
        raise ValueError(f"entropy is {entropy} but must be 0 or above")
    if not 0 <= baseline < 1:
        raise ValueError(f"baseline is {baseline} but must be at least 0 and below 1, such as 0.9")
    if units < 1:
        raise ValueError(f"units is {units} but must be at least 1")
