"""A row of a paper's table is found, or the known ones are named."""

from collections.abc import Callable

import pytest
import torch

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.efficientnet_v2 import efficientnet_v2
from lit_cnn.architectures.network import check_stages, find_row
from lit_cnn.architectures.nfnet import nfnet
from lit_cnn.architectures.resnet import cifar_resnet, imagenet_resnet
from lit_cnn.architectures.vgg import vgg


def test_row_is_found() -> None:
    assert find_row({18: "a", 34: "b"}, 34, "the depth") == "b"


@pytest.mark.parametrize(
    ("depths", "widths", "message"),
    [
        ((1, 2), (8, 16, 32), r"widths must have one number per stage, 2 here, got 3: \(8, 16, 32\)"),
        ((1, 0), (8, 16), r"depths must be at least 1, got \(1, 0\)"),
        ((1, 2), (8, -1), r"widths must be at least 1, got \(8, -1\)"),
    ],
)
def test_stages_that_do_not_belong_together_are_refused(
    depths: tuple[int, ...], widths: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_stages(depths, widths)


@pytest.mark.parametrize(
    ("build", "variant", "message"),
    [
        (imagenet_resnet, 19, "a ResNet's depth must be one of 18, 34, 50, 101, 152, 200, got 19"),
        (vgg, 12, "a VGG's depth must be one of 11, 13, 16, 19, got 12"),
        (nfnet, "f7", "the NFNet must be one of f0, .*, f6, got f7"),
        (efficientnet_v2, "b9", "the EfficientNetV2 must be one of b0, .*, xl, got b9"),
        (cifar_resnet, 21, "6n \\+ 2 layers .*, got 21"),
    ],
)
def test_unknown_rows_are_refused(build: Callable, variant: int | str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(variant)


def test_the_kept_stages_are_those_of_the_whole_network() -> None:
    network = create_model("resnet18", width_multiplier=0.125).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        whole = network.stages(x)
        network.keep_stages(2)
        kept = network.stages(x)
    assert len(kept) == 2
    assert all(torch.equal(a, b) for a, b in zip(kept, whole, strict=False))
    assert all(name.split(".")[1] in ("stem", "stage2", "stage3") for name in network.state_dict())
