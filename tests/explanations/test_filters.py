"""The first layer's filters as they are applied."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import lit_cnn
from lit_cnn.architectures.nfnet import NFNet
from lit_cnn.explanations.filters import first_filters


def test_the_first_convolution_is_found_by_its_name() -> None:
    network = lit_cnn.create_model("cifar_resnet8", in_channels=1)
    found = first_filters(network)
    assert found.layer == "features.stem.conv"
    assert torch.equal(found.weights, network.get_submodule(found.layer).weight)
    assert found.weights.shape == (16, 1, 3, 3)


def test_nfnets_filters_are_those_that_are_applied() -> None:
    network = NFNet((1, 1, 1, 1), num_classes=5).eval()
    found = first_filters(network)
    layer, images = network.get_submodule(found.layer), torch.randn(1, 3, 9, 9)
    expected = F.conv2d(F.pad(images, (1, 1, 1, 1)), found.weights, layer.bias, stride=2)
    torch.testing.assert_close(layer(images), expected)


def test_a_network_without_convolutions_has_none() -> None:
    with pytest.raises(ValueError, match="Linear has no convolution"):
        first_filters(nn.Linear(2, 2))
