"""VGG has the paper's counts and computes what torchvision's does."""

import pytest
import torch
import torchvision
from gradients import assert_trainable
from one_in import one_in
from ordered_copy import assert_smallest_input, count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.vgg import vgg


@pytest.mark.parametrize(
    ("depth", "batch_norm", "params", "madds"),
    [  # architectures.json: torchvision 0.29.1
        (11, False, 132_863_336, 7_609_090_048),
        *slow(
            (11, True, 132_868_840, 7_609_090_048),
            (13, False, 133_047_848, 11_308_466_176),
            (13, True, 133_053_736, 11_308_466_176),
            (16, False, 138_357_544, 15_470_264_320),
            (16, True, 138_365_992, 15_470_264_320),
            (19, False, 143_667_240, 19_632_062_464),
            (19, True, 143_678_248, 19_632_062_464),
        ),
    ],
)
def test_counts(depth: int, batch_norm: bool, params: int, madds: int) -> None:
    with on_meta():
        assert count(vgg(depth, batch_norm=batch_norm), 224) == (params, madds)


TABLE_1 = {
    11: (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    13: (64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    16: (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"),
    19: (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"),
}
"""Columns A, B, D and E; M is the max pool."""


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", TABLE_1)
def test_counts_with_global_average_by_hand(depth: int, batch_norm: bool) -> None:
    params, madds, channels, side = 512 * 1000 + 1000, 512 * 1000, 3, 224
    for width in TABLE_1[depth]:
        if width == "M":
            side //= 2
            continue
        params += 9 * channels * width + width + (2 * width if batch_norm else 0)
        madds += 9 * channels * width * side**2
        channels = width
    with on_meta():
        assert count(vgg(depth, batch_norm=batch_norm, head="global_average"), 224) == (params, madds)


@pytest.mark.slow
def test_global_average_head_equals_torchvision_with_that_head() -> None:
    theirs = torchvision.models.vgg11_bn(weights=None, init_weights=False)
    theirs.avgpool, theirs.classifier = nn.AdaptiveAvgPool2d(1), nn.Linear(512, 10)
    ours = vgg(11, batch_norm=True, head="global_average", dropout=0.0, num_classes=10)
    assert largest_difference(ours, theirs, 64) <= 1e-9


def test_dropout_is_before_the_classifier_of_a_global_average_head() -> None:
    head = vgg(11, head="global_average", dropout=0.3, hidden=32).head
    assert [name for name, _ in head.named_children()] == ["pool", "flatten", "dropout", "classifier"]
    assert head.dropout.rate == 0.3
    x = torch.randn(2, 512, 3, 5)
    torch.testing.assert_close(head.eval()(x), head.classifier(x.mean((2, 3))))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", [11, *(pytest.param(depth, marks=pytest.mark.slow) for depth in (13, 16, 19))])
@pytest.mark.slow
def test_features_equal_torchvision(depth: int, batch_norm: bool) -> None:
    """With 32 hidden units instead of 4096: the two wide layers would take most of the time and memory."""
    with on_meta():
        theirs = getattr(torchvision.models, f"vgg{depth}{'_bn' if batch_norm else ''}")(dropout=0.0)
    for position, (inputs, outputs) in {0: (25088, 32), 3: (32, 32), 6: (32, 1000)}.items():
        theirs.classifier[position] = nn.Linear(inputs, outputs)
    theirs.features.to_empty(device="cpu")
    for module in theirs.features:
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            module.reset_parameters()
    assert largest_difference(vgg(depth, dropout=0.0, batch_norm=batch_norm, hidden=32), theirs, 64) <= 1e-9


@pytest.mark.slow
def test_whole_network_equals_torchvision() -> None:
    assert largest_difference(vgg(11, dropout=0.0), torchvision.models.vgg11(dropout=0.0), 32) <= 1e-9


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        maps = vgg(16).eval().stages(torch.empty(1, 3, 224, 224))
    sides = [(64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7)]
    assert [tuple(x.shape[1:]) for x in maps] == sides


@pytest.mark.parametrize(
    ("depth", "expected"), [(11, (1, 1, 2, 2, 2)), (13, (2,) * 5), (16, (2, 2, 3, 3, 3)), (19, (2, 2, 4, 4, 4))]
)
def test_convolutions_per_stage(depth: int, expected: tuple[int, ...]) -> None:
    with on_meta():
        network = vgg(depth)
    counted = tuple(sum(isinstance(layer, nn.Conv2d) for layer in stage) for stage in network.features)
    assert counted == expected
    assert sum(counted) + 3 == depth == len([row for row in TABLE_1[depth] if row != "M"]) + 3


def test_smallest_input() -> None:
    with on_meta():
        assert vgg(11).smallest_input == 32
        assert_smallest_input(vgg(11))


@pytest.mark.parametrize("weight_init", one_in(3, ["paper", "glorot", "he"]))
def test_every_parameter_learns(weight_init: str) -> None:
    assert_trainable(vgg(11, num_classes=7, in_channels=1, hidden=32, weight_init=weight_init), 32, in_channels=1)


def test_global_average_head_learns() -> None:
    network = vgg(11, num_classes=7, in_channels=1, head="global_average", dropout=0.0)
    assert_trainable(network, 32, in_channels=1)


def test_batch_norm_learns() -> None:
    assert_trainable(vgg(11, num_classes=7, hidden=32, map_size=1, batch_norm=True), 64)


def test_forward_is_head_of_features() -> None:
    network = vgg(11, num_classes=7, hidden=32, map_size=1, weight_init="he").eval()
    x = torch.randn(2, 3, 33, 40)
    assert torch.equal(network(x), network.head(network.features(x)))


def layers(weight_init: str) -> list[nn.Conv2d | nn.Linear]:
    network = vgg(11, hidden=64, weight_init=weight_init)
    return [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


@pytest.mark.slow
def test_initializations() -> None:
    for layer in layers("paper"):
        chance = (2 / layer.weight.numel()) ** 0.5  # relative standard error of the variance of that many draws
        assert float(layer.weight.detach().var()) == pytest.approx(0.01, rel=4 * chance)
        assert not layer.bias.any()
    for layer in layers("glorot"):
        fans = layer.weight[0].numel() + layer.weight[:, 0].numel()
        assert float(layer.weight.detach().abs().max()) == pytest.approx((6 / fans) ** 0.5, rel=0.02)
        assert not layer.bias.any()
    last = layers("he")[7]
    assert float(last.weight.detach().std()) == pytest.approx((2 / (9 * 512)) ** 0.5, rel=0.01)


def logit_scale(depth: int, weight_init: str) -> float:
    torch.manual_seed(0)
    network = vgg(depth, weight_init=weight_init).eval()
    with torch.no_grad():
        return network(torch.randn(1, 3, 224, 224)).std().item()


@pytest.mark.slow
def test_papers_variance_makes_logits_large() -> None:
    assert 1e6 < logit_scale(11, "paper") < 1e7


@pytest.mark.slow
def test_papers_variance_is_worse_with_depth() -> None:
    assert 1e10 < logit_scale(19, "paper") < 1e11
    assert logit_scale(19, "glorot") < 1.0
