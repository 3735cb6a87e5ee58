"""A small analytic space, the strategies that every test of purity runs through, and searches by simulated workers."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from lit_cnn.randomness import derive_key
from lit_cnn.search.spaces.space import Decision, Point
from lit_cnn.search.strategies.catalog import StrategySettings
from lit_cnn.search.strategies.controller import PPOSettings, ReinforceSettings
from lit_cnn.search.strategies.evolution import EvolutionSettings
from lit_cnn.search.strategies.local_search import LocalSearchSettings
from lit_cnn.search.strategies.predictor import PredictorSettings
from lit_cnn.search.strategies.random import RandomSettings
from lit_cnn.search.strategies.strategy import FAILED, History, Strategy
from lit_cnn.search.strategies.tpe import TPESettings

SETTINGS: dict[str, StrategySettings] = {
    "random": RandomSettings(),
    "aging evolution": EvolutionSettings(population=6, sample=3, identity=0.2),
    "non-aging evolution": EvolutionSettings(population=6, sample=3, aging=False, redraw=True),
    "local search": LocalSearchSettings(),
    "repeating local search": LocalSearchSettings(repeat=True),
    "reinforce": ReinforceSettings(entropy=0.01),
    "reinforce, lstm": ReinforceSettings(policy="lstm", units=3, learning_rate=0.3),
    "ppo": PPOSettings(policy="independent", learning_rate=0.3, minibatch=3, passes=2),
    "ppo, lstm": PPOSettings(units=3, learning_rate=0.3, minibatch=2, passes=2),
    "ridge": PredictorSettings(model="ridge", initial=5, candidates=12),
    "gaussian process": PredictorSettings(initial=5, candidates=12),
    "tpe": TPESettings(initial=4),
    "repeating tpe": TPESettings(initial=4, repeat=True),
}


@dataclass(frozen=True)
class Toy:
    """``counts`` options for each decision, states and operations in turn; the first two decisions are interchangeable,
    as the halves of a block are."""

    counts: tuple[int, ...] = (4, 4, 3, 4)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(
            Decision(f"d{number}", tuple(map(str, range(count))), ("state", "operation")[number % 2])
            for number, count in enumerate(self.counts)
        )

    def canonical(self, point: Point) -> Point:
        return (*sorted(point[:2]), *point[2:])


def reward_of(point: Point, slot: int = 0, failing: bool = False) -> float:
    """High where all options are, with noise of the slot; ``failing`` loses about a third of the slots."""
    if failing and derive_key(slot, "fails") % 3 == 0:
        return FAILED
    return float(sum(point)) + derive_key(slot, "noise") % 1000 / 1000


@dataclass
class Search:
    """What the slots of a search have done so far: the engine's part, without training."""

    budget: int
    lag: int = 0
    seed: int = 5
    failing: bool = False
    points: list[Point] = field(default_factory=list)
    rewards: dict[int, float] = field(default_factory=dict)

    def history(self, slot: int) -> History:
        known = range(max(slot - self.lag, 0))
        return History(tuple(self.points[:slot]), tuple(self.rewards[i] for i in known), self.lag, self.seed)

    def work(
        self, make: Callable[[], Strategy], workers: int = 1, order: int = 0, until: int | None = None
    ) -> "Search":
        """Let workers, each with a strategy of its own, run the slots; they finish in random order. ``until`` so many
        slots have begun: then all are killed, and what they run is lost, except its points."""
        draws, strategies = random.Random(order), [make() for _ in range(workers)]
        running: list[int] = [slot for slot in range(len(self.points)) if slot not in self.rewards]
        while len(self.rewards) < self.budget:
            slot = len(self.points)
            ready = all(earlier in self.rewards for earlier in range(slot - self.lag))
            if slot < self.budget and len(running) < workers and ready and draws.random() < 0.7:
                if slot == until:
                    return self
                self.points.append(next(draws.choice(strategies).proposals(self.history(slot))))
                running.append(slot)
            elif running:
                done = running.pop(draws.randrange(len(running)))
                self.rewards[done] = reward_of(self.points[done], done, self.failing)
        return self

    @property
    def trials(self) -> list[tuple[Point, float]]:
        return [(point, self.rewards[slot]) for slot, point in enumerate(self.points)]
