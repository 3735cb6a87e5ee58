"""What all spaces promise: canonical points, encodings that round-trip, and networks of the catalog."""

import random

import pytest

from lit_cnn.architectures.catalog import check_options, find_entry
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import NASNET_OPERATIONS, CellSpace
from lit_cnn.search.spaces.macro import MacroSpace
from lit_cnn.search.spaces.published_chains import EFFICIENTNET_V2, MNASNET
from lit_cnn.search.spaces.space import SearchSpace, neighbors, number_of_points
from lit_cnn.search.strategies.strategy import random_point

SPACES = {
    "cells": CellSpace(),
    "cells that return any state": CellSpace(blocks=3, operations=NASNET_OPERATIONS, returns="any"),
    "MnasNet": MNASNET,
    "EfficientNetV2": EFFICIENTNET_V2,
    "NAS-Bench-Macro": MacroSpace(),
    "blocks": BlockSpace(),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_canonical_points_are_fixed_and_encodings_round_trip(space: SearchSpace) -> None:
    draws = random.Random(0)
    assert hash(space) == hash(space)
    for _ in range(60):
        point = random_point(space, draws)
        canonical = space.canonical(point)
        text = space.encode(point)
        assert space.canonical(canonical) == canonical
        assert space.encode(canonical) == text
        assert space.decode(text) == canonical
        assert space.candidate(point) == space.candidate(canonical)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_decisions_fit_points_and_the_candidate_is_a_network_of_the_catalog(space: SearchSpace) -> None:
    assert all(len(decision.options) > 1 for decision in space.decisions)
    assert len({decision.name for decision in space.decisions}) == len(space.decisions)
    first, last = (tuple(end(len(d.options) - 1, 0) for d in space.decisions) for end in (min, max))
    for point in (first, last):
        candidate = space.candidate(point)
        check_options(find_entry(candidate.architecture), candidate.options)
        assert len(space.decode(space.encode(point))) == len(space.decisions)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_what_is_not_a_point_is_refused(space: SearchSpace) -> None:
    with pytest.raises(ValueError, match=r"got|unknown|written|block"):
        space.decode("nothing")


def test_neighbors_differ_in_one_decision() -> None:
    space = MacroSpace()
    point = space.decode("22212220")
    found = list(neighbors(space, point))
    assert len(set(found)) == len(found) == 16
    assert all(sum(a != b for a, b in zip(point, other, strict=True)) == 1 for other in found)


def test_the_number_of_points_is_the_product_of_the_options() -> None:
    assert number_of_points(MacroSpace()) == 3**8
    assert number_of_points(BlockSpace()) == (5 * 2 * 3) ** 3
