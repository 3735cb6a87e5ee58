"""What a search maximizes, from what was measured of a network; the limits that no network may exceed; the fronts.

Everything here is arithmetic: what is measured is in :mod:`lit_cnn.search.costs`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, get_args

from lit_cnn.architectures.sizes import format_size, parse_size
from lit_cnn.reports.pareto import pareto_front

Cost = Literal["params", "madds", "latency_ms", "step_ms"]
"""Parameters; multiply-adds of an image; inference of a batch; a training step."""
COSTS: tuple[Cost, ...] = get_args(Cost)
ACCURACY = "accuracy"
SIZES = ("params", "madds")
"""Costs that are written in millions."""
WORDS: Mapping[str, str] = {
    "params": "parameters",
    "madds": "multiply-adds",
    "latency_ms": "ms of latency",
    "step_ms": "ms of a training step",
}


class Objective(Protocol):
    """A reward, high ones good."""

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What has to be measured besides the accuracy."""

    def reward(self, measured: Mapping[str, float]) -> float:
        """The reward of what was measured: ``accuracy`` and the costs by their names.

        Raises:
            ValueError: If a figure that is needed is not there, or a cost is not positive.
        """


@dataclass(frozen=True)
class Accuracy:
    """Accuracy alone."""

    costs: ClassVar[tuple[Cost, ...]] = ()

    def reward(self, measured: Mapping[str, float]) -> float:
        """The accuracy."""
        return _figure(measured, ACCURACY)


@dataclass(frozen=True)
class LatencyProduct:
    """accuracy · (cost / target)^w, with w = ``alpha`` up to the target and ``beta`` above it (MnasNet, Tan et al.,
    2018, arXiv:1807.11626, section 3.1).

    -0.07 for both is the paper's soft constraint: twice the latency is worth 5 % of the accuracy. 0 and -1 is the hard
    one. EfficientNet-B0 was searched with the cost madds and the target 400M (arXiv:1905.11946).

    Args:
        cost: What is weighed: latency_ms, madds, params or step_ms.
        target: T of the paper, in ms, or in millions for madds and params, such as 400 or "400M".
        alpha: Exponent up to the target, at most 0.
        beta: Exponent above it, at most 0.

    Raises:
        ValueError: If a value is not of that kind.
    """

    cost: Cost = "latency_ms"
    target: float | str = 5.0
    alpha: float = -0.07
    beta: float = -0.07

    def __post_init__(self) -> None:
        if self.cost not in COSTS:
            raise ValueError(f"objective.cost must be one of {', '.join(COSTS)}, got {self.cost!r}")
        _scale("objective.target", self.cost, self.target)
        for key in ("alpha", "beta"):
            _exponent(f"objective.{key}", getattr(self, key))

    @property
    def costs(self) -> tuple[Cost, ...]:
        """The cost that is weighed."""
        return (self.cost,)

    def reward(self, measured: Mapping[str, float]) -> float:
        """The product."""
        ratio = _figure(measured, self.cost) / _scale("objective.target", self.cost, self.target)
        return _figure(measured, ACCURACY) * ratio ** (self.alpha if ratio <= 1 else self.beta)


@dataclass(frozen=True)
class TrainingProduct:
    """accuracy · S^w · P^v, with S the time of a training step and P the parameters, both over those of a reference
    network (EfficientNetV2, Tan and Le, 2021, arXiv:2104.00298, section 3.3).

    Args:
        step_ms: Step time at which S is 1.
        params: Parameters at which P is 1, in millions, such as 20 or "20M".
        w: Exponent of S, at most 0.
        v: Exponent of P, at most 0.

    Raises:
        ValueError: If a value is not of that kind.
    """

    step_ms: float = 100.0
    params: float | str = 20.0
    w: float = -0.07
    v: float = -0.05

    costs: ClassVar[tuple[Cost, ...]] = ("step_ms", "params")

    def __post_init__(self) -> None:
        for cost in self.costs:
            _scale(f"objective.{cost}", cost, getattr(self, cost))
        for key in ("w", "v"):
            _exponent(f"objective.{key}", getattr(self, key))

    def reward(self, measured: Mapping[str, float]) -> float:
        """The product."""
        step, params = (
            _figure(measured, cost) / _scale(f"objective.{cost}", cost, getattr(self, cost)) for cost in self.costs
        )
        return _figure(measured, ACCURACY) * step**self.w * params**self.v


OBJECTIVES: dict[str, type[Objective]] = {
    "accuracy": Accuracy,
    "latency_product": LatencyProduct,
    "training_product": TrainingProduct,
}
"""What ``objective.name`` states."""


@dataclass(frozen=True)
class Limits:
    """The most that a network may cost; None: any.

    Args:
        params: Parameters in millions, such as 6 or "6M".
        madds: Multiply-adds of an image, in millions.
        latency_ms: Latency of a batch, by the table of the search.

    Raises:
        ValueError: If a limit is not a positive number.
    """

    params: float | str | None = None
    madds: float | str | None = None
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        for cost in self.costs:
            _scale(f"limits.{cost}", cost, getattr(self, cost))

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What is limited."""
        return tuple(cost for cost in COSTS if getattr(self, cost, None) is not None)

    def exceeded(self, costs: Mapping[str, float]) -> str | None:
        """The first limit that a network exceeds, in words; None if it is within all.

        Raises:
            ValueError: If a figure that is needed is not there.
        """
        for cost in self.costs:
            most, figure = _scale(f"limits.{cost}", cost, getattr(self, cost)), _figure(costs, cost)
            if figure > most:
                return f"{_written(cost, figure)} {WORDS[cost]} exceed the limit of {_written(cost, most)}"
        return None


def front(measured: Sequence[Mapping[str, float]], axes: Sequence[str]) -> list[int]:
    """The numbers of the networks that no other one beats, in their order; of equal ones, the first.

    Args:
        measured: Figures of each network.
        axes: Any of accuracy, which is better the higher, and the costs.

    Raises:
        ValueError: If an axis is unknown or a network lacks it.
    """
    for axis in axes:
        if axis not in (ACCURACY, *COSTS):
            raise ValueError(f"a front has the axes {', '.join((ACCURACY, *COSTS))}, got {axis!r}")
    rows = [[_figure(each, axis) * (-1 if axis == ACCURACY else 1) for axis in axes] for each in measured]
    return pareto_front(rows)


def _figure(measured: Mapping[str, float], name: str) -> float:
    if name not in measured:
        raise ValueError(f"{name} is needed but was not measured; there are {', '.join(measured) or 'no figures'}")
    value = measured[name]
    if name != ACCURACY and not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive, but {value} was measured")
    return value


def _scale(where: str, cost: Cost, stated: float | str) -> float:
    """A target or limit as a number: sizes in millions, times in ms."""
    try:
        if cost in SIZES:
            return parse_size(stated)
        if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 < stated < math.inf:
            return float(stated)
    except ValueError as error:
        raise ValueError(f"{where} is {stated!r}: {error}") from None
    raise ValueError(f"{where} is {stated!r} but must be a positive number of ms")


def _exponent(where: str, stated: object) -> None:
    number = isinstance(stated, int | float) and not isinstance(stated, bool)
    if not number or not -math.inf < stated <= 0:  # type: ignore[operator]
        raise ValueError(f"{where} is {stated!r} but must be a number of at most 0, so that costs lower the reward")


def _written(cost: Cost, figure: float) -> str:
    return format_size(figure) if cost in SIZES else f"{figure:.4g}"
