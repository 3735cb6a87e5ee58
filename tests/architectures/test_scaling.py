"""Rounded widths, and stage tables scaled by them."""

import pytest

from lit_cnn.architectures.efficientnet import STAGES
from lit_cnn.architectures.scaling import make_divisible, scale_stages


@pytest.mark.parametrize(
    ("value", "expected"),
    [(32.0, 32), (35.2, 32), (19.2, 24), (16 * 1.1, 16), (1280 * 1.1, 1408), (3.0, 8), (44.0, 48)],
)
def test_multiples_of_eight(value: float, expected: int) -> None:
    assert make_divisible(value) == expected


def test_never_below_ninety_percent() -> None:
    for tenth in range(80, 4000):
        width = make_divisible(tenth / 10)
        assert width % 8 == 0
        assert width >= 0.9 * tenth / 10


def test_other_divisors() -> None:
    assert make_divisible(50, divisor=16) == 48
    assert make_divisible(23, divisor=4) == 24


def test_compound_scaling_of_the_rows() -> None:
    rows = scale_stages(STAGES, 1.4, 1.8)
    assert [row.width for row in rows] == [24, 32, 56, 112, 160, 272, 448]  # B4
    assert [row.depth for row in rows] == [2, 4, 4, 6, 6, 8, 2]
    assert [row.kernel for row in rows] == [row.kernel for row in STAGES]
