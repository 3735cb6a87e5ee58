"""Which layers have a map, and what is said of those that have none."""

import pytest
import torch
import torchvision
from torch import nn

import lit_cnn
from lit_cnn.explanations.layers import find_layer, layers_with_maps, pooled_classifier


def test_our_networks_are_looked_at_before_their_head() -> None:
    network = lit_cnn.create_model("cifar_resnet8")
    assert find_layer(network, None, torch.zeros(1, 3, 32, 32)) == "features"
    assert find_layer(network, "features.stage2", torch.zeros(1, 3, 32, 32)) == "features.stage2"


def test_of_a_foreign_network_the_outermost_layer_of_each_size_of_map_is_offered() -> None:
    network = torchvision.models.resnet18()
    offered = layers_with_maps(network, torch.zeros(1, 3, 64, 64))
    assert offered == {"relu": (32, 32), "layer1": (16, 16), "layer2": (8, 8), "layer3": (4, 4), "layer4": (2, 2)}
    assert network.training
    with pytest.raises(
        ValueError, match=r"ResNet has no layer called features: name one with --layer, .*layer4 \(2x2\)"
    ):
        find_layer(network, None, torch.zeros(1, 3, 64, 64))


def test_a_layer_is_suggested_by_its_last_part_or_by_its_letters() -> None:
    network = lit_cnn.create_model("cifar_resnet8")
    for wrong, right in (("stage2", "features.stage2"), ("features.stgae3", "features.stage3")):
        with pytest.raises(ValueError, match=f"ResNet has no layer '{wrong}': did you mean {right}?"):
            find_layer(network, wrong, torch.zeros(1, 3, 32, 32))


def test_a_network_without_maps_has_no_layer() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(ValueError, match="no layer that ends in a map, as Grad-CAM needs one: use --method occlusion"):
        find_layer(network, None, torch.zeros(1, 3, 2, 2))


def test_only_global_average_pooling_and_one_linear_layer_are_exact() -> None:
    assert pooled_classifier(lit_cnn.create_model("cifar_resnet8")) is not None
    assert pooled_classifier(lit_cnn.create_model("cifar_vgg8")) is None  # global max pooling
    assert pooled_classifier(nn.Sequential(nn.Linear(2, 2))) is None
    bare = lit_cnn.create_model("cifar_resnet8")
    bare.reset_classifier(0)
    assert pooled_classifier(bare) is None
