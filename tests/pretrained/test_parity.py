"""Our networks compute what torchvision's and timm's compute, in evaluation and in training."""

import pytest
import torch
from torch import nn

from lit_cnn.architectures.catalog import list_models
from lit_cnn.pretrained import parity
from lit_cnn.pretrained.parity import gradient_difference, gradients_in_training, measure_parity, select_references
from lit_cnn.pretrained.references import REFERENCES, Reference
from lit_cnn.pretrained.transfer import transfer_weights

FAST = {"resnet18/torchvision/resnet18", "mobilenet_v1/timm/mobilenetv1_100"}
"""One of each library; the small networks of the others are compared in ``tests/architectures``, too."""


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row.label, marks=() if row.label in FAST else pytest.mark.slow) for row in REFERENCES],
)
def test_equal(row: Reference) -> None:
    result = measure_parity(row)
    assert result.logits <= 1e-9
    assert result.logits_single <= 1e-4
    assert result.equal
    if row.gradient:
        assert result.gradient is not None
        assert result.gradient <= 1e-9


def test_fast_rows_exist() -> None:
    assert {row.label for row in REFERENCES} >= FAST


def test_rows_are_distinct_and_in_the_catalog() -> None:
    assert len({row.label for row in REFERENCES}) == len(REFERENCES)
    assert {row.name for row in REFERENCES} <= set(list_models())


@pytest.mark.slow
def test_other_conventions_are_seen() -> None:
    """The padding of TensorFlow against torchvision's symmetric one: the comparison can fail."""
    row = Reference("efficientnet_b0", "torchvision", "efficientnet_b0", {"norm_eps": 1e-5})
    with pytest.raises(ValueError, match=r"outputs differ by .*Conv2dNormActivation|outputs differ by .*Conv2d"):
        measure_parity(row)


class Scaled(nn.Linear):
    """A linear layer with a wrong gradient in training."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * (1.5 if self.training else 1.0)


def test_a_wrong_gradient_is_seen() -> None:
    source, target, images = nn.Linear(4, 3).double(), Scaled(4, 3).double(), torch.randn(5, 4).double()
    report = transfer_weights(source, target, images)
    assert gradient_difference(source, target, images, report) == pytest.approx(0.5)
    assert gradient_difference(source, source, images, transfer_weights(source, source, images)) == 0.0


def test_a_gradient_that_is_not_a_number_is_seen() -> None:
    source, target, images = nn.Linear(4, 3).double(), nn.Linear(4, 3).double(), torch.randn(5, 4).double()
    report = transfer_weights(source, target, images)
    target.weight.register_hook(lambda gradient: gradient * float("nan"))
    assert gradient_difference(source, target, images, report) == float("inf")


def test_gradients_leave_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    gradients = gradients_in_training(network, torch.randn(3, 3, 4, 4))
    assert set(gradients) == {name for name, _ in network.named_parameters()}
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_selection() -> None:
    assert {row.name for row in select_references(["resnet1?"])} == {"resnet18"}
    assert {row.other for row in select_references(["efficientnet_lite0"])} == {
        "tf_efficientnet_lite0",
        "efficientnet_lite0",
    }
    assert select_references(["tf_efficientnet_lite0"])[0].name == "efficientnet_lite0"
    assert all(row.quick for row in select_references(quick=True))
    with pytest.raises(ValueError, match="no reference of 'resnet19'"):
        select_references(["resnet19"])


def test_tolerances() -> None:
    def result(**changes: float) -> parity.ParityResult:
        numbers = {"logits": 1e-10, "logits_single": 1e-5, "gradient": 1e-10} | changes
        return parity.ParityResult("a", "timm", "b", 32, 1, "order", **numbers, seconds=0.0)

    assert result().equal
    assert not result(logits=1e-8).equal
    assert not result(logits_single=1e-3).equal
    assert not result(gradient=1e-8).equal
    assert not result(gradient=float("nan")).equal
    assert not result(logits=float("nan")).equal


@pytest.mark.slow
def test_stated_widths_and_depths_are_compared_too() -> None:
    widths, depths = (256, 256, 512, 256), (1, 2, 1, 1)
    row = Reference(
        "nfnet_f0",
        "timm",
        "dm_nfnet_f0",
        {"epsilon": "added", "widths": widths, "depths": depths},
        {"channels": widths, "depths": depths, "stem_chs": 128, "num_features": 512},
        image_size=32,
    )
    assert measure_parity(row).equal
