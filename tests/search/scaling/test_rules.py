"""By what each rule multiplies depth, width and resolution."""

import math

import pytest

from lit_cnn.search.scaling.rules import PAPER, RULES, Coefficients, Factors, Rule, compound, factors_at, implied_phi


def test_the_papers_coefficients_grow_the_multiply_adds_by_a_little_less_than_two() -> None:
    assert round(PAPER.madds, 4) == 1.9203
    assert compound(1) == Factors(1.1, 1.2, 1.15)
    assert compound(0) == Factors(1, 1, 1)
    assert compound(3).madds == pytest.approx(PAPER.madds**3)


@pytest.mark.parametrize("times", [0.5, 2.0, 4.0, 10.0])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_spends_the_multiply_adds_that_are_wanted(rule: Rule, times: float) -> None:
    assert factors_at(rule, times).madds == pytest.approx(times)


def test_a_single_rule_leaves_the_other_two_alone() -> None:
    assert factors_at("depth", 4) == Factors(1, 4, 1)
    assert factors_at("width", 4) == Factors(2, 1, 1)
    assert factors_at("resolution", 4) == Factors(1, 1, 2)


def test_width_first_puts_eight_parts_of_ten_into_width() -> None:
    factors = factors_at("width_first", 16)
    shares = [math.log(factors.width**2, 16), math.log(factors.depth, 16), math.log(factors.resolution**2, 16)]
    assert shares == pytest.approx([0.8, 0.1, 0.1])


def test_compound_keeps_the_ratio_of_its_coefficients() -> None:
    coefficients = Coefficients(1.5, 1.2, 1.1)
    phi = implied_phi(factors_at("compound", 5, coefficients), coefficients)
    assert phi.width == pytest.approx(phi.depth) == pytest.approx(phi.resolution)


def test_the_implied_phi_undoes_the_formula_and_is_unknown_for_a_coefficient_of_one() -> None:
    assert implied_phi(compound(2.5)) == pytest.approx(Factors(2.5, 2.5, 2.5))
    alone = Coefficients(2.0, 1.0, 1.0)
    assert math.isnan(implied_phi(compound(1, alone), alone).width)


@pytest.mark.parametrize(
    ("coefficients", "said"),
    [
        (Coefficients(0.9, 1.1, 1.1), "alpha is 0.9"),
        (Coefficients(1, 1, 1), "all 1"),
        (Coefficients(beta=math.inf), "beta"),
    ],
)
def test_coefficients_that_scale_nothing_or_backward_are_refused(coefficients: Coefficients, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compound(1, coefficients)


def test_a_multiple_that_is_none_and_an_unknown_rule_are_refused() -> None:
    with pytest.raises(ValueError, match="but must be a positive number"):
        factors_at("depth", 0)
    with pytest.raises(ValueError, match="must be one of compound, depth, width, resolution, width_first"):
        factors_at("height", 2)  # type: ignore[arg-type]
