"""The CIFAR VGG has the source's maps and counts, and computes what its formula says."""

import torch
import torch.nn.functional as F
from gradients import assert_trainable
from ordered_copy import assert_smallest_input, count
from torch import Tensor, nn

from lit_cnn.architectures.cifar_vgg import cifar_vgg
from lit_cnn.architectures.meta import on_meta


def test_counts_by_hand() -> None:
    convolutions = (24 * 12, 64 * 24 * 9, 64 * 64 * 9, 256 * 64 * 9, 256 * 256 * 9, 256 * 256 * 9, 256 * 256 * 9)
    places = (31 * 31, 31 * 31, 15 * 15, 15 * 15, 7 * 7, 7 * 7, 3 * 3)
    linear, stem_bias, norms = 256 * 10, 24, 2 * 2 * (64 + 256 + 256)
    params = sum(convolutions) + linear + stem_bias + norms
    madds = sum(weights * area for weights, area in zip(convolutions, places, strict=True)) + linear
    with on_meta():
        assert count(cifar_vgg(), 32) == (params, madds)


def test_stages_have_the_widths_and_halve_the_map() -> None:
    with on_meta():
        maps = cifar_vgg(widths=(8, 16, 24)).eval().stages(torch.empty(1, 3, 32, 32))
    assert [tuple(x.shape[1:]) for x in maps] == [(8, 15, 15), (16, 7, 7), (24, 3, 3)]


def test_logits_by_the_formula() -> None:
    network = cifar_vgg(widths=(8, 16, 24)).double()
    x = torch.randn(4, 3, 32, 32, dtype=torch.float64)

    def normalized(y: Tensor) -> Tensor:
        y = y - y.mean((0, 2, 3), keepdim=True)
        return F.gelu(y / (y.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt())

    stem, *stages = network.features
    y = F.gelu(F.conv2d(x, stem[0].weight, stem[0].bias))
    for stage in stages:
        y = normalized(F.max_pool2d(F.conv2d(y, stage.conv1.weight, padding=1), 2))
        y = normalized(F.conv2d(y, stage.conv2.weight, padding=1))
    torch.testing.assert_close(network(x), y.amax((2, 3)) @ network.head.classifier.weight.T / 9)


def test_first_filters_pass_their_channel_on() -> None:
    network = cifar_vgg()
    for stage in network.features[1:]:
        for convolution in (module for module in stage if isinstance(module, nn.Conv2d)):
            channels = convolution.in_channels
            x = torch.randn(2, channels, 5, 5)
            assert torch.equal(convolution(x)[:, :channels], x)


def test_smallest_input() -> None:
    with on_meta():
        assert cifar_vgg().smallest_input == 9
        assert_smallest_input(cifar_vgg())


def test_every_parameter_learns() -> None:
    assert_trainable(cifar_vgg(num_classes=7, in_channels=1), 32, in_channels=1)
