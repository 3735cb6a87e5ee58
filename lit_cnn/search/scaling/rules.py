"""Rules of scaling: by what depth, width and resolution are multiplied to spend so many times the multiply-adds.

The multiply-adds of a convolutional network grow with depth · width² · resolution². EfficientNet (Tan and Le, 2019,
arXiv:1905.11946, section 3.3) raises all three together, alpha^phi, beta^phi and gamma^phi, with alpha · beta² · gamma²
about 2; Dollár et al. (2021, arXiv:2103.06877) put 8 parts of 10 into width, since activations, which decide the time
of a step, then grow little faster than the square root of the multiply-adds.
"""

import math
from typing import Literal, NamedTuple, get_args

Rule = Literal["compound", "depth", "width", "resolution", "width_first"]
RULES: tuple[Rule, ...] = get_args(Rule)

_SHARES: dict[Rule, tuple[float, float, float]] = {
    "width": (1.0, 0.0, 0.0),
    "depth": (0.0, 1.0, 0.0),
    "resolution": (0.0, 0.0, 1.0),
    "width_first": (0.8, 0.1, 0.1),
}
"""Share of width, depth and resolution in the logarithm of the multiply-adds; width_first is pycls' d1_w8_g8_r1."""


class Factors(NamedTuple):
    """By what a network's widths, numbers of blocks and image size are multiplied."""

    width: float = 1.0
    depth: float = 1.0
    resolution: float = 1.0

    @property
    def madds(self) -> float:
        """By what the multiply-adds grow before anything is rounded."""
        return self.depth * self.width**2 * self.resolution**2


class Coefficients(NamedTuple):
    """EfficientNet's: depth alpha, width beta, resolution gamma; found by a grid around B0 (section 4 of the paper)."""

    alpha: float = 1.2
    beta: float = 1.1
    gamma: float = 1.15

    @property
    def madds(self) -> float:
        """By what the multiply-adds grow from phi to phi + 1: about 2 in the paper, 1.92 with its coefficients."""
        return self.alpha * self.beta**2 * self.gamma**2


PAPER = Coefficients()
LARGEST = 1000
"""Factors above it make networks that no memory holds."""


def compound(phi: float, coefficients: Coefficients = PAPER) -> Factors:
    """EfficientNet's formula: width beta^phi, depth alpha^phi, resolution gamma^phi.

    Raises:
        ValueError: If phi is not finite or makes a factor above 1000, a coefficient is below 1, or none is above.
    """
    check_coefficients(coefficients)
    most = math.log(LARGEST) / math.log(max(coefficients))
    if not -math.inf < phi <= most:
        raise ValueError(f"phi is {phi:g} but must be a number up to {most:.3g}, at which a factor is {LARGEST}")
    return Factors(coefficients.beta**phi, coefficients.alpha**phi, coefficients.gamma**phi)


def check_factors(factors: Factors) -> None:
    """Refuse factors that are not numbers, or too large.

    Raises:
        ValueError: Naming the factor.
    """
    for name, value in factors._asdict().items():
        if not abs(value) <= LARGEST:
            raise ValueError(f"the factor of {name} is {value:g} but must be a number up to {LARGEST}")


def check_coefficients(coefficients: Coefficients) -> None:
    """Refuse coefficients that scale nothing, or in opposite directions.

    Raises:
        ValueError: Naming the coefficient.
    """
    for name, value in coefficients._asdict().items():
        if not 1 <= value < math.inf:
            raise ValueError(f"{name} is {value:g} but must be at least 1, as in alpha 1.2, beta 1.1, gamma 1.15")
    if coefficients.madds == 1:
        raise ValueError("alpha, beta and gamma are all 1, so that phi changes nothing: raise one of them")


def implied_phi(factors: Factors, coefficients: Coefficients = PAPER) -> Factors:
    """The phi at which the formula gives each of the factors; nan for a coefficient of 1."""
    bases = Factors(coefficients.beta, coefficients.alpha, coefficients.gamma)
    return Factors(
        *(
            math.log(value) / math.log(base) if base != 1 else math.nan
            for value, base in zip(factors, bases, strict=True)
        )
    )


def factors_at(rule: Rule, times: float, coefficients: Coefficients = PAPER) -> Factors:
    """The factors of a rule whose product depth · width² · resolution² is ``times``.

    Raises:
        ValueError: If the rule is unknown, ``times`` is not positive, or the coefficients are not EfficientNet's kind.
    """
    if not 0 < times < math.inf:
        raise ValueError(f"the multiple of multiply-adds is {times} but must be a positive number")
    if rule == "compound":
        check_coefficients(coefficients)
        return compound(math.log(times) / math.log(coefficients.madds), coefficients)
    if rule not in _SHARES:
        raise ValueError(f"rule is {rule!r} but must be one of {', '.join(RULES)}")
    width, depth, resolution = _SHARES[rule]
    return Factors(times ** (width / 2), times**depth, times ** (resolution / 2))
