"""Preprocessing in a graph gives the pixels of training and prediction."""

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torchvision.transforms.v2 import functional

from lit_cnn.data.image_size import center, covering
from lit_cnn.data.normalization import normalize
from lit_cnn.data.preprocessing import Preprocessing, evaluate_images
from lit_cnn.data.settings import Interpolation, ResizeMode
from lit_cnn.exporting.preprocessed import PreprocessedNetwork

WINDOWS = {"whole": (427, 640), "tall": (427, 301), "odd": (333, 250), "small": (50, 61), "thin": (90, 427)}
"""Height and width of parts of a photograph; their margins around the crop have both parities."""


def preprocessing(
    interpolation: Interpolation = "bicubic", mode: ResizeMode = "shorter_side", side: int = 96
) -> Preprocessing:
    return Preprocessing((side, side), 110, mode, interpolation, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3), 3)


def photographs(height: int, width: int) -> Tensor:
    """uint8 (2, height, width, 3)."""
    return torch.stack([torch.as_tensor(image[:height, :width].copy()) for image in load_sample_images().images])


def with_pillow(image: Tensor, known: Preprocessing) -> Tensor:
    """(3, height, width) of a photograph (H, W, 3), resized by Pillow and cropped."""
    height, width = (
        known.box if known.resize_mode == "squash" else covering((image.shape[0], image.shape[1]), known.box)
    )
    sample = Image.Resampling[known.interpolation.upper()]
    resized = functional.pil_to_tensor(Image.fromarray(image.numpy()).resize((width, height), sample))
    top, left = center((height, width), known.image_size)
    return resized[:, top : top + known.image_size[0], left : left + known.image_size[1]]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("mode", ["shorter_side", "squash"])
def test_photographs_are_prepared_within_two_levels_of_pillow(
    window: str, interpolation: Interpolation, mode: ResizeMode
) -> None:
    images, known = photographs(*WINDOWS[window]), preprocessing(interpolation, mode)
    found = PreprocessedNetwork(nn.Identity(), known).prepared(images)
    expected = torch.stack([with_pillow(image, known) for image in images])
    assert found.shape == (2, 3, 96, 96)
    difference = (found - expected).abs()
    assert difference.max() <= 2
    assert difference.mean() < 0.05  # a shift by one pixel would be several levels
    assert torch.equal(found, found.round())


@pytest.mark.parametrize("side", [95, 96])
def test_the_nearest_filter_and_the_crop_are_those_of_prediction(side: int) -> None:
    known = preprocessing("nearest", side=side)
    for window in WINDOWS.values():
        images = photographs(*window)
        found = PreprocessedNetwork(nn.Identity(), known).prepared(images)
        assert torch.equal(found, evaluate_images(images.permute(0, 3, 1, 2), known).float())


def test_pixels_are_normalized() -> None:
    images, known = photographs(110, 110), preprocessing()
    crops = evaluate_images(images.permute(0, 3, 1, 2), known)
    found = PreprocessedNetwork(nn.Identity(), known)(images)
    torch.testing.assert_close(found, normalize(crops, known.mean, known.std), rtol=0, atol=1e-5)


def test_a_crop_larger_than_the_resized_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"resizes to 110 px and crops more.*--no-preprocessing"):
        PreprocessedNetwork(nn.Identity(), preprocessing(side=120))
