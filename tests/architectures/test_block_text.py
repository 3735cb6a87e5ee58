"""Texts of linear and multi-branch stages."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.architectures.block_text import KINDS, BlockStage, format_blocks, parse_blocks

ROWS = st.builds(
    BlockStage,
    st.sampled_from(KINDS),
    st.integers(1, 32).map(lambda unit: 16 * unit),
    st.integers(1, 3),
    st.integers(1),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=6).map(tuple))
def test_all_stages_round_trip_also_as_a_plain_yaml_scalar(rows: tuple[BlockStage, ...]) -> None:
    text = format_blocks(rows)
    assert parse_blocks(text) == rows
    assert yaml.safe_load(f"blocks: {text}") == {"blocks": text}


def test_stride_and_depth_may_be_left_out() -> None:
    assert parse_blocks("plain c10; residual n3 s2 c12") == (
        BlockStage("plain", 10, 1, 1),
        BlockStage("residual", 12, 2, 3),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plain c16; residul c32", "stage 2 has the unknown block 'residul'; did you mean 'residual'"),
        ("bottleneck c18", r"stage 1 \(bottleneck\) must have a multiple of 4 channels, got 18"),
        ("inception c24", r"stage 1 \(inception\) must have a multiple of 16 channels, got 24"),
        ("plain", r"stage 1 \(plain\) needs c and a number"),
    ],
)
def test_what_states_no_stages_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_blocks(text)
