"""What a scaled network is and costs."""

import csv
from pathlib import Path

import pytest
import torch

from lit_cnn.search.scaling.networks import Base, at_madds
from lit_cnn.search.scaling.rules import RULES, Factors, Rule, compound, factors_at

MEASURED = Path(__file__).parents[3] / "docs" / "measurements" / "compound_scaling.csv"
SMALL = Base("cifar_resnet20", 16, {"widths": (8, 16, 32)})
SHALLOW = Base("cifar_resnet8", 16, {"widths": (8, 16, 32)})


@pytest.mark.slow
def test_a_base_scaled_by_nothing_is_the_catalogs_network() -> None:
    network = Base("efficientnet_b0").scaled()
    assert (network.params, network.madds, network.image_size) == (5_288_548, 385_814_752, 224)
    assert (network.options, network.times) == ({}, 1.0)


def test_the_formula_at_one_is_b2_except_for_two_pixels() -> None:
    network = Base("efficientnet_b0").scaled(compound(1))
    assert (network.params, network.image_size) == (9_109_994, 258)
    assert network.options == {"width_multiplier": 1.1, "depth_multiplier": 1.2}
    assert network.blocks() == {
        "stem": 0,
        "stage2": 2,
        "stage3": 3,
        "stage4": 3,
        "stage5": 4,
        "stage6": 4,
        "stage7": 5,
        "stage8": 2,
        "stage9": 0,
    }


@pytest.mark.slow
def test_the_options_build_the_network_that_was_counted() -> None:
    network = SMALL.scaled(Factors(1.5, 1.2, 1.25), "nearest")
    assert network.options == {
        "widths": (8, 16, 32),
        "width_multiplier": 1.5,
        "depth_multiplier": 1.2,
        "depth_rounding": "nearest",
    }
    built = network.build(num_classes=10)
    assert sum(parameter.numel() for parameter in built.parameters()) == network.params
    assert built(torch.zeros(1, 3, network.image_size, network.image_size)).shape == (1, 10)
    assert sum(stage.madds for stage in network.count().stages) == network.madds


@pytest.mark.slow
def test_a_base_that_is_scaled_already_is_scaled_further() -> None:
    scaling = {"width_multiplier": 1.5, "depth_multiplier": 2.0, "depth_rounding": "nearest"}
    base = Base("cifar_resnet8", 16, {"widths": (8, 16, 32), **scaling})
    network = base.scaled(Factors(2, 0.75, 1.25))
    assert (network.multipliers, network.rounding, network.image_size) == ((3, 1.5), "nearest", 20)
    assert network.options == {**base.options, "width_multiplier": 3, "depth_multiplier": 1.5}
    assert base.scaled().options == base.options
    assert base.scaled(Factors(depth=0.75), "up").options == {
        "widths": (8, 16, 32),
        "width_multiplier": 1.5,
        "depth_multiplier": 1.5,
    }
    assert base.scaled(Factors(depth=0.5)).options == {"widths": (8, 16, 32), "width_multiplier": 1.5}
    assert Base("resnet50", options={"width_multiplier": 1.2}).scaled(Factors(1.5)).multipliers == (1.8, 1)
    twice = at_madds(base, "width", 2)
    assert twice.times == pytest.approx(2, rel=0.1)
    assert twice.multipliers == (pytest.approx(1.5 * twice.factors.width), 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule", [rule if rule == "width_first" else pytest.param(rule, marks=pytest.mark.slow) for rule in RULES]
)
def test_no_other_scaling_of_a_rule_is_nearer_to_the_wanted_multiply_adds(rule: Rule) -> None:
    found = at_madds(SHALLOW, rule, 2, rounding="nearest")
    wanted = 2 * SHALLOW.scaled().madds
    tried = [SHALLOW.scaled(factors_at(rule, 2 * 1.06**step), "nearest").madds for step in range(-8, 9, 2)]
    assert abs(found.madds - wanted) <= min(abs(madds - wanted) for madds in tried)


@pytest.mark.slow
def test_a_rule_that_meets_the_multiple_keeps_its_own_factors() -> None:
    assert at_madds(SHALLOW, "resolution", 4).factors == Factors(1, 1, 2)


@pytest.mark.slow
def test_the_measured_networks_are_still_those_of_their_rules() -> None:
    base = SMALL.scaled()
    with MEASURED.open(newline="") as file:
        rows = {(row["arm"], int(row["budget"])): row for row in csv.DictReader(file)}
    assert {arm for arm, _ in rows} <= {"base", *RULES}
    for (arm, budget), row in rows.items():
        tried = (
            [base]
            if arm == "base"
            else [
                at_madds(SMALL, arm, budget, rounding=rounding)  # type: ignore[arg-type]
                for rounding in (("nearest",) if arm == "width_first" else ("up", "nearest"))
            ]
        )
        network = min(tried, key=lambda each: abs(each.times - budget))
        assert [network.madds, network.params, network.image_size] == [
            int(row[key]) for key in ("madds", "params", "px")
        ]
        assert network.times == pytest.approx(budget, rel=0.05)


def test_what_cannot_be_scaled_is_refused() -> None:
    with pytest.raises(ValueError, match="cifar_vgg8 takes no width_multiplier and depth_multiplier"):
        Base("cifar_vgg8")
    with pytest.raises(ValueError, match="did you mean 'mobilenet_v2'"):
        Base("mobilnet_v2")
    with pytest.raises(ValueError, match=r"resolution 0\.01 of 16 px leaves no pixel"):
        SMALL.scaled(Factors(resolution=0.01))
