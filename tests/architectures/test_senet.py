"""SE-ResNet and SE-ResNeXt have the published counts and compute what timm's do."""

import pytest
import torch
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.resnet import imagenet_resnet
from lit_cnn.architectures.senet import append_squeeze_excite, se_resnet, se_resnext


@pytest.mark.parametrize(
    ("depth", "params", "madds"),
    [  # architectures.json: timm 1.0.31 legacy_seresnet*
        (50, 28_088_024, 3_860_488_192),
        *slow(
            (101, 49_326_872, 7_574_937_600),
            (152, 66_821_848, 11_288_993_792),
        ),
    ],
)
def test_resnet_counts(depth: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(se_resnet(depth), 224) == (params, madds)


@pytest.mark.parametrize(
    ("depth", "groups", "params", "madds"),
    [  # architectures.json: timm 1.0.31; 152 built with timm's ResNet class
        (50, 32, 27_559_896, 4_232_994_816),
        *slow(
            (101, 32, 48_955_416, 7_974_739_968),
            (101, 64, 88_232_984, 15_465_013_248),
            (152, 32, 66_580_440, 11_716_091_904),
            (152, 64, 121_600_984, 22_945_882_112),
        ),
    ],
)
def test_resnext_counts(depth: int, groups: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(se_resnext(depth, groups=groups), 224) == (params, madds)


@pytest.mark.slow
def test_gates_cost_under_one_percent() -> None:
    with on_meta():
        plain, gated = count(imagenet_resnet(50, stride_in="1x1"), 224)[1], count(se_resnet(50), 224)[1]
    assert plain < gated < 1.01 * plain


@pytest.mark.parametrize("depth", [50, *(pytest.param(depth, marks=pytest.mark.slow) for depth in (101, 152))])
@pytest.mark.slow
def test_resnet_equals_timm(depth: int) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"seresnet{depth}")
    assert largest_difference(se_resnet(depth, stride_in="3x3"), theirs, 64) <= 1e-9


@pytest.mark.parametrize("depth", [50, *(pytest.param(depth, marks=pytest.mark.slow) for depth in (101, 152))])
@pytest.mark.slow
def test_resnet_of_the_paper_equals_timm(depth: int) -> None:
    """timm's port of the released nets pools without padding, as Caffe does; it gets the padded pool of ResNet here."""
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"legacy_seresnet{depth}", drop_rate=0.0)
    theirs.pool0 = nn.MaxPool2d(3, stride=2, padding=1)
    for block in theirs.modules():
        if hasattr(block, "se_module"):  # it runs after the projection: bring the layers into our order
            block.bn3 = nn.Sequential(block.bn3, block.se_module)
            block.se_module = nn.Identity()
    assert largest_difference(se_resnet(depth), theirs, 64) <= 1e-9


@pytest.mark.parametrize("depth", [50, pytest.param(101, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_resnext_equals_timm(depth: int) -> None:
    timm = pytest.importorskip("timm")
    assert largest_difference(se_resnext(depth), timm.create_model(f"seresnext{depth}_32x4d"), 64) <= 1e-9


@pytest.mark.slow
def test_152_layers_equal_timm() -> None:
    resnet = pytest.importorskip("timm.models.resnet")
    theirs = resnet.ResNet(
        resnet.Bottleneck, [3, 8, 36, 3], cardinality=32, base_width=4, block_args={"attn_layer": "se"}
    )
    assert largest_difference(se_resnext(152), theirs, 64) <= 1e-9


@pytest.mark.slow
def test_every_residual_ends_in_a_gate() -> None:
    network = se_resnet(50)
    gates = [module for module in network.modules() if isinstance(module, SqueezeExcite)]
    assert [gate.reduce.out_channels for gate in gates] == [16] * 3 + [32] * 4 + [64] * 6 + [128] * 3
    assert isinstance(network.features.stage4[2].residual[-1], SqueezeExcite)


@pytest.mark.slow
@pytest.mark.parametrize("reduction", [0, 257])
def test_reduction_must_leave_a_channel(reduction: int) -> None:
    with pytest.raises(ValueError, match=f"256 channels of a block, got {reduction}"):
        append_squeeze_excite(imagenet_resnet(50), reduction)


@pytest.mark.slow
@pytest.mark.parametrize("build", [se_resnet, se_resnext])
@pytest.mark.parametrize("options", [{"zero_init_last": True}, {"stem": "small"}])
def test_every_parameter_learns(build: type, options: dict[str, str | bool]) -> None:
    assert_trainable(build(50, num_classes=7, in_channels=1, **options), 32, in_channels=1)


@pytest.mark.slow
@pytest.mark.parametrize("build", [se_resnet, se_resnext])
def test_zero_init_starts_every_block_as_its_shortcut(build: type) -> None:
    block = build(50, zero_init_last=True).features.stage3[1].eval()
    x = torch.rand(1, 512, 4, 4)
    assert torch.equal(block(x), x)


@pytest.mark.slow
@pytest.mark.parametrize("build", [se_resnet, se_resnext])
def test_one_pixel_is_enough(build: type) -> None:
    network = build(50)
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()
