"""Each stage chooses its kind of block, its width and its depth."""

import pytest

import lit_cnn
from lit_cnn.architectures.meta import on_meta
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.space import number_of_points

SPACE = BlockSpace(widths=((16,), (16, 32)), depths=(1, 2))


def test_decisions_are_kind_width_and_depth_of_each_stage() -> None:
    assert [(decision.name, decision.kind, len(decision.options)) for decision in BlockSpace().decisions[:3]] == [
        ("stage 1: kind", "kind", 5),
        ("stage 1: width", "width", 2),
        ("stage 1: depth", "depth", 3),
    ]
    assert number_of_points(BlockSpace()) == 27_000


def test_the_candidate_is_built_as_stated() -> None:
    space = BlockSpace()
    candidate = space.candidate((0, 0, 1, 3, 1, 0, 4, 0, 2))
    assert candidate.options["blocks"] == "plain s1 c16 n2; inception s2 c64 n1; separable s2 c64 n3"
    with on_meta():
        network = lit_cnn.create_model(candidate.architecture, **candidate.options).eval()
    assert [stage.channels for stage in network.feature_info] == [16, 64, 64]


def test_a_width_without_alternative_is_not_decided() -> None:
    assert [decision.name for decision in SPACE.decisions][:3] == [
        *("stage 1: kind", "stage 1: depth", "stage 2: kind"),
    ]
    assert SPACE.decode(SPACE.encode((1, 1, 3, 1, 0))) == (1, 1, 3, 1, 0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plain c16", "a network of this space has 2 stages, got 1"),
        ("plain c16; plain c16", "stage 2 must have stride 2, got 1"),
        ("plain c16; plain s2 c48", "stage 2 must have a width of 16, 32, got 48"),
        ("plain c16 n3; plain s2 c32", "stage 1 must have a depth of 1, 2, got 3"),
    ],
)
def test_networks_outside_the_space_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SPACE.decode(text)


def test_widths_that_branches_cannot_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="widths of inception blocks must be multiples of 16, got 24"):
        BlockSpace(widths=((16,), (24,)))
    assert BlockSpace(widths=((24,),), kinds=("plain", "bottleneck")).widths == ((24,),)
