"""A strategy as the chooser of the engine: which network each slot trains, and what its reward is."""

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lit_cnn.architectures.entry import Value
from lit_cnn.experiment.files import argument
from lit_cnn.search.objectives import ACCURACY, Objective
from lit_cnn.search.prefilter import Scoring
from lit_cnn.search.spaces.space import Candidate, Point, SearchSpace
from lit_cnn.search.strategies.strategy import FAILED, History, Strategy
from lit_cnn.sweeps.plan import Choice, Known, Marked

NETWORK, REJECTED, COSTS, MEASURED = "network", "rejected", "costs", "measured"
"""Attributes of a trial: its network's encoding, how many proposals before it exceeded the limits, what it costs, and
its metric, where it is rewarded by something else."""
MAX_REJECTED = 1000
"""After so many proposals above the limits a search gives up."""


@dataclass
class SearchChooser:
    """Chooses by a strategy.

    Args:
        space: What is chosen from.
        strategy: How.
        seed: Key of its draws.
        lag: Slot k is chosen from the results of slots 0 to k - 1 - lag.
        objective: What is maximized.
        costs: Of a candidate, before it is trained.
        exceeds: Why a network of these costs is not trained, or None.
        scoring: Of several proposals within the limits the one with the highest score is trained.
        compared: How many of them.
        sign: -1 where the metric is a loss, whose negative is maximized.
    """

    space: SearchSpace
    strategy: Strategy
    seed: int
    lag: int
    objective: Objective
    costs: Callable[[Candidate], dict[str, float]]
    exceeds: Callable[[Mapping[str, float]], str | None]
    scoring: Scoring | None = None
    compared: int = 1
    sign: int = 1
    _points: dict[str, Point] = field(default_factory=dict, init=False)

    def fixed(self, slot: int) -> None:
        """Every point of a search is chosen."""

    def choose(self, slot: int, known: Sequence[Known]) -> Choice | None:
        """The strategy's first proposal within the limits, or the one with the highest score of the first few; None
        while a result that it may read is missing.

        Raises:
            ValueError: If none of ``MAX_REJECTED`` is within the limits.
        """
        if len(known) < slot or not all(point.ended for point in known[: max(slot - self.lag, 0)]):
            return None
        within, rejected, reason = [], 0, ""
        for point in itertools.islice(self.strategy.proposals(self._history(known[:slot])), MAX_REJECTED):
            costs = self.costs(self.space.candidate(point))
            exceeded = self.exceeds(costs)
            if exceeded is None:
                within.append((point, costs))
            else:
                rejected, reason = rejected + 1, exceeded
            if len(within) == self.compared:
                break
        if not within:
            raise ValueError(
                f"none of {MAX_REJECTED} networks that were proposed is within search.limits (the last: {reason}): "
                "raise the limits, or choose a space of smaller networks"
            )
        point, costs = self._best(within)
        return Choice({}, {NETWORK: self.space.encode(point), REJECTED: rejected, COSTS: costs})

    def _best(self, within: Sequence[tuple[Point, dict[str, float]]]) -> tuple[Point, dict[str, float]]:
        """The proposal with the highest score, of equal ones the first."""
        scoring = self.scoring
        if scoring is None or len(within) == 1:
            return within[0]
        return max(within, key=lambda each: scoring(self.space.candidate(each[0]), each[1]))

    def _history(self, earlier: Sequence[Known]) -> History:
        """What the slot after ``earlier`` knows."""
        readable = earlier[: max(len(earlier) - self.lag, 0)]
        return History(
            points=tuple(self._point(point.attributes[NETWORK]) for point in earlier),
            rewards=tuple(FAILED if point.score is None else point.score for point in readable),
            lag=self.lag,
            seed=self.seed,
        )

    def knew(self, known: Sequence[Known], slot: int) -> tuple[History, Point]:
        """What a slot knew when it was chosen, and its point."""
        return self._history(known[:slot]), self._point(known[slot].attributes[NETWORK])

    def _point(self, text: str) -> Point:
        if text not in self._points:
            self._points[text] = self.space.decode(text)
        return self._points[text]

    def chosen(self, trial: Marked) -> Choice | None:
        attributes = trial.user_attrs
        if NETWORK not in attributes:
            return None
        return Choice({}, {name: attributes[name] for name in (NETWORK, REJECTED, COSTS)})

    def overrides(self, trial: Marked) -> list[str]:
        candidate = self.space.candidate(self._point(trial.user_attrs[NETWORK]))
        return stating(candidate)

    def score(self, trial: Marked, measured: float) -> float:
        return self.objective.reward({ACCURACY: self.sign * measured, **trial.user_attrs[COSTS]})

    def described(self, trial: Marked) -> str:
        return short_name(trial.user_attrs[NETWORK])

    def shown(self, trial: Marked) -> dict[str, Any]:
        attributes = trial.user_attrs
        shown: dict[str, Any] = {NETWORK: attributes[NETWORK], **attributes[COSTS], REJECTED: attributes[REJECTED]}
        return shown | ({MEASURED: attributes[MEASURED]} if MEASURED in attributes else {})


@dataclass
class ListChooser:
    """Points that are given: networks by their names. A slot keeps its name, in whatever order a later list has them.

    Args:
        networks: Name -> the network.
    """

    networks: Mapping[str, Candidate]

    def fixed(self, slot: int) -> None:
        """No place in the list is a slot's for ever."""

    def choose(self, slot: int, known: Sequence[Known]) -> Choice | None:
        """The first network of the list that no slot has; None while an earlier slot is not known."""
        if len(known) < slot:
            return None
        taken = {point.attributes[NETWORK] for point in known}
        name = next((name for name in self.networks if name not in taken), None)
        return None if name is None else Choice({}, {NETWORK: name})

    def chosen(self, trial: Marked) -> Choice:
        return Choice({}, {NETWORK: trial.user_attrs[NETWORK]})

    def overrides(self, trial: Marked) -> list[str]:
        return stating(self.networks[trial.user_attrs[NETWORK]])

    def score(self, trial: Marked, measured: float) -> float:
        return measured

    def described(self, trial: Marked) -> str:
        return trial.user_attrs[NETWORK]

    def shown(self, trial: Marked) -> dict[str, Any]:
        return {NETWORK: trial.user_attrs[NETWORK]}


def short_name(encoding: str) -> str:
    """Six letters for a network whose encoding is long, the same at every search: ``a83f02``."""
    return hashlib.sha256(encoding.encode()).hexdigest()[:6]


def stating(candidate: Candidate) -> list[str]:
    """The ``--key=value`` with which a recipe states a network."""
    options: Mapping[str, Value] = candidate.options
    return [
        argument("model.architecture", candidate.architecture),
        *(argument(f"model.options.{name}", list(v) if isinstance(v, tuple) else v) for name, v in options.items()),
    ]
