"""The strategies by the names that a search states: ``strategy: {name: evolution, population: 20, sample: 5}``."""

from typing import Protocol

from lit_cnn.search.spaces.space import SearchSpace
from lit_cnn.search.strategies.controller import PPOSettings, ReinforceSettings
from lit_cnn.search.strategies.evolution import EvolutionSettings
from lit_cnn.search.strategies.local_search import LocalSearchSettings
from lit_cnn.search.strategies.predictor import PredictorSettings
from lit_cnn.search.strategies.random import RandomSettings
from lit_cnn.search.strategies.strategy import Strategy
from lit_cnn.search.strategies.tpe import TPESettings


class StrategySettings(Protocol):
    """A dataclass of plain values, which are checked when it is made."""

    def build(self, space: SearchSpace, budget: int) -> Strategy:
        """The strategy for ``budget`` evaluations in a space."""


STRATEGIES: dict[str, type[StrategySettings]] = {
    "random": RandomSettings,
    "evolution": EvolutionSettings,
    "local_search": LocalSearchSettings,
    "reinforce": ReinforceSettings,
    "ppo": PPOSettings,
    "predictor": PredictorSettings,
    "tpe": TPESettings,
}
