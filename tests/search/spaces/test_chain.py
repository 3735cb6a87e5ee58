"""Chains choose for each stage, and choices that change nothing have one canonical form."""

import pytest

from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.search.spaces.chain import ChainSettings, ChainSpace, Convolution, StageChoices

MBCONV, FUSED = Convolution("mbconv", 6), Convolution("fused", 4)
SPACE = ChainSpace(
    (
        StageChoices(1, (MBCONV, FUSED), (3,), (16,), (1, 2), squeezes=(0.25, 0.0), skips=("none", "identity")),
        StageChoices(2, (MBCONV,), (3, 5), (24, 32), (2,)),
    ),
    ChainSettings(stem_width=8, stem="small"),
)


def test_only_what_has_several_options_is_decided() -> None:
    assert [(decision.name, decision.options) for decision in SPACE.decisions] == [
        ("stage 1: convolution", ("mbconv e6", "fused e4")),
        ("stage 1: depth", ("1", "2")),
        ("stage 1: squeeze", ("0.25", "0.0")),
        ("stage 1: skip", ("none", "identity")),
        ("stage 2: kernel", ("3", "5")),
        ("stage 2: width", ("24", "32")),
    ]
    assert {decision.kind for decision in SPACE.decisions} == {
        *("convolution", "kernel", "width", "depth", "squeeze", "skip")
    }


def test_rows_are_what_was_chosen() -> None:
    assert SPACE.rows((0, 1, 1, 1, 1, 0)) == (
        Stage("mbconv", 6, 3, 1, 16, 2, 0.0, "identity"),
        Stage("mbconv", 6, 5, 2, 24, 2, 0.0),
    )


def test_choices_without_effect_are_the_first() -> None:
    assert SPACE.canonical((1, 1, 1, 1, 0, 0)) == (1, 1, 0, 1, 0, 0)  # a Fused-MBConv has no squeeze-and-excitation
    assert SPACE.canonical((0, 0, 1, 1, 0, 0)) == (0, 0, 1, 0, 0, 0)  # 8 channels become 16: no shortcut
    assert SPACE.rows((1, 1, 0, 1, 0, 0))[0].squeeze == 0.0
    wide = ChainSpace(SPACE.stages, SPACE.settings._replace(stem_width=16))
    assert wide.canonical((0, 0, 1, 1, 0, 0)) == (0, 0, 1, 1, 0, 0)  # the first block keeps the shape


def test_the_candidate_states_the_whole_network() -> None:
    candidate = SPACE.candidate((1, 0, 0, 0, 1, 1))
    assert candidate.architecture == "mbconv_chain"
    assert candidate.options["stages"] == "fused e4 k3 s1 c16 n1 skip=none; mbconv e6 k5 s2 c32 n2"
    assert (candidate.options["stem_width"], candidate.options["stem"]) == (8, "small")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mbconv e6 k3 c16", "a network of this space has 2 stages, got 1"),
        ("mbconv e6 k3 c16 s2; mbconv e6 k3 s2 c24 n2", "stage 1 must have stride 1, got 2"),
        ("mbconv e3 k3 c16; mbconv e6 k3 s2 c24 n2", "stage 1 must have a convolution of mbconv e6, fused e4, got mb"),
        ("identity c16; mbconv e6 k3 s2 c24 n2", "stage 1 must have a convolution of .*, got identity e1"),
        ("mbconv e6 k3 c16; mbconv e6 k3 s2 c40 n2", "stage 2 must have a width of 24, 32, got 40"),
        ("mbconv e6 k3 c16; mbconv e6 k3 s2 c24 n2 se0.25", "stage 2 must have a squeeze of 0.0, got 0.25"),
    ],
)
def test_chains_outside_the_space_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SPACE.decode(text)
