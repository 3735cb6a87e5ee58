import re

import pytest
import torch
import torchvision
from one_in import one_in
from torch import nn

import lit_cnn
from lit_cnn.architectures.meta import on_meta
from lit_cnn.training.class_rows import class_rows, class_tensors, told_logits, unnamed

FAMILIES = {re.split(r"\d|_", name.removeprefix("cifar_"))[0]: name for name in reversed(lit_cnn.list_models())}


@pytest.mark.parametrize("name", one_in(3, FAMILIES.values()))
def test_every_family_has_its_class_layers_found(name: str) -> None:
    """All tensors with a row for each class, and no other, in networks of which no layer is as wide by chance."""
    with on_meta():
        options = {"aux_heads": True} if "googlenet" in name or "inception" in name else {}
        options |= {"aux_head": True} if name.startswith(("nasnet", "amoebanet")) else {}
        network = lit_cnn.create_model(name, num_classes=977, **options)
    wide = [name for name, value in network.named_parameters() if value.shape[:1] == (977,)]
    assert class_tensors(network) == wide


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: torchvision.models.vgg11(num_classes=7), ["classifier.6"]),
        (lambda: torchvision.models.squeezenet1_1(num_classes=7), ["classifier.1"]),
        (lambda: torchvision.models.resnet18(num_classes=7), ["fc"]),
        (
            lambda: torchvision.models.googlenet(num_classes=7, aux_logits=True, init_weights=False),
            ["fc", "aux1.fc2", "aux2.fc2"],
        ),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 7, bias=False)), ["3"]),
        (lambda: nn.Flatten(), []),
    ],
)
def test_a_foreign_network_ends_in_its_last_layer(build: object, expected: list[str]) -> None:
    with on_meta():
        found = class_tensors(build())
    assert list(dict.fromkeys(name.rpartition(".")[0] for name in found)) == expected


class HeadFirst(nn.Module):
    """Whose head is not the last layer that it makes."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.gate = nn.Linear(3, 7), nn.Linear(3, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = images.mean((2, 3))
        return self.head(x * self.gate(x).sigmoid())


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (HeadFirst(), [7, 3]),
        (nn.Sequential(nn.Conv2d(3, 7, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), [7, 7]),
        (nn.Sequential(nn.Conv2d(3, 7, 4), nn.Flatten()), [7 * 25, 7]),  # of images of 4 px
        (nn.Sequential(nn.Flatten(), nn.Linear(9, 7)), [7]),
        (nn.Sequential(nn.Unflatten(1, (2, 2))), []),
    ],
)
def test_logits_are_told_by_the_output_and_by_the_last_layer(network: nn.Module, told: list[int]) -> None:
    assert told_logits(network, torch.empty(1, 3, 8, 8, device="meta")) == told
    assert network.training
    assert not any(parameter.is_meta for parameter in network.parameters())


def test_rows_are_found_by_name() -> None:
    assert class_rows(["a", "b", "c"], ["a", "b", "c"]) == [0, 1, 2]
    assert class_rows(["a", "b", "c"], ["c", "a"]) == [2, 0]
    assert class_rows(["a", "b", "c"], ["c", "d"]) is None
    assert class_rows(["a", "b"], ["A", "b"]) is None


def test_numbers_are_no_names_unless_both_are_the_same_numbers() -> None:
    assert unnamed(["0", "1", "2"])
    assert not unnamed(["0", "1", "10", "2"])
    assert class_rows(["0", "1"], ["0", "1"]) == [0, 1]
    assert class_rows(["0", "1", "2"], ["0", "1"]) is None
    assert class_rows(["1", "0"], ["0", "1"]) is None
