"""Which maps of a network a pyramid takes, what it leaves of the network, and what it makes of them."""

import pytest
import torch
from torch import nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.detection.pyramid import Pyramid, PyramidSettings, find_levels


def thin_resnet() -> Network:
    return create_model("resnet18", num_classes=0, width_multiplier=0.125)


def small_cells(**options: int | str) -> Network:
    return create_model("cell_network", num_classes=0, stem="imagenet", repeats=1, filters=8, **options)


def test_maps_have_the_width_and_the_strides() -> None:
    pyramid = Pyramid(thin_resnet(), "resnet18", PyramidSettings(width=8))
    maps = pyramid(torch.zeros(2, 3, 64, 96))
    assert pyramid.strides == (8, 16, 32, 64, 128)
    assert [tuple(x.shape) for x in maps] == [
        (2, 8, 8, 12),
        (2, 8, 4, 6),
        (2, 8, 2, 3),
        (2, 8, 1, 2),
        (2, 8, 1, 1),
    ]
    assert pyramid.grids((64, 96)) == [(8, 12), (4, 6), (2, 3), (1, 2), (1, 1)]


def test_other_strides_and_no_top_give_other_maps() -> None:
    settings = PyramidSettings(width=8, strides=(4, 8), top="none")
    pyramid = Pyramid(thin_resnet(), "resnet18", settings)
    assert [x.shape[-1] for x in pyramid(torch.zeros(1, 3, 64, 64))] == [16, 8]
    assert [name for name, _ in pyramid.backbone.features.named_children()] == ["stem", "stage2", "stage3"]


@pytest.mark.parametrize(
    ("name", "channels", "last"),
    [
        ("resnet50", [512, 1024, 2048], "stage5"),
        ("mobilenet_v2", [32, 96, 320], "stage8"),
        pytest.param("efficientnet_b0", [40, 112, 320], "stage8", marks=pytest.mark.slow),
        pytest.param("nfnet_f0", [512, 1536, 1536], "stage4", marks=pytest.mark.slow),
        pytest.param("googlenet", [480, 832, 1024], "stage5", marks=pytest.mark.slow),
        ("vgg11", [256, 512, 512], "stage5"),
        pytest.param("nasnet_a_mobile", [264, 528, 1056], "cell16", marks=pytest.mark.slow),
    ],
)
def test_the_last_map_of_each_stride_is_taken_without_the_final_widening(
    name: str, channels: list[int], last: str
) -> None:
    with on_meta():
        network = create_model(name, num_classes=0)
        names = dict(network.state_dict())
        assert [level.channels for level in find_levels(network, name, (8, 16, 32))] == channels
        backbone = Pyramid(network, name, PyramidSettings(width=8)).backbone
    assert [child for child, _ in backbone.features.named_children()][-1] == last
    assert all(names[key].shape == value.shape for key, value in backbone.state_dict().items())
    assert all(key.startswith("features.") for key in backbone.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("strides", [(8, 16), (8, 16, 32)])
def test_every_parameter_of_a_network_of_cells_belongs_to_the_maps(strides: tuple[int, ...]) -> None:
    network = small_cells(aux_head=True)
    full = create_model("cell_network", stem="imagenet", repeats=1, filters=8).eval()
    pyramid = Pyramid(network, "cell_network", PyramidSettings(width=8, strides=strides, top="none"))
    images = torch.randn(2, 3, 64, 64)
    sum(x.square().mean() for x in pyramid(images)).backward()
    assert all(parameter.grad is not None for parameter in pyramid.parameters())
    full.load_state_dict(pyramid.backbone.state_dict(), strict=False)
    with torch.no_grad():
        maps = pyramid.eval().backbone.stages(images)
        assert all(torch.equal(a, b) for a, b in zip(maps, full.stages(images), strict=False))


@pytest.mark.parametrize(
    ("name", "options", "strides"),
    [
        ("alexnet", {}, "8.26, 17.1, 36.6"),
        ("zfnet", {}, "4.03, 16.5, 34.1"),
        ("cifar_resnet20", {}, "1, 2, 4"),
        ("resnet18", {"stem": "small"}, "1, 2, 4, 8"),
    ],
)
def test_unusable_strides_are_refused(name: str, options: dict[str, str], strides: str) -> None:
    with on_meta():
        network = create_model(name, num_classes=0, **options)
    expected = f"^{name} cannot carry a pyramid of strides 8, 16, 32, for its maps have the strides {strides}: choose"
    with pytest.raises(ValueError, match=expected):
        Pyramid(network, name, PyramidSettings())


def test_maps_are_those_of_torchvision() -> None:
    torch.manual_seed(0)
    ours = Pyramid(thin_resnet(), "resnet18", PyramidSettings(width=8)).eval()
    taken = {"stage3": "0", "stage4": "1", "stage5": "2"}
    theirs = BackboneWithFPN(ours.backbone.features, taken, [16, 32, 64], 8, LastLevelP6P7(8, 8)).eval()
    theirs.fpn.load_state_dict(ours.fpn.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(ours(images), theirs(images).values(), strict=True))


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm2d), ("group", nn.GroupNorm)])
def test_norms_follow_the_convolutions(norm: str, kind: type[nn.Module]) -> None:
    with on_meta():
        network = create_model("resnet18", num_classes=0)
        pyramid = Pyramid(network, "resnet18", PyramidSettings(width=32, norm=norm))  # type: ignore[arg-type]
    assert sum(isinstance(module, kind) for module in pyramid.fpn.modules()) == 6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "pyramid.width must be at least 1, got 0"),
        ({"strides": (16, 8)}, r"pyramid.strides must be increasing, such as \[8, 16, 32\], got \[16, 8\]"),
        ({"strides": ()}, "pyramid.strides must be increasing"),
        ({"top": "p6"}, "pyramid.top must be p6p7 or pool or none, got 'p6'"),
        ({"norm": "layer"}, "pyramid.norm must be none or batch or group, got 'layer'"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PyramidSettings(**settings)


def test_pool_adds_every_other_pixel_of_the_last_map() -> None:
    settings = PyramidSettings(width=8, strides=(4, 8), top="pool")
    assert settings.all_strides == (4, 8, 16)
    pyramid = Pyramid(thin_resnet(), "resnet18", settings).eval()
    with torch.no_grad():
        *_, last, added = pyramid(torch.randn(1, 3, 64, 64))
    assert torch.equal(added, last[:, :, ::2, ::2])
    assert pyramid.own_maps == 2
