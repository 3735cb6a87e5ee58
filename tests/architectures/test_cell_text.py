"""Texts of cells: every genome round-trips, and what is no cell is refused in one sentence."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.architectures import amoebanet, nasnet
from lit_cnn.architectures.cell_text import format_cell, parse_cell
from lit_cnn.architectures.cells import Block, CellGenome, unused_states
from lit_cnn.architectures.layers.cell_ops import OPERATIONS

RELEASED = (nasnet.NORMAL_CELL, nasnet.REDUCTION_CELL, amoebanet.NORMAL_CELL, amoebanet.REDUCTION_CELL)


@st.composite
def genomes(draw: st.DrawFn) -> CellGenome:
    operation = st.sampled_from(OPERATIONS)
    blocks = []
    for number in range(draw(st.integers(1, 5))):
        state = st.integers(0, number + 1)
        blocks.append(Block(draw(operation), draw(state), draw(operation), draw(state)))
    more = draw(st.sets(st.integers(0, len(blocks) + 1)))
    return CellGenome(tuple(blocks), tuple(sorted(more.union(unused_states(blocks)))))


@settings(max_examples=40, deadline=None)
@given(genomes())
def test_every_cell_round_trips_also_as_a_plain_yaml_scalar(genome: CellGenome) -> None:
    text = format_cell(genome)
    assert parse_cell(text) == genome
    assert yaml.safe_load(f"normal: {text}\nrepeats: 2") == {"normal": text, "repeats": 2}
    assert (">" in text) is (genome.concat != unused_states(genome.blocks))


@pytest.mark.parametrize("genome", RELEASED)
def test_released_cells_round_trip(genome: CellGenome) -> None:
    assert parse_cell(format_cell(genome)) == genome


def test_the_text_of_a_small_cell_is_its_formula() -> None:
    genome = CellGenome((Block("separable_5x5", 0, "identity", 1), Block("max_pool_3x3", 2, "conv_1x1", 0)), (1, 3))
    text = "separable_5x5@0 + identity@1; max_pool_3x3@2 + conv_1x1@0 > 1 3"
    assert format_cell(genome) == text
    assert parse_cell(" separable_5x5 @0+identity@ 1 ;max_pool_3x3@2+conv_1x1@0>1 3 ") == genome


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "block 0 must be written as 'separable_3x3@0 \\+ identity@1', .*, got ''"),
        ("identity@0 + identity@1;", "block 1 must be written as"),
        ("identity@0 + identity", "block 0 must be written as .*, got 'identity@0 \\+ identity'"),
        ("identity@0 + seperable_3x3@1", "block 0 has the unknown operation 'seperable_3x3'; did you mean 'separable_"),
        ("identity@0 + identity@2", "block 0 reads state 2, but it may only read states 0 to 1"),
        ("identity@0 + identity@1 > ", "states that a cell returns must be written as '> 2 4 5', got '> '"),
        ("identity@0 + identity@1 > 2, 3", "states that a cell returns must be written as"),
        ("identity@0 + identity@1 > 1", "state 2 is read by no block"),
        ("identity@0 + identity@1 > 3", "concat must list states from 0 to 2"),
    ],
)
def test_what_is_not_a_cell_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_cell(text)
