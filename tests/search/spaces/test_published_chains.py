"""MobileNetV2, EfficientNet-B0 and EfficientNetV2-S are points of the spaces around them."""

import math

import pytest

import lit_cnn
from lit_cnn.architectures import efficientnet, mobilenet_v2
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.chain_counts import count_chain
from lit_cnn.architectures.efficientnet_v2 import v2_stages
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.architectures.meta import on_meta
from lit_cnn.search.spaces.chain import ChainSpace
from lit_cnn.search.spaces.published_chains import EFFICIENTNET, EFFICIENTNET_V2, MNASNET

POINTS = [
    ("mobilenet_v2", MNASNET, mobilenet_v2.STAGES),
    ("efficientnet_b0", EFFICIENTNET, efficientnet.STAGES),
    ("efficientnet_v2_s", EFFICIENTNET_V2, v2_stages("s")[1]),
]


@pytest.mark.parametrize(("name", "space", "table"), POINTS)
def test_published_networks_are_points_with_their_stage_table(
    name: str, space: ChainSpace, table: tuple[Stage, ...]
) -> None:
    point = space.point(table)
    assert space.rows(point) == table
    assert space.decode(space.encode(point)) == point
    settings = space.settings
    entry = find_entry(name)
    counts = count_chain(
        table, entry.image_size, stem_width=settings.stem_width, final_width=settings.final_width, stem=settings.stem
    )
    assert counts == (entry.params, entry.madds)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "space", "table"), POINTS)
def test_published_networks_are_built_tensor_for_tensor(name: str, space: ChainSpace, table: tuple[Stage, ...]) -> None:
    candidate = space.candidate(space.point(table))
    with on_meta():
        ours = lit_cnn.create_model(candidate.architecture, **candidate.options)
        paper = lit_cnn.create_model(name)
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in paper.state_dict().items()
    }


def test_a_stage_of_mnasnet_has_432_choices_where_no_two_round_to_one() -> None:
    sizes = [math.prod(len(options) for options in stage.options().values()) for stage in MNASNET.stages]
    assert sizes[2:6] == [432] * 4
    assert sizes == [192, 288, 432, 432, 432, 432, 288]


def test_efficientnet_v2_keeps_the_channels_and_has_no_pooling_shortcut() -> None:
    for stage in EFFICIENTNET_V2.stages:
        assert len(stage.widths) == 1
        assert "pool" not in stage.skips
        assert {convolution.expansion for convolution in stage.convolutions} == {1, 4, 6}
        assert stage.kernels == (3, 5)
