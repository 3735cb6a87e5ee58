import random

import pytest

from lit_cnn.architectures import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.operations import Operation, operations_of
from lit_cnn.search.space_networks import networks_of_space
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.space import SearchSpace
from lit_cnn.search.strategies.strategy import random_point

SMALL = BlockSpace(widths=((16,), (16, 32)), depths=(1, 2), kinds=("residual", "separable"))


def operations(space: SearchSpace, image_size: int, number: int) -> set[Operation]:
    found, draws = set(), random.Random(5)
    for _ in range(number):
        candidate = space.candidate(random_point(space, draws))
        with on_meta():
            network = create_model(candidate.architecture, num_classes=10, **candidate.options)
        found |= operations_of(network, image_size).keys()
    return found


def covered(space: SearchSpace, image_size: int, **more: int) -> set[Operation]:
    found = set()
    for each in networks_of_space(space, image_size, 10, **more):
        with on_meta():
            found |= operations_of(each.build(), each.image_size).keys()
    return found


def test_the_networks_have_the_operations_of_the_space() -> None:
    assert operations(SMALL, 8, 6) <= covered(SMALL, 8, occurrences=1, patience=4)


@pytest.mark.slow
def test_the_same_networks_are_taken_each_time_and_more_where_operations_shall_occur_more_often() -> None:
    once, again, often = (
        [each.name for each in networks_of_space(SMALL, 8, 10, occurrences=number, patience=2)] for number in (1, 1, 2)
    )
    assert once == again
    assert len(often) > len(once)
    assert all(SMALL.decode(name) for name in once)


@pytest.mark.slow
def test_few_cells_have_an_operation_that_was_not_found() -> None:
    space = CellSpace(blocks=2, repeats=1, filters=8)
    assert operations(space, 16, 30) <= covered(space, 16, patience=60)
