"""Evaluation resizes and crops the center; the preprocessing survives a checkpoint."""

import dataclasses
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms.v2 import functional

from lit_cnn.data.preprocessing import EvaluationTransform, Preprocessing, evaluate_images
from lit_cnn.data.sources.decoding import PixelFormat

PIXELS = torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
IMAGE = functional.to_pil_image(PIXELS)
COLOR = Preprocessing((28, 28), 32, "shorter_side", "bilinear", (0.5,) * 3, (0.5,) * 3, 3)


def test_preprocessing_survives_plain_values():
    preprocessing = Preprocessing((64, 96), 73, "squash", "bicubic", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 3)
    stored = preprocessing.as_dict()
    assert stored["mean"] == [0.1, 0.2, 0.3]
    assert stored["image_size"] == [64, 96]
    assert Preprocessing.from_dict(stored) == preprocessing


def test_what_the_pixels_of_files_become_survives_plain_values():
    told = {"levels": (-1000.0, 2000.0), "background": (0, 10, 20), "color_profile": "ignore"}
    preprocessing = Preprocessing((8, 8), 8, "shorter_side", "bilinear", (0.5,), (0.5,), 1, **told)
    stored = preprocessing.as_dict()
    assert (stored["levels"], stored["background"]) == ([-1000.0, 2000.0], [0, 10, 20])
    assert Preprocessing.from_dict(stored) == preprocessing
    assert preprocessing.pixel_format == PixelFormat(1, **told)
    assert Preprocessing((8, 8), 8, "shorter_side", "bilinear", (0.5,) * 3, (0.5,) * 3, 3).pixel_format == PixelFormat()


def test_older_dictionaries_mean_what_was_done_then():
    stored = Preprocessing((8, 8), 8, "shorter_side", "bilinear", (0.5,), (0.5,), 1).as_dict()
    for name in ("levels", "background", "color_profile"):
        del stored[name]
    assert Preprocessing.from_dict(stored).pixel_format == PixelFormat(1, "clip", None, "ignore")


def test_an_image_in_memory_is_prepared_as_its_file():
    preprocessing = Preprocessing(
        (28, 28), 28, "shorter_side", "bilinear", (0.5,) * 3, (0.5,) * 3, 3, background=(0, 0, 255)
    )
    clear = EvaluationTransform(preprocessing)(Image.new("RGBA", (28, 28), (255, 0, 0, 0)))
    assert clear[:, 0, 0].tolist() == [0, 0, 255]
    deep = Image.fromarray(torch.full((28, 28), 1023, dtype=torch.uint16).numpy())
    bright = EvaluationTransform(dataclasses.replace(preprocessing, levels=(0.0, 1023.0)))(deep)
    assert bright.unique().tolist() == [255]


def test_preprocessing_names_missing_and_unknown_entries():
    stored = COLOR.as_dict()
    del stored["std"]
    with pytest.raises(ValueError, match=r"entries \(other, std\)"):
        Preprocessing.from_dict({**stored, "other": 1})


def test_evaluation_resizes_the_shorter_side_and_crops_the_center():
    transform = pickle.loads(pickle.dumps(EvaluationTransform(COLOR)))
    expected = functional.center_crop(functional.resize(PIXELS, [32], antialias=True), [28, 28])
    assert torch.equal(transform(IMAGE), expected)
    assert torch.equal(evaluate_images(PIXELS[None], COLOR)[0], expected)
    gray = dataclasses.replace(COLOR, in_channels=1, mean=(0.5,), std=(0.5,))
    assert EvaluationTransform(gray)(IMAGE).shape == (1, 28, 28)
    assert EvaluationTransform(COLOR)(Image.new("L", (9, 30))).shape == (3, 28, 28)


def test_full_frame_of_the_right_size_is_untouched():
    preprocessing = dataclasses.replace(COLOR, image_size=(40, 40), resize=40, interpolation="bicubic")
    assert torch.equal(evaluate_images(PIXELS[:, :, :40], preprocessing), PIXELS[:, :, :40])


def test_a_length_before_the_crop_that_no_ratio_rounds_to_is_taken_as_it_is():
    """timm's floor(224 / 0.95) = 235, where round gives 236."""
    preprocessing = dataclasses.replace(COLOR, image_size=(224, 224), resize=235)
    expected = functional.center_crop(functional.resize(PIXELS, [235], antialias=True), [224, 224])
    assert torch.equal(evaluate_images(PIXELS, preprocessing), expected)


@pytest.mark.parametrize(("size", "box"), [((28, 28), (32, 32)), ((21, 42), (32, 64)), ((42, 21), (64, 32))])
def test_squash_resizes_to_the_box_without_keeping_the_aspect_ratio(size, box):
    """For a square as timm's crop_mode squash: both sides are resized to one length, then the center is cropped."""
    preprocessing = dataclasses.replace(COLOR, image_size=size, resize=32, resize_mode="squash")
    assert preprocessing.box == box
    expected = functional.center_crop(functional.resize(PIXELS, list(box), antialias=True), list(size))
    assert torch.equal(evaluate_images(PIXELS, preprocessing), expected)


def test_another_aspect_ratio_is_cropped_from_the_image_that_just_covers_its_box():
    """The box of [20, 40] and 25 px is 25x50; images of 40x50 and 30x90 px (height x width) are scaled to its width and
    to its height."""
    preprocessing = dataclasses.replace(COLOR, image_size=(20, 40), resize=25)
    expected = functional.center_crop(functional.resize(PIXELS, [40, 50], antialias=True), [20, 40])
    assert torch.equal(evaluate_images(PIXELS, preprocessing), expected)
    wide = PIXELS.repeat(1, 1, 2)[:, :30, :90]
    expected = functional.center_crop(functional.resize(wide, [25, 75], antialias=True), [20, 40])
    assert torch.equal(evaluate_images(wide, preprocessing), expected)


@settings(max_examples=40)
@given(
    *(st.integers(1, 300), st.integers(1, 300), st.integers(2, 40), st.integers(2, 40), st.integers(0, 9)),
    st.sampled_from(["shorter_side", "squash"]),
)
def test_any_image_fills_a_crop_of_any_size(height, width, high, wide, more, mode):
    size = dataclasses.replace(COLOR, image_size=(high, wide), resize=min(high, wide) + more, resize_mode=mode)
    out = evaluate_images(torch.full((2, 3, height, width), 77, dtype=torch.uint8), size)
    assert out.shape == (2, 3, high, wide)
    assert (out == 77).all()
