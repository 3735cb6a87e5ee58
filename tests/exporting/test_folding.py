"""A folded network computes what the original does, and the original stays as it was."""

import copy

import pytest
import torch
from one_in import one_in
from test_training import FAMILIES, make_prepared
from torch import nn

from lit_cnn.architectures.googlenet import NaiveInception, Widths
from lit_cnn.architectures.layers.scaled_conv import ScaledConv2d
from lit_cnn.exporting.folding import checked_difference, fold_for_inference

LEFT = {"small_nasnet": "adapt", "small_amoebanet": "adapt", "small_cifar_vgg": "norm1"}
"""Part of the names of norms that stay: one norm behind two convolutions side by side or behind a pool, and those of
auxiliary heads."""


@pytest.mark.parametrize("name", one_in(2, FAMILIES))
def test_families_give_the_same_logits(name: str) -> None:
    prepared = make_prepared(name)
    network, images = prepared.network.double(), prepared.images.double()
    before = copy.deepcopy(network.state_dict())
    folded = fold_for_inference(network, images)
    with torch.no_grad():
        expected, found = network(images), folded.network(images)
    assert float((found - expected).abs().max() / expected.abs().max()) == folded.difference <= 1e-9
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert folded.norms + len(folded.left) == len(norms)
    assert all(LEFT.get(name, "none") in norm or norm.startswith("aux") for norm in folded.left)
    assert folded.filters == sum(isinstance(module, ScaledConv2d) for module in network.modules())
    assert not any(isinstance(module, ScaledConv2d) for module in folded.network.modules())


def test_naive_inception_folds() -> None:
    block = NaiveInception(3, Widths(2, 0, 4, 0, 5, 0), branch_kernel=5, batch_norm=True).eval()
    folded = fold_for_inference(block, torch.randn(2, 3, 8, 8))
    assert (folded.norms, folded.left) == (3, ())


def test_single_precision_and_layout() -> None:
    prepared = make_prepared("small_efficientnet")
    network = prepared.network.to(memory_format=torch.channels_last)
    folded = fold_for_inference(network, prepared.images)
    assert folded.difference <= 1e-4
    conv = folded.network.features.stem.conv
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_training_mode_is_kept_and_the_copy_evaluates() -> None:
    prepared = make_prepared("small_resnet")
    network = prepared.network.train()
    folded = fold_for_inference(network, prepared.images)
    assert network.training
    assert not any(module.training for module in folded.network.modules())


def test_norm_with_nothing_or_an_activation_in_front_stays() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)).eval()
    folded = fold_for_inference(network, torch.randn(2, 3, 4, 4))
    assert (folded.norms, folded.left) == (0, ("0", "3"))


class ActivatedNorm(nn.BatchNorm2d):
    """A batch norm with its activation, as timm has it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).relu()


def test_norm_that_does_more_stays() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), ActivatedNorm(4), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)).eval()
    folded = fold_for_inference(network, torch.randn(2, 3, 4, 4))
    assert (folded.norms, folded.left) == (1, ("1",))


def test_difference_above_the_tolerance_is_refused() -> None:
    prepared = make_prepared("small_resnet")
    with pytest.raises(ValueError, match="use the network as it is"):
        fold_for_inference(prepared.network, prepared.images, tolerance=0.0)


class Times(nn.Module):
    """The input times a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


@pytest.mark.parametrize(
    ("dtype", "close", "far"),
    [(torch.float64, 2**-40, 2**-20), (torch.float32, 2**-20, 2**-10), (torch.bfloat16, 2**-5, 2**-3)],
)
def test_each_precision_has_its_tolerance(dtype: torch.dtype, close: float, far: float) -> None:
    example = torch.ones(1, 1, 2, 2, dtype=dtype)
    assert checked_difference(Times(1 + close), Times(1), example, None, "net") == close
    with pytest.raises(ValueError, match="the net differs"):
        checked_difference(Times(1 + far), Times(1), example, None, "net")
