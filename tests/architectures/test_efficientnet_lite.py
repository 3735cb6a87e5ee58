"""EfficientNet-Lite has the released counts and computes what timm's does."""

import pytest
import torch
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.efficientnet_lite import SCALES, efficientnet_lite, lite_stages
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite
from lit_cnn.architectures.meta import on_meta

SLOW = [pytest.param(f"lite{number}", marks=pytest.mark.slow) for number in range(1, 5)]


@pytest.mark.parametrize(
    ("variant", "side", "params", "madds"),
    [  # architectures.json: timm 1.0.31 tf_efficientnet_lite*
        ("lite0", 224, 4_652_008, 385_187_552),
        *slow(
            ("lite1", 240, 5_416_680, 600_185_232),
            ("lite2", 260, 6_092_072, 859_736_272),
            ("lite3", 280, 8_197_096, 1_383_321_872),
            ("lite4", 300, 13_006_568, 2_553_034_336),
        ),
    ],
)
def test_counts(variant: str, side: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(efficientnet_lite(variant), side) == (params, madds)


@pytest.mark.parametrize("variant", ["lite0", *SLOW])
def test_equals_timm(variant: str) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"tf_efficientnet_{variant}")
    ours = efficientnet_lite(variant, dropout=0.0, drop_path=0.0, norm_momentum=0.1)
    assert largest_difference(ours, theirs, 64) <= 1e-9


@pytest.mark.parametrize("variant", ["lite0", *SLOW])
def test_symmetric_padding_equals_timm(variant: str) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"efficientnet_{variant}")
    ours = efficientnet_lite(variant, dropout=0.0, drop_path=0.0, padding="symmetric", norm_eps=1e-5, norm_momentum=0.1)
    assert largest_difference(ours, theirs, 64) <= 1e-9


@pytest.mark.slow
def test_what_lite_leaves_out() -> None:
    with on_meta():
        networks = [efficientnet_lite(variant) for variant in SCALES]
    kinds = {type(module) for network in networks for module in network.modules()}
    assert nn.ReLU6 in kinds
    assert not kinds & {nn.SiLU, SqueezeExcite}
    assert {network.features.stem.conv.out_channels for network in networks} == {32}
    assert {network.features.stage9.conv.out_channels for network in networks} == {1280}
    assert [module.rate for network in networks for module in network.modules() if isinstance(module, Dropout)] == [
        0.2, 0.2, 0.3, 0.3, 0.3
    ]  # fmt: skip


def test_first_and_last_row_keep_their_depth() -> None:
    rows = lite_stages(1.4, 1.8)
    assert [row.depth for row in rows] == [1, 4, 4, 6, 6, 8, 1]
    assert [row.width for row in rows] == [24, 32, 56, 112, 160, 272, 448]


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    network = efficientnet_lite("lite0", num_classes=7, in_channels=1, dropout=0.0, drop_path=0.0, stem=stem)
    assert_trainable(network, 64, in_channels=1)


def test_one_pixel_is_enough() -> None:
    network = efficientnet_lite("lite0")
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()
