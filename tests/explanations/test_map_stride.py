"""Networks with a finer last map: where they have been, they are as before."""

import pytest
import torch
from corner_net import CornerNet
from torch import nn

import lit_cnn
from lit_cnn.architectures.network import Network
from lit_cnn.explanations.map_stride import with_map_stride


def made(name: str) -> Network:
    """A network with filters and statistics that matter."""
    torch.manual_seed(0)
    network = lit_cnn.create_model(name, num_classes=3).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.weight.data.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize(
    ("name", "side", "stride", "first"),
    [
        ("cifar_resnet8", 32, 2, 0),
        ("cifar_resnet8", 32, 1, 0),
        ("resnet18", 64, 16, 0),
        pytest.param("resnet50", 64, 8, 0, marks=pytest.mark.slow),
        pytest.param("mobilenet_v2", 64, 16, 0, marks=pytest.mark.slow),
        pytest.param("efficientnet_lite0", 64, 16, 1, marks=pytest.mark.slow),  # TensorFlow pads after the last pixel
    ],
)
@torch.no_grad()
def test_every_second_position_is_the_old_map(name: str, side: int, stride: int, first: int) -> None:
    network, images = made(name), torch.randn(2, 3, side, side)
    before = network.forward_features(images)
    finer = with_map_stride(network, stride, images)
    assert isinstance(finer, Network)
    after = finer.eval().forward_features(images)
    assert after.shape[-2:] == (side // stride, side // stride)
    step = after.shape[-1] // before.shape[-1]
    rounding = 1e-4 * float(before.abs().max())
    torch.testing.assert_close(after[..., first::step, first::step], before, rtol=1e-4, atol=rounding)
    torch.testing.assert_close(network.forward_features(images), before)  # left as it was


def test_a_network_that_has_the_stride_is_returned_itself() -> None:
    network = made("cifar_resnet8")
    assert with_map_stride(network, 4, torch.zeros(1, 3, 32, 32)) is network


def test_strides_that_cannot_be_had_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--map-stride is 3, but the maps of ResNet have the strides 1, 2, 4"):
        with_map_stride(made("cifar_resnet8"), 3, torch.zeros(1, 3, 32, 32))
    with pytest.raises(ValueError, match=r"changes networks of the catalog, not Linear"):
        with_map_stride(nn.Linear(2, 2), 16, torch.zeros(1, 3, 32, 32))
    assert with_map_stride(CornerNet(), 4, torch.zeros(1, 3, 16, 16))


@pytest.mark.slow
def test_strides_outside_of_convolutions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--map-stride 16 cannot be had of \w+, whose last stages reduce the map by"):
        with_map_stride(made("resnet_rs_50"), 16, torch.zeros(1, 3, 64, 64))
