"""The per-image pipeline is a function of its key and yields uint8 tensors of the right size."""

import dataclasses
import io
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.lighting import add_colours, colours
from lit_cnn.data.augmentation.per_image import (
    CutThenResize,
    Lighting,
    TrainingTransform,
    evaluate_images,
    evaluation_transform,
)
from lit_cnn.data.augmentation.plan import Augmentation
from lit_cnn.data.erasing_settings import Cutout, RandomErasing
from lit_cnn.data.settings import (
    ColorJitter,
    Crop,
    Flip,
    Preprocessing,
    RandAugment,
    Shear,
)
from lit_cnn.data.sources.decoding import EncodedImage

PIXELS = torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
IMAGE = functional.to_pil_image(PIXELS)
ROW, COLUMN = np.mgrid[0:120, 0:160]
WAVES = [128 + 100 * np.sin(ROW / (24 + 6 * band) + COLUMN / (40 - 8 * band)) for band in range(3)]
PICTURE = Image.fromarray(np.stack(WAVES, axis=2).astype(np.uint8))
ALL = Augmentation(
    image_size=24,
    crop=Crop(),
    flip=Flip(0.5, 0.5),
    color_jitter=ColorJitter(0.4, 0.4, 0.4, 0.1),
    shear=Shear(10),
    auto_augment="cifar10",
    rand_augment=RandAugment(2, 15),
    cutout=Cutout(8),
    random_erasing=RandomErasing(1.0),
    fill=(10, 20, 30),
)
OFF = Augmentation(image_size=24, crop=Crop(), flip=Flip(0.0), fill=(10, 20, 30))


def test_result_follows_from_the_key_alone_and_leaves_the_ambient_generator():
    transform = pickle.loads(pickle.dumps(TrainingTransform(ALL, seed=3)))
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = transform(IMAGE, epoch=1, index=2, repeat=0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    assert torch.equal(transform(IMAGE, 1, 2, 0), first)
    assert first.shape == (3, 24, 24)
    assert first.dtype == torch.uint8
    for key in ((0, 2, 0), (1, 3, 0), (1, 2, 1)):
        assert not torch.equal(transform(IMAGE, *key), first), key
    assert not torch.equal(TrainingTransform(ALL, seed=4)(IMAGE, 1, 2, 0), first)


@pytest.mark.parametrize("kind", ["random_resized", "pad", "shorter_side", "resize"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_crop_gives_the_size(kind, mode):
    crop = Crop(kind, shorter_side=(24, 50))
    settings = dataclasses.replace(ALL, crop=crop, fill=(9,) if mode == "L" else (1, 2, 3))
    out = TrainingTransform(settings, 0)(IMAGE.convert(mode), 0, 0, 0)
    assert out.shape == (1 if mode == "L" else 3, 24, 24)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "changes",
    [
        {"auto_augment": "fast_imagenet"},
        {"auto_augment": "imagenet_v0"},
        {"rand_augment": RandAugment(4, 9, "increasing", "released", magnitude_std=0.5)},
    ],
)
def test_every_policy_applies_to_pil_images(changes, mode):
    settings = dataclasses.replace(OFF, fill=(9,) if mode == "L" else (1, 2, 3), **changes)
    transform, plain = TrainingTransform(settings, 0), TrainingTransform(dataclasses.replace(OFF, fill=(9,)), 0)
    image = IMAGE.convert(mode)
    outs = [transform(image, 0, row, 0) for row in range(60)]
    assert {out.shape for out in outs} == {(len(mode), 24, 24)}
    assert sum(torch.equal(out, plain(image, 0, row, 0)) for row, out in enumerate(outs)) < 40


def test_switched_off_with_no_crop_is_the_image():
    settings = dataclasses.replace(OFF, crop=Crop("none"), image_size=40)
    square = IMAGE.crop((0, 0, 40, 40))
    assert torch.equal(TrainingTransform(settings, 0)(square, 0, 0, 0), functional.pil_to_tensor(square))
    with pytest.raises(ValueError, match="needs images of 40x40 pixels"):
        TrainingTransform(settings, 0)(IMAGE, 0, 0, 0)


@pytest.mark.parametrize("central", [False, True])
def test_shorter_side_crop_is_a_window_of_the_resized_image(central):
    settings = dataclasses.replace(
        OFF, crop=Crop("shorter_side", shorter_side=(36, 37), central=central), image_size=34
    )
    transform = TrainingTransform(settings, 0)
    seen = {transform(IMAGE, 0, row, 0).numpy().tobytes() for row in range(200)}
    expected = set()
    for length in (36, 37):
        resized = functional.resize(PIXELS, [length])
        resized = functional.center_crop(resized, [length, length]) if central else resized
        places = [(top, left) for top in range(length - 33) for left in range(resized.shape[2] - 33)]
        expected |= {resized[:, top : top + 34, left : left + 34].numpy().tobytes() for top, left in places}
    assert seen <= expected
    assert len(seen) > len(expected) / 3


def test_lighting_adds_the_batch_pipelines_colours():
    """The same uniform draws give bit-identical pixels in both pipelines."""
    transform = Lighting(0.4)
    torch.manual_seed(5)
    out = functional.pil_to_tensor(transform(IMAGE))
    torch.manual_seed(5)
    assert torch.equal(out, add_colours(PIXELS[None], colours(torch.rand(1, 3), 0.4))[0])
    settings = dataclasses.replace(OFF, crop=Crop("none"), image_size=40, color_jitter=ColorJitter(lighting=0.4))
    square = IMAGE.crop((0, 0, 40, 40))
    assert not torch.equal(TrainingTransform(settings, 0)(square, 0, 0, 0), functional.pil_to_tensor(square))


def test_tensor_resize_stays_within_a_level_of_pil():
    crop = CutThenResize(24)
    params = {"top": 3, "left": 5, "height": 31, "width": 37}
    pil = functional.resize(functional.crop(IMAGE, **params), [24, 24])
    assert (crop.transform(IMAGE, params).int() - functional.pil_to_tensor(pil).int()).abs().max() <= 1


def _jpeg(width, height):
    stream = io.BytesIO()
    PICTURE.resize((width, height)).save(stream, "JPEG", quality=95)
    return EncodedImage(stream.getvalue(), "x.jpg")


@pytest.mark.parametrize("kind", ["random_resized", "pad", "shorter_side", "resize"])
def test_a_file_in_full_gives_the_pixels_of_its_pil_image(kind):
    """What papers' recipes ran with: decoded by Pillow, cut as a PIL image."""
    settings = dataclasses.replace(ALL, crop=Crop(kind, shorter_side=(24, 50)))
    transform, image = TrainingTransform(settings, 0), _jpeg(80, 61)
    for row in range(20):
        assert torch.equal(transform(image, 0, row, 0), transform(image.picture(), 0, row, 0))


@pytest.mark.parametrize("kind", ["random_resized", "pad", "shorter_side", "resize"])
def test_a_reduced_file_shows_the_same_part_and_draws_the_same_numbers(kind):
    settings = dataclasses.replace(OFF, crop=Crop(kind, (0.5, 1.0), shorter_side=(26, 27)), flip=Flip(0.5, 0.5))
    full, reduced = TrainingTransform(settings, 3), TrainingTransform(settings, 3, "reduced")
    image = _jpeg(160, 120)
    for row in range(20):
        one, other = full(image, 0, row, 0), reduced(image, 0, row, 0)
        assert not torch.equal(one, other)
        assert (one.int() - other.int()).abs().float().mean() < 9


def test_a_reduced_cut_stays_inside_the_picture():
    """At any size and place of the cut a white image stays white: what lies outside would be black."""
    settings = dataclasses.replace(OFF, crop=Crop(scale=(0.4, 1.0)), image_size=8)
    reduced = TrainingTransform(settings, 3, "reduced")
    for width in range(33, 72):
        stream = io.BytesIO()
        Image.new("RGB", (width, 103 - width), "white").save(stream, "JPEG")
        image = EncodedImage(stream.getvalue(), "x.jpg")
        assert all(reduced(image, 0, row, 0).min() > 250 for row in range(12)), width


def test_reduction_leaves_what_comes_in_full_as_it_is():
    """A PNG has no smaller scale, so the cut keeps its place."""
    stream = io.BytesIO()
    PICTURE.save(stream, "PNG")
    image = EncodedImage(stream.getvalue(), "x.png")
    full, reduced = TrainingTransform(OFF, 3), TrainingTransform(OFF, 3, "reduced")
    assert all(torch.equal(full(image, 0, row, 0), reduced(image, 0, row, 0)) for row in range(20))


def test_reduction_needs_a_crop_as_large_as_the_result():
    """No part of 40 x 40 pixels can be halved for 24; under no crop every file comes in full."""
    image = _jpeg(40, 40)
    for settings in (OFF, dataclasses.replace(OFF, crop=Crop("none"), image_size=40)):
        full, reduced = TrainingTransform(settings, 3), TrainingTransform(settings, 3, "reduced")
        assert all(torch.equal(full(image, 0, row, 0), reduced(image, 0, row, 0)) for row in range(20))


def test_cutout_and_erasing_fill_with_the_mean():
    settings = dataclasses.replace(OFF, crop=Crop("resize"), cutout=Cutout(8))
    plain = TrainingTransform(dataclasses.replace(OFF, crop=Crop("resize")), 0)(IMAGE, 0, 0, 0)
    out = TrainingTransform(settings, 0)(IMAGE, 0, 0, 0)
    changed = (out != plain).any(0)
    assert 16 <= changed.sum() <= 64
    assert {tuple(pixel.tolist()) for pixel in out[:, changed].T} == {(10, 20, 30)}
    erased = dataclasses.replace(OFF, crop=Crop("resize"), random_erasing=RandomErasing(1.0))
    out = TrainingTransform(erased, 0)(IMAGE, 0, 0, 0)
    assert {tuple(pixel.tolist()) for pixel in out[:, (out != plain).any(0)].T} == {(10, 20, 30)}


def test_evaluation_resizes_the_shorter_side_and_crops_the_centre():
    preprocessing = Preprocessing(28, 0.875, "bilinear", (0.5,) * 3, (0.5,) * 3, 3)
    transform = pickle.loads(pickle.dumps(evaluation_transform(preprocessing)))
    expected = functional.center_crop(functional.resize(PIXELS, [32], antialias=True), [28, 28])
    assert torch.equal(transform(IMAGE), expected)
    assert torch.equal(evaluate_images(PIXELS[None], preprocessing)[0], expected)
    gray = dataclasses.replace(preprocessing, in_channels=1, mean=(0.5,), std=(0.5,))
    assert evaluation_transform(gray)(IMAGE).shape == (1, 28, 28)
    assert evaluation_transform(preprocessing)(Image.new("L", (9, 30))).shape == (3, 28, 28)


def test_full_frame_of_the_right_size_is_untouched():
    preprocessing = Preprocessing(40, 1.0, "bicubic", (0.5,) * 3, (0.5,) * 3, 3)
    assert torch.equal(evaluate_images(PIXELS[:, :, :40], preprocessing), PIXELS[:, :, :40])
