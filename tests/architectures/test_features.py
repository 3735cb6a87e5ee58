"""Maps at chosen strides, and what a network tells of its stages without an image."""

import pytest
import torch

import lit_cnn
from lit_cnn.architectures.features import FeatureExtractor


def test_strides_and_channels_are_known_and_are_those_of_the_maps() -> None:
    network = lit_cnn.create_model("mobilenet_v2", num_classes=5)
    assert [tuple(stage) for stage in network.feature_info][1:4] == [(24, 4), (32, 8), (64, 16)]
    extractor = FeatureExtractor(network, (32, 8, 16)).eval()
    maps = extractor(torch.zeros(1, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in maps] == [(32, 8, 12), (96, 4, 6), (1280, 2, 3)]
    assert [(stage.channels, stage.stride) for stage in extractor.feature_info] == [(32, 8), (96, 16), (1280, 32)]


def test_a_stride_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="ResNet has no map of stride 64, only of 4, 8, 16, 32"):
        FeatureExtractor(lit_cnn.create_model("resnet18"), (8, 64))


def test_a_fresh_classifier_keeps_everything_else() -> None:
    network = lit_cnn.create_model("resnet18", num_classes=4)
    before = network.features[0].conv.weight.clone()
    network.reset_classifier(9)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 9)
    assert torch.equal(network.features[0].conv.weight, before)
    network.reset_classifier(0)
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 512)
    with pytest.raises(ValueError, match="has no classifier"):
        network.reset_classifier(3)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        lit_cnn.create_model("resnet18").reset_classifier(-1)


def test_a_network_may_end_in_its_features() -> None:
    assert lit_cnn.create_model("cifar_resnet8", num_classes=0)(torch.zeros(2, 3, 32, 32)).shape == (2, 64)
