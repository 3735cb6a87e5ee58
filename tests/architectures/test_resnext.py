"""ResNeXt has the published counts and computes what torchvision's and timm's do."""

import pytest
import torch
import torchvision
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow

from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.resnext import resnext


@pytest.mark.parametrize(
    ("depth", "groups", "group_width", "params", "madds"),
    [  # architectures.json: torchvision 0.29.1 and timm 1.0.31
        (50, 32, 4, 25_028_904, 4_230_479_872),
        *slow(
            (50, 64, 4, 45_192_488, 7_981_236_224),
            (101, 32, 4, 44_177_704, 7_969_996_800),
            (101, 64, 4, 83_455_272, 15_460_270_080),
            (101, 32, 8, 88_791_336, 16_414_015_488),
            (152, 32, 4, 59_951_400, 11_709_513_728),
            (152, 64, 4, 114_971_944, 22_939_303_936),
        ),
    ],
)
def test_counts(depth: int, groups: int, group_width: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(resnext(depth, groups=groups, group_width=group_width), 224) == (params, madds)


@pytest.mark.parametrize(
    ("depth", "groups", "group_width"),
    [(50, 32, 4), *(pytest.param(*row, marks=pytest.mark.slow) for row in ((101, 64, 4), (101, 32, 8)))],
)
@pytest.mark.slow
def test_equals_torchvision(depth: int, groups: int, group_width: int) -> None:
    theirs = getattr(torchvision.models, f"resnext{depth}_{groups}x{group_width}d")()
    assert largest_difference(resnext(depth, groups=groups, group_width=group_width), theirs, 64) <= 1e-9


@pytest.mark.slow
def test_101_layers_equal_timm() -> None:
    timm = pytest.importorskip("timm")
    assert largest_difference(resnext(101), timm.create_model("resnext101_32x4d"), 64) <= 1e-9


@pytest.mark.slow
def test_152_layers_equal_timm() -> None:
    resnet = pytest.importorskip("timm.models.resnet")
    theirs = resnet.ResNet(resnet.Bottleneck, [3, 8, 36, 3], cardinality=32, base_width=4)
    assert largest_difference(resnext(152), theirs, 64) <= 1e-9


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = resnext(50).eval()
        maps = network.stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]
    hidden = [network.features.get_submodule(f"stage{number}")[0].residual[1].conv for number in (2, 3, 4, 5)]
    assert [conv.out_channels for conv in hidden] == [128, 256, 512, 1024]
    assert {conv.groups for conv in hidden} == {32}


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"zero_init_last": True}, {"stem": "small"}])
def test_every_parameter_learns(options: dict[str, str | bool]) -> None:
    assert_trainable(resnext(50, num_classes=7, in_channels=1, **options), 32, in_channels=1)


def test_zero_init_starts_every_block_as_its_shortcut() -> None:
    block = resnext(50, zero_init_last=True).features.stage3[1].eval()
    x = torch.rand(1, 512, 4, 4)
    assert torch.equal(block(x), x)


def test_drop_path_is_linear_over_depth() -> None:
    rates = [module.rate for module in resnext(50, drop_path=0.32).modules() if isinstance(module, StochasticDepth)]
    assert rates == pytest.approx([0.02 * number for number in range(1, 17)])


@pytest.mark.slow
def test_one_pixel_is_enough() -> None:
    network = resnext(50)
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()
