"""NASNet's space has the papers' size, and the released cells of NASNet-A and AmoebaNet-A are points of it."""

import pytest

import lit_cnn
from lit_cnn.architectures import amoebanet, nasnet
from lit_cnn.architectures.cells import Block, CellGenome
from lit_cnn.architectures.layers.cell_ops import OPERATIONS
from lit_cnn.architectures.meta import on_meta
from lit_cnn.search.spaces.canonical_cell import canonical_cell
from lit_cnn.search.spaces.cells import AMOEBANET_OPERATIONS, NASNET_OPERATIONS, CellSpace
from lit_cnn.search.spaces.space import number_of_points

ANY = CellSpace(operations=OPERATIONS, returns="any")
RELEASED = {
    "nasnet_a": (nasnet.NORMAL_CELL, nasnet.REDUCTION_CELL),
    "amoebanet_a": (amoebanet.NORMAL_CELL, amoebanet.REDUCTION_CELL),
}


@pytest.mark.parametrize(("operations", "cells"), [(NASNET_OPERATIONS, 7.147e16), (AMOEBANET_OPERATIONS, 5.6e14)])
def test_the_spaces_have_the_papers_sizes(operations: tuple, cells: float) -> None:
    """The product over the blocks of ((b + 2) operations)^2, isomorphic cells counted apart."""
    space = CellSpace(operations=operations)
    assert number_of_points(space) ** 0.5 == pytest.approx(cells, rel=0.007)
    assert len(NASNET_OPERATIONS) == 13


def test_decisions_are_the_controllers() -> None:
    names = [decision.name for decision in CellSpace(blocks=2).decisions]
    assert names[:4] == [
        "normal 1: first state",
        "normal 1: second state",
        "normal 1: first operation",
        "normal 1: second operation",
    ]
    assert len(names) == 16
    assert [len(decision.options) for decision in CellSpace(blocks=2).decisions][4:6] == [3, 3]
    returns = [decision for decision in CellSpace(blocks=2, returns="any").decisions if decision.kind == "return"]
    assert [decision.name for decision in returns[:4]] == [f"normal: return state {state}" for state in range(4)]


@pytest.mark.parametrize("name", RELEASED)
def test_released_cells_are_points(name: str) -> None:
    cells = RELEASED[name]
    point = ANY.point(*cells)
    assert ANY.canonical(point) == point
    assert ANY.decode(ANY.encode(point)) == point
    assert ANY.cells(point) == tuple(canonical_cell(cell) for cell in cells)


@pytest.mark.parametrize(
    ("name", "repeats", "filters", "params"),
    [
        ("amoebanet_a", 3, 24, 843_322),  # the network in which AmoebaNet's search trained its candidates
        pytest.param("nasnet_a", 6, 32, 3_346_538, marks=pytest.mark.slow),
    ],
)
def test_released_cells_build_networks_of_the_papers_size(name: str, repeats: int, filters: int, params: int) -> None:
    space = CellSpace(operations=OPERATIONS, returns="any", repeats=repeats, filters=filters)
    candidate = space.candidate(space.point(*RELEASED[name]))
    with on_meta():
        network = lit_cnn.create_model(candidate.architecture, **candidate.options)
    assert sum(parameter.numel() for parameter in network.parameters()) == params


def test_a_state_that_no_block_reads_is_returned_whatever_is_chosen() -> None:
    space = CellSpace(blocks=1, returns="any")
    assert [decision.kind for decision in space.decisions] == 2 * [*2 * ["state"], *2 * ["operation"], *3 * ["return"]]
    half = (0, 0, 1, 1)
    text = "separable_3x3@0 + separable_3x3@0"
    points = [(*half, 0, *rest, *half, 0, *rest) for rest in ((0, 0), (1, 1), (0, 1))]
    assert {space.encode(point) for point in points} == {f"{text} | {text}"}
    assert space.encode((*half, 1, 0, 0, *half, 0, 0, 0)) == f"{text} > 0 1 2 | {text}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("identity@0 + identity@1", "a pair of cells must be written as 'normal | reduction'"),
        (
            "identity@0 + identity@1 | identity@0 + conv_1x1@1",
            "the reduction cell has conv_1x1, which is not an",
        ),
        ("identity@0 + identity@1 > 0 2 | identity@0 + identity@1", "the normal cell must return .* 2, got 0 2"),
        ("identity@0 + identity@1; identity@0 + identity@1 | identity@0 + identity@1", "must have 1 blocks, got 2"),
        ("identity@0 + identty@1 | identity@0 + identity@1", "unknown operation 'identty'; did you mean 'identity'"),
    ],
)
def test_cells_outside_the_space_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("|", r"\|")):
        CellSpace(blocks=1).decode(text)


def test_any_order_of_blocks_is_decoded() -> None:
    cell = CellGenome((Block("max_pool_3x3", 0, "identity", 1), Block("identity", 1, "identity", 0)), (2, 3))
    text = "identity@1 + identity@0; identity@1 + max_pool_3x3@0"
    space = CellSpace(blocks=2)
    assert space.decode(f"{text} | {text}") == space.point(cell, cell)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"blocks": 0}, "a space of cells needs blocks >= 1 .*, got blocks=0"),
        ({"operations": ("identity", "identity")}, "at least two different operations, got .*=identity, identity"),
        ({"operations": ("identity", "conv3x3")}, "has the unknown operation 'conv3x3'; did you mean 'conv_3x3'"),
    ],
)
def test_a_space_of_nothing_to_choose_from_is_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CellSpace(**settings)
