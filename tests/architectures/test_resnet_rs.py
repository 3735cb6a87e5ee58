"""ResNet-RS has the paper's counts and computes what timm's does."""

import pytest
import torch
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow

from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.resnet_rs import ResNetRSBlock, resnet_rs


@pytest.mark.parametrize(
    ("depth", "side", "params", "madds"),
    [  # architectures.json: timm 1.0.31
        (50, 160, 35_691_912, 2_278_629_376),
        *slow(
            (101, 160, 63_618_696, 4_181_532_672),
            (101, 192, 63_618_696, 6_012_157_952),
            (152, 192, 86_621_576, 8_746_844_160),
            (152, 224, 86_621_576, 11_895_185_408),
            (152, 256, 86_621_576, 15_527_886_848),
            (200, 256, 93_209_992, 20_093_386_752),
            (270, 256, 129_861_448, 26_950_189_056),
            (350, 256, 163_956_168, 34_376_597_504),
            (350, 320, 163_956_168, 53_683_601_408),
            (420, 320, 191_891_656, 63_942_344_704),
        ),
    ],
)
def test_counts(depth: int, side: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(resnet_rs(depth), side) == (params, madds)


@pytest.mark.parametrize(
    "depth", [50, *(pytest.param(depth, marks=pytest.mark.slow) for depth in (101, 152, 200, 270, 350, 420))]
)
@pytest.mark.slow
def test_equals_timm(depth: int) -> None:
    timm = pytest.importorskip("timm")
    assert largest_difference(resnet_rs(depth, dropout=0.0), timm.create_model(f"resnetrs{depth}"), 64) <= 1e-9


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        maps = resnet_rs(50).eval().stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    network = resnet_rs(50, num_classes=7, in_channels=1, dropout=0.0, stem=stem)
    assert_trainable(network, 32, in_channels=1)


@pytest.mark.slow
def test_drop_path_grows_with_the_stage() -> None:
    network = resnet_rs(50, drop_path=0.1)
    for number, depth in zip((2, 3, 4, 5), (3, 4, 6, 3), strict=True):
        stage = network.features.get_submodule(f"stage{number}")
        rates = [module.rate for module in stage.modules() if isinstance(module, StochasticDepth)]
        assert rates == pytest.approx([0.1 * number / 5] * depth)


@pytest.mark.slow
def test_residuals_start_at_zero() -> None:
    blocks = [module for module in resnet_rs(50).modules() if isinstance(module, ResNetRSBlock)]
    assert len(blocks) == 16
    assert not any(block.expand.norm.weight.any() for block in blocks)
    assert resnet_rs(50, zero_init_last=False).features.stage2[0].expand.norm.weight.all()


@pytest.mark.slow
def test_one_pixel_is_enough() -> None:
    network = resnet_rs(50, zero_init_last=False)
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()
