"""ResNet has the papers' counts and computes what torchvision's and timm's do."""

import pytest
import torch
import torchvision
from gradients import assert_trainable
from one_in import one_in
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.layers.keyed import random_layers
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.resnet import ResidualBlock, ResNet, ZeroPadShortcut, cifar_resnet, imagenet_resnet


@pytest.mark.parametrize(
    ("depth", "params", "madds"),
    [  # architectures.json: torchvision 0.29.1; 200 from timm 1.0.31
        (18, 11_689_512, 1_814_073_344),
        *slow(
            (34, 21_797_672, 3_663_761_408),
            (50, 25_557_032, 4_089_184_256),
            (101, 44_549_160, 7_801_405_440),
            (152, 60_192_808, 11_513_626_624),
            (200, 64_673_832, 15_007_481_856),
        ),
    ],
)
def test_imagenet_counts(depth: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(imagenet_resnet(depth), 224) == (params, madds)


@pytest.mark.parametrize(
    ("depth", "params", "madds"),
    [  # architectures.json: pytorchcv 0.0.74, 200 timm 1.0.31 with the stride moved
        (50, 25_557_032, 3_857_973_248),
        *slow(
            (101, 44_549_160, 7_570_194_432),
            (152, 60_192_808, 11_282_415_616),
            (200, 64_673_832, 14_776_270_848),
        ),
    ],
)
def test_stride_in_the_1x1_costs_less(depth: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(imagenet_resnet(depth, stride_in="1x1"), 224) == (params, madds)


@pytest.mark.parametrize(("depth", "params"), [(18, 11_515_688), (34, 21_623_848)])  # architectures.json, option A
def test_option_a_adds_no_parameters_to_the_plain_net(depth: int, params: int) -> None:
    with on_meta():
        zero_pad, plain = imagenet_resnet(depth, shortcut="zero_pad"), imagenet_resnet(depth, shortcut="none")
        assert count(zero_pad, 224)[0] == count(plain, 224)[0] == params
        assert count(zero_pad, 224)[1] == count(plain, 224)[1]


@pytest.mark.parametrize(
    ("depth", "params", "madds"),
    [  # architectures.json: pytorch_resnet_cifar10; 8 by hand, see test_8_layers_by_hand
        (8, 75_290, 12_239_488),
        *slow(
            (20, 269_722, 40_551_040),
            (32, 464_154, 68_862_592),
            (44, 658_586, 97_174_144),
            (56, 853_018, 125_485_696),
            (110, 1_727_962, 252_887_680),
            (1202, 19_421_274, 2_829_238_912),
        ),
    ],
)
@pytest.mark.parametrize("shortcut", ["zero_pad", "none"])
def test_cifar_counts(depth: int, params: int, madds: int, shortcut: str) -> None:
    with on_meta():
        assert count(cifar_resnet(depth, shortcut=shortcut), 32) == (params, madds)


@pytest.mark.parametrize("widths", [(16, 32, 64), (8, 24, 40)])
def test_8_layers_by_hand(widths: tuple[int, int, int]) -> None:
    first, second, third = widths
    kernels = 9 * (3 * first + 2 * first**2 + first * second + second**2 + second * third + third**2)
    norms = 2 * (3 * first + 2 * second + 2 * third)
    pixels = 9 * (1024 * (3 * first + 2 * first**2) + 256 * (first * second + second**2))
    pixels += 9 * 64 * (second * third + third**2)
    with on_meta():
        counted = count(cifar_resnet(8, widths=widths), 32)
    assert counted == (kernels + norms + 10 * third + 10, pixels + 10 * third)


@pytest.mark.parametrize(
    ("depth", "params", "madds"), [(20, 272_474, 40_813_184), (56, 855_770, 125_747_840), (110, 1_730_714, 253_149_824)]
)  # architectures.json: pytorchcv 0.0.74
def test_cifar_projection_counts(depth: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(cifar_resnet(depth, shortcut="projection"), 32) == (params, madds)


@pytest.mark.parametrize("depth", [18, *(pytest.param(depth, marks=pytest.mark.slow) for depth in (34, 50, 101, 152))])
def test_equals_torchvision(depth: int) -> None:
    theirs = getattr(torchvision.models, f"resnet{depth}")()
    assert largest_difference(imagenet_resnet(depth), theirs, 64) <= 1e-9


@pytest.mark.slow
def test_200_layers_equal_timm() -> None:
    timm = pytest.importorskip("timm")
    assert largest_difference(imagenet_resnet(200), timm.create_model("resnet200"), 64) <= 1e-9


def test_option_a_by_hand() -> None:
    x = torch.arange(32.0).view(1, 2, 4, 4)
    y = ZeroPadShortcut(2, 5, stride=2)(x)
    assert y.shape == (1, 5, 2, 2)
    assert y[0, 0].tolist() == [[0.0, 2.0], [8.0, 10.0]]
    assert not y[0, 2:].any()


def test_option_a_on_both_sides_by_hand() -> None:
    x = torch.arange(32.0).view(1, 2, 4, 4)
    y = ZeroPadShortcut(2, 5, stride=2, both=True)(x)
    assert y.shape == (1, 5, 2, 2)
    assert y[0, 1].tolist() == [[0.0, 2.0], [8.0, 10.0]]
    assert not y[0, [0, 3, 4]].any()
    x = torch.randn(2, 16, 8, 8)  # the formula of the nets whose weights this is for
    expected = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 32 // 4, 32 // 4), "constant", 0)
    assert torch.equal(ZeroPadShortcut(16, 32, stride=2, both=True)(x), expected)


def test_zeros_on_both_sides_move_the_channels_of_every_shortcut() -> None:
    after, both = cifar_resnet(8), cifar_resnet(8, shortcut="zero_pad_both")
    both.load_state_dict(after.state_dict())  # the same parameters
    pads = [
        [(module.before, module.after) for module in network.modules() if isinstance(module, ZeroPadShortcut)]
        for network in (after, both)
    ]
    assert pads == [[(0, 16), (0, 32)], [(8, 8), (16, 16)]]
    x = torch.randn(2, 3, 32, 32)
    assert not torch.allclose(after.eval()(x), both.eval()(x))
    with on_meta():
        assert count(cifar_resnet(8, shortcut="zero_pad_both"), 32) == (75_290, 12_239_488)


def test_widths_are_one_per_stage() -> None:
    with pytest.raises(ValueError, match=r"one number per stage, 3 here, got 2: \(8, 16\)"):
        cifar_resnet(8, widths=(8, 16))


def test_plain_block_has_no_shortcut() -> None:
    block = imagenet_resnet(18, shortcut="none").features.stage2[1].eval()
    x = torch.randn(1, 64, 4, 4)
    assert torch.equal(block(x), block.residual(x).relu())


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = imagenet_resnet(50).eval()
        maps = network.stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]


@pytest.mark.parametrize("options", one_in(2, [{}, {"zero_init_last": True}, {"shortcut": "none"}, {"stem": "small"}]))
def test_every_parameter_learns(options: dict[str, str | bool]) -> None:
    assert_trainable(imagenet_resnet(18, num_classes=7, in_channels=1, **options), 33, in_channels=1)


@pytest.mark.slow
def test_zero_init_starts_every_block_as_its_shortcut() -> None:
    network = imagenet_resnet(50, zero_init_last=True)
    last_norms = [module.residual[-1].norm for module in network.modules() if isinstance(module, ResidualBlock)]
    assert len(last_norms) == 16
    assert not any(norm.weight.any() for norm in last_norms)
    assert imagenet_resnet(18).features.stage2[0].residual[-1].norm.weight.all()


def test_drop_path_is_linear_over_depth() -> None:
    rates = [
        module.rate for module in imagenet_resnet(18, drop_path=0.4).modules() if isinstance(module, StochasticDepth)
    ]
    assert rates == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4])
    with pytest.raises(ValueError, match="no shortcuts"):
        imagenet_resnet(18, shortcut="none", drop_path=0.1)


def test_nothing_is_dropped_unless_it_is_asked_for() -> None:
    for network in (ResNet((1, 1), widths=(8, 8), bottleneck=False), imagenet_resnet(18), cifar_resnet(8)):
        layers = random_layers(network)
        assert layers
        assert not any(layer.rate for layer in layers)


@pytest.mark.parametrize("shortcut", ["projection", "zero_pad", "none"])
def test_one_pixel_is_enough(shortcut: str) -> None:
    network = imagenet_resnet(18, shortcut=shortcut)
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()


def test_he_initialization() -> None:
    network = imagenet_resnet(34)
    conv = network.features.stage5[2].residual[0].conv
    assert isinstance(conv, nn.Conv2d)
    assert float(conv.weight.detach().std()) == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)
