"""The candidates for alpha, beta and gamma, and the space that a sweep runs."""

import pytest

from lit_cnn.search.scaling.grid import DEPTH, SIDE, WIDTH, candidates, distinct, grid_space, point_of
from lit_cnn.search.scaling.networks import Base
from lit_cnn.search.scaling.recipes import base_of
from lit_cnn.search.scaling.rules import PAPER, Coefficients, Factors

SMALL = Base("cifar_resnet20", 16)


def test_every_candidate_doubles_the_multiply_adds_and_shrinks_nothing() -> None:
    grid = candidates(0.1, 0.05)
    assert len(grid) == len(set(grid)) == 22
    for coefficients in grid:
        assert min(coefficients) >= 1
        assert coefficients.madds == pytest.approx(2, rel=0.0501)


def test_steps_of_a_twentieth_hold_the_papers_choice() -> None:
    assert PAPER in candidates(0.05, 0.05)


def test_candidates_that_rounding_makes_the_same_network_are_one() -> None:
    grid = [Coefficients(1.2, 1.1, 1.15), Coefficients(1.2, 1.1, 1.16), Coefficients(1.2, 1.1, 1.3)]
    networks = distinct(SMALL, grid)  # 18.4, 18.56 and 20.8 px
    assert [network.image_size for network in networks.values()] == [18, 19, 21]
    same = distinct(SMALL, [Coefficients(1.21, 1.1, 1.15), Coefficients(1.2, 1.1, 1.15)])
    assert list(same) == [Coefficients(1.21, 1.1, 1.15)]  # the nearer to 2


@pytest.mark.slow
def test_the_space_runs_the_candidates_and_not_every_combination() -> None:
    networks = list(distinct(SMALL, candidates(0.2, 0.05)).values())
    recipe = {"data": {"image_size": 16, "crop": {"kind": "pad", "padding": 1, "shorter_side": [16, 20]}}}
    space = grid_space(networks, recipe, "val/loss", seeds=2)
    assert space.size == len(networks) < len(list(space.keys[0].choices)) * len(space.keys[1].choices)
    first = networks[0]
    assert space.combinations()[0] == {WIDTH: first.factors.width, DEPTH: first.factors.depth, SIDE: first.image_size}
    assert [axis.key for axis in space.keys] == [WIDTH, DEPTH, SIDE]  # one pixel of padding stays one
    assert (space.goal, space.seeds) == ("minimize", 2)


def test_every_length_grows_with_the_images_and_training_keeps_its_own_size() -> None:
    recipe = {
        "data": {
            "image_size": 224,
            "evaluation": {"image_size": 256, "resize": None},
            "crop": {"kind": "shorter_side", "shorter_side": [256, 480], "padding": 4},
        }
    }
    base = base_of("resnet18", recipe)
    space = grid_space([base.scaled(Factors(1.0, 1.0, size / 256)) for size in (256, 384)], recipe, "val/loss")
    small, large = space.combinations()
    assert (small[SIDE], small["data.evaluation.image_size"]) == (224, 256)
    assert (large[SIDE], large["data.evaluation.image_size"]) == (336, 384)
    assert large["data.crop.shorter_side"] == "[384, 720]"
    assert set(large) == {WIDTH, DEPTH, SIDE, "data.evaluation.image_size", "data.crop.shorter_side"}


def test_candidates_of_a_scaled_recipe_multiply_its_multipliers() -> None:
    recipe = {"model": {"options": {"width_multiplier": 1.5, "depth_multiplier": 2.0}}, "data": {"image_size": 16}}
    point = point_of(base_of("cifar_resnet8", recipe).scaled(Factors(2, 1.5)), recipe)
    assert point == {WIDTH: 3, DEPTH: 3, SIDE: 16}


@pytest.mark.parametrize(("step", "tolerance", "said"), [(0.0, 0.1, "step is 0"), (0.1, 1.5, "tolerance is 1.5")])
def test_impossible_grids_are_refused(step: float, tolerance: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        candidates(step, tolerance)


def test_a_grid_without_candidates_says_what_to_change() -> None:
    with pytest.raises(ValueError, match="choose a smaller step or a larger tolerance"):
        candidates(0.9, 0.001)
