"""EfficientNetV2 has the released counts and computes what timm's (TensorFlow padding) and torchvision's do."""

import pytest
import torch
import torchvision
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.efficientnet_v2 import DROPOUT, efficientnet_v2, v2_stages
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta


@pytest.mark.parametrize(
    ("variant", "side", "params", "madds"),
    [  # architectures.json: timm 1.0.31 tf_efficientnetv2_*
        ("b0", 224, 7_139_704, 718_086_176),
        *slow(
            ("b1", 240, 8_141_052, 1_196_819_360),
            ("b2", 260, 10_096_086, 1_697_542_832),
            ("b3", 300, 14_358_406, 3_011_458_816),
            ("s", 384, 21_458_488, 8_365_617_152),
            ("m", 480, 54_139_356, 24_582_460_384),
            ("l", 480, 118_515_272, 56_079_699_008),
            ("xl", 512, 208_119_808, 93_353_451_520),
        ),
    ],
)
def test_counts(variant: str, side: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(efficientnet_v2(variant), side) == (params, madds)


@pytest.mark.parametrize(
    "variant", ["b0", *(pytest.param(name, marks=pytest.mark.slow) for name in ("b1", "b2", "b3", "s", "m", "l", "xl"))]
)
def test_equals_timm(variant: str) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"tf_efficientnetv2_{variant}")
    ours = efficientnet_v2(variant, dropout=0.0, drop_path=0.0, norm_momentum=0.1)
    assert largest_difference(ours, theirs, 64) <= 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["s", "m", "l"])
def test_symmetric_padding_equals_torchvision(variant: str) -> None:
    theirs = getattr(torchvision.models, f"efficientnet_v2_{variant}")(dropout=0.0, stochastic_depth_prob=0.0)
    ours = efficientnet_v2(variant, dropout=0.0, drop_path=0.0, padding="symmetric", norm_momentum=0.1)
    assert largest_difference(ours, theirs, 64) <= 1e-9


@pytest.mark.slow
def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = efficientnet_v2("s").eval()
        maps = network.stages(torch.empty(1, 3, 384, 384))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (24, 192, 192), (48, 96, 96), (64, 48, 48), (128, 24, 24), (160, 24, 24), (256, 12, 12), (1280, 12, 12)
    ]  # fmt: skip
    rows = v2_stages("s")[1]
    assert [(row.block, row.expansion, row.depth) for row in rows] == [
        ("fused", 1, 2), ("fused", 4, 4), ("fused", 4, 4), ("mbconv", 4, 6), ("mbconv", 6, 9), ("mbconv", 6, 15)
    ]  # fmt: skip


def test_base_widths_may_fall_below_ninety_percent() -> None:
    stem, rows = v2_stages("b3")
    assert stem == 40
    assert [row.width for row in rows] == [16, 40, 56, 112, 136, 232]


@pytest.mark.slow
def test_rates_and_norm_constants() -> None:
    network = efficientnet_v2("b0")
    rates = [module.rate for module in network.modules() if isinstance(module, StochasticDepth)]
    assert rates == pytest.approx([0.2 * block / 21 for block in range(21)])
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}
    for variant, rate in DROPOUT.items():
        with on_meta():
            head = efficientnet_v2(variant).head
        assert [module.rate for module in head.modules() if isinstance(module, Dropout)] == [rate]


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    network = efficientnet_v2("b0", num_classes=7, in_channels=1, dropout=0.0, drop_path=0.0, stem=stem)
    assert_trainable(network, 32, in_channels=1)


def test_one_pixel_is_enough() -> None:
    network = efficientnet_v2("b0")
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()
