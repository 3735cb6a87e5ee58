"""Evaluation resizes the shorter side and crops the center; the preprocessing survives a checkpoint."""

import dataclasses
import pickle

import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from lit_cnn.data.preprocessing import EvaluationTransform, Preprocessing, evaluate_images
from lit_cnn.data.sources.decoding import PixelFormat

PIXELS = torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
IMAGE = functional.to_pil_image(PIXELS)


def test_preprocessing_survives_plain_values():
    preprocessing = Preprocessing(224, 0.875, "bicubic", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 3)
    stored = preprocessing.as_dict()
    assert stored["mean"] == [0.1, 0.2, 0.3]
    assert Preprocessing.from_dict(stored) == preprocessing


def test_what_the_pixels_of_files_become_survives_plain_values():
    told = {"levels": (-1000.0, 2000.0), "background": (0, 10, 20), "color_profile": "ignore"}
    preprocessing = Preprocessing(8, 1.0, "bilinear", (0.5,), (0.5,), 1, **told)
    stored = preprocessing.as_dict()
    assert (stored["levels"], stored["background"]) == ([-1000.0, 2000.0], [0, 10, 20])
    assert Preprocessing.from_dict(stored) == preprocessing
    assert preprocessing.pixel_format == PixelFormat(1, **told)
    assert Preprocessing(8, 1.0, "bilinear", (0.5,) * 3, (0.5,) * 3, 3).pixel_format == PixelFormat()


def test_older_dictionaries_mean_what_was_done_then():
    stored = Preprocessing(8, 1.0, "bilinear", (0.5,), (0.5,), 1).as_dict()
    for name in ("levels", "background", "color_profile"):
        del stored[name]
    assert Preprocessing.from_dict(stored).pixel_format == PixelFormat(1, "clip", None, "ignore")


def test_an_image_in_memory_is_prepared_as_its_file():
    preprocessing = Preprocessing(28, 1.0, "bilinear", (0.5,) * 3, (0.5,) * 3, 3, background=(0, 0, 255))
    clear = EvaluationTransform(preprocessing)(Image.new("RGBA", (28, 28), (255, 0, 0, 0)))
    assert clear[:, 0, 0].tolist() == [0, 0, 255]
    deep = Image.fromarray(torch.full((28, 28), 1023, dtype=torch.uint16).numpy())
    bright = EvaluationTransform(dataclasses.replace(preprocessing, levels=(0.0, 1023.0)))(deep)
    assert bright.unique().tolist() == [255]


def test_preprocessing_names_missing_and_unknown_entries():
    stored = Preprocessing(8, 1.0, "bilinear", (0.5,), (0.5,), 1).as_dict()
    del stored["std"]
    with pytest.raises(ValueError, match=r"entries \(other, std\)"):
        Preprocessing.from_dict({**stored, "other": 1})


def test_evaluation_resizes_the_shorter_side_and_crops_the_center():
    preprocessing = Preprocessing(28, 0.875, "bilinear", (0.5,) * 3, (0.5,) * 3, 3)
    transform = pickle.loads(pickle.dumps(EvaluationTransform(preprocessing)))
    expected = functional.center_crop(functional.resize(PIXELS, [32], antialias=True), [28, 28])
    assert torch.equal(transform(IMAGE), expected)
    assert torch.equal(evaluate_images(PIXELS[None], preprocessing)[0], expected)
    gray = dataclasses.replace(preprocessing, in_channels=1, mean=(0.5,), std=(0.5,))
    assert EvaluationTransform(gray)(IMAGE).shape == (1, 28, 28)
    assert EvaluationTransform(preprocessing)(Image.new("L", (9, 30))).shape == (3, 28, 28)


def test_full_frame_of_the_right_size_is_untouched():
    preprocessing = Preprocessing(40, 1.0, "bicubic", (0.5,) * 3, (0.5,) * 3, 3)
    assert torch.equal(evaluate_images(PIXELS[:, :, :40], preprocessing), PIXELS[:, :, :40])
