"""NFNet has the paper's counts and computes what timm's port does."""

from dataclasses import replace

import pytest
import torch
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.scaled_conv import GELU_GAIN
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.nfnet import DROPOUT, NFNet, NormFreeBlock, nfnet


@pytest.mark.parametrize(
    ("variant", "side", "params", "madds"),
    [  # architectures.json: timm 1.0.31 dm_nfnet_*
        ("f0", 256, 71_489_284, 12_384_198_656),
        *slow(
            ("f1", 320, 132_634_256, 35_538_968_576),
            ("f2", 352, 193_779_228, 62_592_978_944),
            ("f3", 416, 254_924_200, 114_763_501_568),
            ("f4", 512, 316_069_172, 215_241_187_328),
            ("f5", 544, 377_214_144, 289_757_106_176),
            ("f6", 576, 438_359_116, 377_280_307_200),
        ),
    ],
)
def test_counts(variant: str, side: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(nfnet(variant), side) == (params, madds)


@pytest.mark.parametrize("side", [32, 43])
@pytest.mark.slow
def test_shallow_net_equals_timm(side: int) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("dm_nfnet_f0", depths=(1, 3, 1, 1))
    ours = NFNet((1, 3, 1, 1), dropout=0.0, drop_path=0.0, epsilon="added")
    assert largest_difference(ours, theirs, side) <= 1e-9


@pytest.mark.parametrize(("widths", "group"), [((32, 64, 128, 240), None), ((256, 256, 512, 256), 128)])
def test_other_widths_equal_timm(widths: tuple[int, ...], group: int | None) -> None:
    timm = pytest.importorskip("timm")
    config = replace(
        timm.models.nfnet.model_cfgs["dm_nfnet_f0"],
        channels=widths,
        depths=(1, 2, 1, 1),
        stem_chs=widths[0] // 2,
        num_features=2 * widths[-1],
        group_size=group,
    )
    ours = nfnet("f0", widths=widths, depths=(1, 2, 1, 1), dropout=0.0, drop_path=0.0, epsilon="added")
    assert largest_difference(ours, timm.models.nfnet.NormFreeNet(config), 32) <= 1e-9


def test_counts_of_other_widths_and_depths_by_hand() -> None:
    """Every convolution has a gain and a bias per output; a block's one gain is learned, too."""

    def conv(channels: int, width: int, kernel: int, side: int, groups: int = 1) -> tuple[int, int]:
        weights = kernel**2 * channels * width // groups
        return weights + 2 * width, weights * side**2

    def excite(width: int) -> tuple[int, int]:
        return 2 * width * (width // 2) + width // 2 + width, 2 * width * (width // 2)

    layers = [conv(3, 2, 3, 16), conv(2, 4, 3, 16), conv(4, 8, 3, 16), conv(8, 16, 3, 8)]
    layers += [conv(16, 32, 1, 8), conv(16, 16, 1, 8), *[conv(16, 16, 3, 8)] * 2, conv(16, 32, 1, 8), excite(32)]
    layers += [conv(32, 64, 1, 4), conv(32, 32, 1, 8), *[conv(32, 32, 3, 4)] * 2, conv(32, 64, 1, 4), excite(64)]
    layers += [conv(64, 32, 1, 4), *[conv(32, 32, 3, 4)] * 2, conv(32, 64, 1, 4), excite(64)]
    layers += [
        conv(64, 512, 1, 2),
        conv(64, 256, 1, 4),
        *[conv(256, 256, 3, 2, 2)] * 2,
        conv(256, 512, 1, 2),
        excite(512),
    ]
    layers += [conv(512, 1024, 1, 2), (1024 * 10 + 10, 1024 * 10)]
    expected = sum(params for params, _ in layers) + 4, sum(madds for _, madds in layers)
    with on_meta():
        network = nfnet("f0", widths=(32, 64, 512), depths=(1, 2, 1), num_classes=10)
        assert count(network, 32) == expected
        assert [tuple(stage) for stage in network.feature_info] == [(32, 4), (64, 8), (512, 16), (1024, 16)]


@pytest.mark.slow
def test_the_papers_variants_are_widths_and_depths() -> None:
    with on_meta():
        named, stated = nfnet("f2"), nfnet("f0", widths=(256, 512, 1536, 1536), depths=(3, 6, 18, 9))
    shapes = [{name: value.shape for name, value in network.state_dict().items()} for network in (named, stated)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": (32, 64, 128)}, "one number per stage, 4 here, got 3"),
        ({"depths": (1, 1)}, "one number per stage, 2 here, got 4"),
        ({"depths": (1, 0, 1, 1)}, r"depths must be at least 1, got \(1, 0, 1, 1\)"),
        ({"widths": (24, 64, 128, 256)}, "multiples of 256, or of 16 below 256, got 24"),
        ({"widths": (256, 384, 512, 512)}, "multiples of 256, or of 16 below 256, got 384"),
    ],
)
def test_widths_and_depths_that_cannot_be_built_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nfnet("f0", **options)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["f0", "f1"])
def test_equals_timm(variant: str) -> None:
    timm = pytest.importorskip("timm")
    ours = nfnet(variant, dropout=0.0, drop_path=0.0, epsilon="added")
    assert largest_difference(ours, timm.create_model(f"dm_nfnet_{variant}"), 64) <= 1e-9


def test_block_is_the_formula() -> None:
    """The folded constants against the formula with every factor on the map."""
    torch.manual_seed(0)
    block = NormFreeBlock(256, 512, 2, beta=0.7, drop_path=0.0, epsilon="floor").double()
    x = torch.randn(2, 256, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        block.skip_gain.fill_(0.3)
        expected = block(x)

        def act(y: torch.Tensor) -> torch.Tensor:
            return GELU_GAIN * torch.nn.functional.gelu(y)

        assert block.shortcut is not None
        convs = (block.reduce, block.filter, block.filter_again, block.expand, block.shortcut.projection)
        for conv in convs:
            conv.input_gain = 1.0
        a = 0.7 * act(x)
        y = block.expand(act(block.filter_again(act(block.filter(act(block.reduce(a)))))))
        hand = block.shortcut(a) + 0.2 * 0.3 * 2 * block.excite(y)
    torch.testing.assert_close(expected, hand, rtol=1e-10, atol=1e-10)


def test_blocks_divide_by_the_expected_standard_deviation() -> None:
    with on_meta():
        network = nfnet("f0")
    gains = [module.reduce.input_gain / GELU_GAIN for module in network.modules() if isinstance(module, NormFreeBlock)]
    variances = [1.0, *[1.04, 1.04], *[1.08, 1.04, 1.08, 1.12, 1.16, 1.2], *[1.24, 1.04, 1.08]]
    assert gains == pytest.approx([variance**-0.5 for variance in variances])


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = nfnet("f0").eval()
        maps = network.stages(torch.empty(1, 3, 256, 256))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (256, 64, 64), (512, 32, 32), (1536, 16, 16), (1536, 8, 8), (3072, 8, 8)
    ]  # fmt: skip
    groups = [module.filter.groups for module in network.modules() if isinstance(module, NormFreeBlock)]
    assert groups == [1, *[2] * 2, *[6] * 9]


@pytest.mark.slow
def test_rates() -> None:
    with on_meta():
        network = nfnet("f0")
        rates = [module.rate for module in network.modules() if isinstance(module, StochasticDepth)]
        assert rates == pytest.approx([0.25 * block / 12 for block in range(12)])
        for variant, rate in DROPOUT.items():
            assert [module.rate for module in nfnet(variant).head.modules() if isinstance(module, Dropout)] == [rate]


def test_residuals_start_at_zero() -> None:
    block = NormFreeBlock(256, 256, 1, beta=1.0, drop_path=0.0, epsilon="floor")
    x = torch.randn(1, 256, 4, 4)
    assert torch.equal(block(x), x)


def test_activation_of_the_gates() -> None:
    with on_meta():
        released, text = NFNet((1, 1, 1, 1)), NFNet((1, 1, 1, 1), excite_activation="gelu")
    for network, kind in ((released, nn.ReLU), (text, nn.GELU)):
        blocks = [module for module in network.modules() if isinstance(module, NormFreeBlock)]
        assert {type(block.excite.activation) for block in blocks} == {kind}


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    network = NFNet((1, 1, 1, 1), num_classes=7, in_channels=1, dropout=0.0, drop_path=0.0, stem=stem)
    assert_trainable(network, 32, in_channels=1)


def test_one_pixel_is_enough() -> None:
    network = NFNet((1, 1, 1, 1))
    assert network.smallest_input == 1
    assert network.train()(torch.randn(1, 3, 1, 1)).isfinite().all()
