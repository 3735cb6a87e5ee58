"""What was released next to what the formula gives: EfficientNet-B1 to B7 do not follow from alpha^phi.

The released code (tensorflow/tpu, efficientnet_builder.py) holds a table of widths, depths and resolutions. Only B2 is
on the formula, at phi = 1, with 260 px instead of 258; each of the others implies another phi for each of the three.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lit_cnn.architectures import efficientnet, efficientnet_lite, efficientnet_v2
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.entry import Entry
from lit_cnn.architectures.scaling import DepthRounding
from lit_cnn.search.scaling.networks import Base, ScaledNetwork
from lit_cnn.search.scaling.rules import PAPER, Coefficients, Factors, compound, implied_phi

_MULTIPLIERS: dict[str, tuple[str, float, float]] = {
    **{f"efficientnet_{key}": ("efficientnet_b0", *row[:2]) for key, row in efficientnet.SCALES.items()},
    **{f"efficientnet_{key}": ("efficientnet_lite0", *row[:2]) for key, row in efficientnet_lite.SCALES.items()},
    **{f"efficientnet_v2_{key}": ("efficientnet_v2_b0", *row) for key, row in efficientnet_v2.SCALES.items()},
}
"""Released network -> the network it scales, its width and its depth multiplier."""

PAIRS: tuple[tuple[float, str | None], ...] = (
    *((0.5, "efficientnet_b1"), (1, "efficientnet_b2"), (2, "efficientnet_b3"), (3, None), (4, "efficientnet_b4")),
    *((5, "efficientnet_b5"), (6, "efficientnet_b6"), (7, "efficientnet_b7")),
)
"""phi, and the released network that is nearest to it."""


@dataclass(frozen=True)
class PhiRow:
    """The formula at one phi, and a released network.

    Args:
        phi: The compound coefficient.
        formula: The base scaled by it.
        released: The released network; None where none is near, or another base is scaled.
        released_factors: By what it multiplies its base.
        implied: The phi at which the formula would give each of them.
    """

    phi: float
    formula: ScaledNetwork
    released: Entry | None
    released_factors: Factors | None
    implied: Factors | None


def released_factors(name: str) -> Factors:
    """By what a released network multiplies the one it scales; the resolution in px over that one's.

    Raises:
        ValueError: If it is not one whose multipliers were released.
    """
    if name not in _MULTIPLIERS:
        raise ValueError(f"no multipliers were released for {name!r}; there are those of {', '.join(_MULTIPLIERS)}")
    base, width, depth = _MULTIPLIERS[name]
    return Factors(width, depth, find_entry(name).image_size / find_entry(base).image_size)


def phi_table(
    base: Base,
    coefficients: Coefficients = PAPER,
    pairs: Sequence[tuple[float, str | None]] = PAIRS,
    rounding: DepthRounding | None = None,
) -> list[PhiRow]:
    """The formula from the base at each phi, next to the released networks where the base is EfficientNet-B0.

    ``rounding`` is that of :meth:`Base.scaled`.
    """
    is_released, rows = _is_paper_base(base), []
    for phi, name in pairs:
        formula = base.scaled(compound(phi, coefficients), rounding)
        if name is None or not is_released:
            rows.append(PhiRow(phi, formula, None, None, None))
            continue
        factors = released_factors(name)
        rows.append(PhiRow(phi, formula, find_entry(name), factors, implied_phi(factors, coefficients)))
    return rows


def _is_paper_base(base: Base) -> bool:
    """Whether a base is EfficientNet-B0 as it was released, whatever a recipe says of its dropout."""
    paper = Base("efficientnet_b0")
    if base.name != paper.name:
        return False
    ours, theirs = base.scaled(), paper.scaled()
    return (ours.image_size, ours.params, ours.madds) == (theirs.image_size, theirs.params, theirs.madds)
