"""timm's entries say what our preprocessing does, and a network has a twin in timm only where they compute the same."""

import math

import numpy as np
import pytest
import timm
import torch
from foreign import telling_network
from PIL import Image

from lit_cnn.data.normalization import normalize
from lit_cnn.data.preprocessing import EvaluationTransform, Preprocessing
from lit_cnn.pretrained.timm_layout import crop_ratio, timm_config, timm_twin

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def test_timm_computes_our_resize_from_the_ratio() -> None:
    for side in (8, 32, 160, 224, 299, 380, 600):
        for resize in range(max(1, side - 20), side + 90):
            assert math.floor(side / crop_ratio(side, resize)) == resize, (side, resize)
    assert crop_ratio(224, 256) == 0.875


@pytest.mark.parametrize(
    ("size", "resize", "mode", "interpolation"),
    [
        ((64, 64), 73, "shorter_side", "bicubic"),
        ((64, 64), 64, "shorter_side", "bilinear"),
        ((48, 48), 55, "squash", "bicubic"),
        ((48, 64), 60, "shorter_side", "bilinear"),
    ],
)
def test_timms_own_transform_prepares_images_as_ours(
    size: tuple[int, int], resize: int, mode: str, interpolation: str
) -> None:
    preprocessing = Preprocessing(size, resize, mode, interpolation, MEAN, STD, 3)  # type: ignore[arg-type]
    config = timm_config("resnet18", None, preprocessing, ["a", "b"])
    theirs = timm.data.create_transform(**timm.data.resolve_data_config(config["pretrained_cfg"]), is_training=False)
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((160, 120), Image.Resampling.BICUBIC)
    ours = normalize(EvaluationTransform(preprocessing)(image)[None], MEAN, STD)[0]
    assert theirs(image).shape == ours.shape
    levels = (theirs(image) - ours).abs() * torch.tensor(STD)[:, None, None] * 255
    assert levels.max() <= 2.01  # gray levels
    assert levels.mean() < 0.1


@pytest.mark.slow
def test_options_that_no_shape_shows_decide() -> None:
    preprocessing = Preprocessing((32, 32), 32, "shorter_side", "bilinear", MEAN, STD, 3)
    network = telling_network("mobilenet_v1", num_classes=3)
    twin = timm_twin(network, "mobilenet_v1", {}, preprocessing)
    assert twin == "timm's mobilenetv1_100 has activation=relu6, this network activation=relu"
    assert timm_twin(network, "cifar_resnet20", {}, preprocessing) == "timm has no cifar_resnet20"
    smaller = telling_network("mobilenet_v2", num_classes=3, width_multiplier=0.5)
    twin = timm_twin(smaller, "mobilenet_v2", {"width_multiplier": 0.5}, preprocessing)
    assert "mobilenet_v2 with these options is not timm's mobilenetv2_100 (the weights cannot be paired" in str(twin)
