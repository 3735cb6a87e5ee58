"""The small grid search of section 4 of the EfficientNet paper: by which alpha, beta and gamma to double a network.

The paper fixes phi = 1, asks for alpha · beta² · gamma² of about 2, and does not state the grid's step.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lit_cnn.experiment.files import value_text
from lit_cnn.search.scaling.networks import Base, ScaledNetwork
from lit_cnn.search.scaling.recipes import scaled_lengths
from lit_cnn.search.scaling.rules import Coefficients, compound
from lit_cnn.sweeps.space import Axis, Space, Value

WIDTH, DEPTH, SIDE = "model.options.width_multiplier", "model.options.depth_multiplier", "data.image_size"
"""Recipe keys that every candidate sets."""
TARGET = 2.0


def candidates(step: float, tolerance: float) -> list[Coefficients]:
    """All coefficients from 1 on in steps of ``step`` whose product is 2, give or take a share of ``tolerance``.

    Raises:
        ValueError: If the step or the tolerance is not positive, or no coefficients meet them.
    """
    for name, value in (("step", step), ("tolerance", tolerance)):
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value:g} but must be above 0 and below 1")
    most = TARGET * (1 + tolerance)
    depths, sides = _levels(most, step), _levels(most**0.5, step)
    found = [
        coefficients
        for coefficients in itertools.starmap(Coefficients, itertools.product(depths, sides, sides))
        if abs(coefficients.madds / TARGET - 1) <= tolerance + 1e-9
    ]
    if not found:
        raise ValueError(
            f"no alpha, beta and gamma in steps of {step:g} have a product within {tolerance:.0%} of 2: "
            "choose a smaller step or a larger tolerance"
        )
    return found


def _levels(most: float, step: float) -> list[float]:
    return [round(1 + number * step, 10) for number in range(int((most - 1) / step + 1e-9) + 1)]


def distinct(base: Base, grid: Sequence[Coefficients]) -> dict[Coefficients, ScaledNetwork]:
    """The candidates' networks; of those that rounding makes the same, the one whose product is nearest to 2."""
    chosen: dict[tuple[object, ...], tuple[Coefficients, ScaledNetwork]] = {}
    for coefficients in sorted(grid, key=lambda each: abs(each.madds - TARGET)):
        network = base.scaled(compound(1, coefficients))
        shape = (network.image_size, network.params, tuple(network.blocks().items()))
        chosen.setdefault(shape, (coefficients, network))
    return dict(sorted(chosen.values(), key=lambda pair: pair[0]))


@dataclass(frozen=True)
class ListedSpace(Space):
    """A space of listed points instead of every combination.

    Args:
        points: Recipe key -> value of each.
    """

    points: tuple[dict[str, Value], ...] = ()

    def combinations(self) -> list[dict[str, Value]]:
        """The points, in their order."""
        return list(self.points)


def grid_space(
    networks: Sequence[ScaledNetwork], recipe: Mapping[str, Any], metric: str, seeds: int | None = None
) -> ListedSpace:
    """What a sweep runs: each of the networks once, or with so many seeds.

    Args:
        networks: The candidates.
        recipe: The resolved recipe that trains their base.
        metric: By which they are compared.
        seeds: Number of seeds.
    """
    points = [point_of(network, recipe) for network in networks]
    base = scaled_lengths(recipe, 1.0)
    fixed = {key for key in base if key != SIDE and all(point[key] == _value(base[key]) for point in points)}
    listed = tuple({key: value for key, value in point.items() if key not in fixed} for point in points)
    axes = tuple(Axis(key, choices=tuple(dict.fromkeys(point[key] for point in listed))) for key in listed[0])
    return ListedSpace(axes, metric=metric, seeds=seeds, points=listed)


def point_of(network: ScaledNetwork, recipe: Mapping[str, Any]) -> dict[str, Value]:
    """The recipe keys that make a network: its multipliers and all lengths in pixels, of which ``data.image_size`` may
    be another one in training than the network's in evaluation."""
    width, depth = network.multipliers
    lengths = scaled_lengths(recipe, network.image_size / network.base.pixels)
    return {WIDTH: width, DEPTH: depth, SIDE: network.image_size} | {
        key: _value(length) for key, length in lengths.items()
    }


def _value(length: Any) -> Value:
    """A length as a sweep holds it: a list by its text."""
    return value_text(length) if isinstance(length, list) else length
