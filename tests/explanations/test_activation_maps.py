"""Exact maps add up to the logits; Grad-CAM equals them on pooled networks; the network is left as it was."""

import copy
from typing import NamedTuple

import pytest
import torch
from corner_net import CELL, CornerNet
from test_training import FAMILIES, make_prepared
from torch import Tensor, nn

from lit_cnn.architectures.resnet import cifar_resnet
from lit_cnn.architectures.vgg import VGG
from lit_cnn.explanations import class_activation_map, grad_cam
from lit_cnn.explanations.activation_maps import enlarged
from lit_cnn.explanations.layers import pooled_classifier

POOLED_NAMES = [name for name in FAMILIES if not name.endswith(("alexnet", "zfnet", "vgg", "vgg_bn", "connected"))]
FAST = {"small_vgg_global_average", "small_senet", "small_nasnet", "small_nfnet_narrow", "small_block_network"}
POOLED = [pytest.param(n, marks=[] if n in FAST else pytest.mark.slow) for n in POOLED_NAMES if n != "small_cifar_vgg"]


class Net(nn.Module):
    """Two convolutions with names of its own, the second followed by an activation that works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 5, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)
        self.last = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.activation(self.second(self.activation(self.first(x)))).mean(dim=(2, 3)))


def red_and_blue() -> Tensor:
    """(1, 3, 12, 16): the cell in row 2, column 0 red, that in row 0, column 3 blue, that in row 1, column 1 green."""
    images = torch.zeros(1, 3, 12, 16)
    for channel, (row, column) in enumerate([(2, 0), (1, 1), (0, 3)]):
        images[0, channel, row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 1.0
    return images


@pytest.mark.parametrize("name", POOLED)
def test_the_mean_of_an_exact_map_and_the_bias_are_the_logit(name: str) -> None:
    network, images = (part.double() for part in make_prepared(name)[1:])
    classes = torch.tensor([[0, 4]] * len(images))
    maps, classifier = class_activation_map(network, images, classes), pooled_classifier(network)
    assert classifier is not None
    with torch.no_grad():
        logits = network(images).gather(1, classes)
    bias = torch.zeros(5) if classifier.bias is None else classifier.bias
    torch.testing.assert_close(maps.mean(dim=(2, 3)) + bias[classes], logits)


@pytest.mark.parametrize("name", POOLED)
def test_on_pooled_networks_grad_cam_is_the_exact_map_above_0_over_its_positions(name: str) -> None:
    network, images = (part.double() for part in make_prepared(name)[1:])
    classes = torch.tensor([[1, 3]] * len(images))
    exact = class_activation_map(network, images, classes)
    assert float(exact.abs().max()) > 0
    torch.testing.assert_close(grad_cam(network, images, classes), exact.relu() / exact[0, 0].numel())


def test_the_maps_of_a_network_computed_by_hand() -> None:
    maps = class_activation_map(CornerNet(), red_and_blue(), torch.tensor([[0, 1]]))
    expected = torch.zeros(1, 2, 3, 4)
    expected[0, 0, 2, 0] = expected[0, 1, 0, 3] = 16.0
    expected[0, :, 1, 1] = -8.0
    torch.testing.assert_close(maps, expected)


@pytest.mark.parametrize(
    "name",
    [
        *("small_vgg_bn", "small_cifar_vgg"),
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("small_alexnet", "small_googlenet_fully_connected")),
    ],
)
def test_grad_cam_of_other_heads_is_the_gradient_of_the_features(name: str) -> None:
    network, images = (part.double() for part in make_prepared(name)[1:])
    classes = torch.tensor([[2]] * len(images))
    features = network.features(images).detach().requires_grad_()
    network.head(features)[:, 2].sum().backward()
    weights = features.grad.mean(dim=(2, 3), keepdim=True)
    expected = (weights * features).sum(dim=1, keepdim=True).relu().detach()
    torch.testing.assert_close(grad_cam(network, images, classes), expected)
    with pytest.raises(ValueError, match=r"does not end in global average pooling .*: use grad-cam"):
        class_activation_map(network, images, classes)


def test_any_layer_of_any_network_has_a_grad_cam_though_the_next_works_in_place() -> None:
    torch.manual_seed(0)
    network, images = Net().double(), torch.randn(2, 3, 6, 7).double()
    maps = grad_cam(network, images, torch.tensor([[0], [2]]), "second")
    before = network.second(network.first(images).relu()).detach()
    for image, number in enumerate([0, 2]):
        weights = network.last.weight[number, :, None, None] * (before[image] > 0) / 42
        expected = (weights.mean(dim=(1, 2), keepdim=True) * before[image]).sum(dim=0).relu()
        torch.testing.assert_close(maps[image, 0], expected.detach())


class Kept(NamedTuple):
    """What must not change."""

    modes: list[bool]
    hooks: int
    frozen: list[bool]
    gradients: list[Tensor | None]


def state_of(network: nn.Module) -> Kept:
    return Kept(
        [module.training for module in network.modules()],
        sum(len(module._forward_hooks) for module in network.modules()),
        [weight.requires_grad for weight in network.parameters()],
        [weight.grad for weight in network.parameters()],
    )


@pytest.mark.parametrize("inference", [False, True], ids=["no_grad", "inference_mode"])
def test_a_frozen_network_in_training_without_gradients_is_left_as_it_was(inference: bool) -> None:
    network = cifar_resnet(8, num_classes=4).train().requires_grad_(False)
    network.head.eval()
    weights, state = copy.deepcopy(network.state_dict()), state_of(network)
    expected = grad_cam(copy.deepcopy(network).requires_grad_(True), torch.ones(1, 3, 8, 8), torch.tensor([[1]]))
    with torch.inference_mode(inference), torch.no_grad():
        images, classes = torch.ones(1, 3, 8, 8), torch.tensor([[1]])
        found = grad_cam(network, images, classes)
        class_activation_map(network, images, classes)
        assert not torch.is_grad_enabled()
    torch.testing.assert_close(found, expected)
    assert state_of(network) == state
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ("last", "the layer last of Net has no map"),
        ("activation", "the layer activation of Net runs 2 times in a pass: name another --layer"),
        ("secnod", "Net has no layer 'secnod': did you mean second"),
        (None, r"Net has no layer called features: name one with --layer, such as second \(6x7\)"),
    ],
)
def test_layers_without_one_map_are_refused_and_no_hook_is_left(layer: str | None, said: str) -> None:
    network = Net()
    with pytest.raises(ValueError, match=said):
        grad_cam(network, torch.zeros(1, 3, 6, 7), torch.tensor([[0]]), layer)
    assert state_of(network).hooks == 0


def test_maps_of_random_weights_are_other_maps() -> None:
    """Sanity check by randomized weights: Adebayo et al., "Sanity Checks for Saliency Maps", 2018, arXiv:1810.03292."""
    torch.manual_seed(0)
    corners = torch.arange(64) % 4
    images = 0.3 * torch.randn(64, 3, 16, 16)
    for image, corner in zip(images, corners.tolist(), strict=True):
        top, left = 8 * (corner // 2), 8 * (corner % 2)
        image[:, top : top + 8, left : left + 8] += torch.tensor([[[2.0]], [[-2.0]], [[1.0]]])
    network = VGG((1, 1), widths=(8, 16), batch_norm=True, weight_init="he", head="global_average", num_classes=2)
    network.smallest_input = 16
    labels = corners // 2  # whether it is at the bottom
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    trained = class_activation_map(network, images, labels[:, None])
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)):
            module.reset_parameters()
    random = class_activation_map(network, images, labels[:, None])
    likeness = torch.corrcoef(torch.stack([trained.flatten(), random.flatten()]))[0, 1]
    assert abs(float(likeness)) < 0.6


def test_enlarged_maps_keep_their_place_and_size() -> None:
    maps = torch.zeros(1, 1, 3, 4)
    maps[0, 0, 2, 0] = 1.0
    large = enlarged(maps, (30, 40))
    assert large.shape == (1, 1, 30, 40)
    assert float(large[0, 0, 20:30, 0:10].sum() / large.sum()) > 0.7
    torch.testing.assert_close(large[0, 0, 24:26, 4:6].mean(), torch.tensor(0.975**2))
