"""Texts of chains: every chain round-trips, the papers' tables among them."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_cnn.architectures import efficientnet, mobilenet_v2
from lit_cnn.architectures.chain_text import format_chain, parse_chain
from lit_cnn.architectures.efficientnet_v2 import v2_stages
from lit_cnn.architectures.layers.mbconv import Stage

SIZE = st.integers(1, 512)
SKIPS = st.sampled_from(("identity", "none", "pool"))
KERNELS = st.sampled_from((1, 3, 5, 7))
ROWS = st.one_of(
    st.builds(Stage, st.just("mbconv"), SIZE, KERNELS, SIZE, SIZE, SIZE, st.sampled_from((0.0, 0.25, 0.5, 1.0)), SKIPS),
    st.builds(Stage, st.just("fused"), SIZE, KERNELS, SIZE, SIZE, SIZE, st.just(0.0), SKIPS),
    st.builds(Stage, st.just("identity"), st.just(1), st.just(1), SIZE, SIZE, SIZE, st.just(0.0), st.just("identity")),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=8).map(tuple))
def test_every_chain_round_trips_also_as_a_plain_yaml_scalar(rows: tuple[Stage, ...]) -> None:
    text = format_chain(rows)
    assert parse_chain(text) == rows
    assert yaml.safe_load(f"stages: {text}\nstem_width: 2") == {"stages": text, "stem_width": 2}


@pytest.mark.parametrize("table", [mobilenet_v2.STAGES, efficientnet.STAGES, v2_stages("s")[1]])
def test_the_papers_tables_round_trip(table: tuple[Stage, ...]) -> None:
    assert parse_chain(format_chain(table)) == table


def test_stride_and_depth_may_be_left_out() -> None:
    assert parse_chain("mbconv e6 k3 c24 se0.25") == (Stage("mbconv", 6, 3, 1, 24, 1, 0.25),)
    assert format_chain((Stage("mbconv", 6, 3, 2, 24, 2, 0.25, "none"),)) == "mbconv e6 k3 s2 c24 n2 se0.25 skip=none"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mbcnv e6 k3 c24", "stage 1 has the unknown block 'mbcnv'; did you mean 'mbconv'"),
        ("fused e4 k3 c24 se0.25", r"stage 1 \(fused\) has the unknown setting 'se0.25'"),
        ("mbconv e6 k4 c24", r"stage 1 \(mbconv\) must have an odd kernel, got k4"),
        ("mbconv e6 k3 c24 skip=max", r"must have a skip of identity, none, pool, got max"),
        ("mbconv e6 k3 c24 se2", "must have an se from 0 to 1, got 2"),
        ("identity c24; mbconv e6 k3", r"stage 2 \(mbconv\) needs c and a number"),
        ("mbconv e0 k3 c24", "whole number of at least 1 behind e, got 0"),
    ],
)
def test_what_is_not_a_chain_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_chain(text)
