"""Every crop gives the size, from memory and from files, and shows the part of the image that it says."""

import io

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.crop import Crop, CutThenResize, crop_batch, pad_crop
from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.augmentation.pipeline import Augmentation, Pipeline, TrainingTransform
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.data.image_size import EXTREME_ASPECT, covering
from lit_cnn.data.resizing import ResizedImages
from lit_cnn.data.sources.decoding import EncodedImage

IMAGES = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
PIXELS = torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
IMAGE = functional.to_pil_image(PIXELS)
ROW, COLUMN = np.mgrid[0:120, 0:160]
WAVES = [128 + 100 * np.sin(ROW / (24 + 6 * band) + COLUMN / (40 - 8 * band)) for band in range(3)]
PICTURE = Image.fromarray(np.stack(WAVES, axis=2).astype(np.uint8))


def _draws(count):
    return Draws(0, 0, torch.arange(count), torch.zeros(count, dtype=torch.int64))


def _transform(crop, image_size=24, seed=0, decode="full", **fields):
    augmentation = Augmentation(**{"crop": crop, "flip": Flip(0.0), **fields})
    return TrainingTransform(Pipeline(augmentation, image_size, (1, 2, 3)), seed, decode)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (Crop, {"scale": (0.5, 1.5)}, r"data\.crop\.scale is \(0\.5, 1\.5\).*at most 1"),
        (Crop, {"ratio": (2, 1)}, r"data\.crop\.ratio .*smaller first"),
        (Crop, {"padding": -1}, r"data\.crop\.padding is -1"),
        (Crop, {"shorter_side": (480, 256)}, r"data\.crop\.shorter_side .*smaller first"),
    ],
)
def test_wrong_values_are_named(kind, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        kind(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["random_resized", "pad", "shorter_side", "resize"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_crop_gives_the_size(kind, mode):
    crop = Crop(kind, shorter_side=(24, 50))
    assert _transform(crop)(IMAGE.convert(mode), 0, 0, 0).shape == (len(mode), 24, 24)
    assert crop_batch(PIXELS[None, : len(mode)], crop, (24, 24), _draws(1)).shape == (1, len(mode), 24, 24)


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize(("reflect", "mode"), [(False, "constant"), (True, "reflect")])
def test_pad_crop_is_a_window_of_the_padded_image_and_visits_every_place(reflect, mode, in_parts):
    images = (torch.arange(16, dtype=torch.uint8) + 1).view(1, 1, 4, 4).expand(400, 1, 4, 4)
    out = pad_crop(ResizedImages(images, (4, 4), "bilinear", in_parts), 1, (4, 4), _draws(400), reflect)
    padded = functional.pad(images[:1], [1, 1, 1, 1], padding_mode=mode)
    windows = {tuple(padded[0, 0, i : i + 4, j : j + 4].flatten().tolist()) for i in range(3) for j in range(3)}
    assert {tuple(image.flatten().tolist()) for image in out} == windows


def test_border_reflects_in_a_batch_and_image_by_image():
    crop = Crop("pad", padding=9, border="reflect")
    batch = crop_batch(PIXELS.clamp(min=1).expand(50, 3, 40, 50), crop, (24, 24), _draws(50))
    assert batch.min() >= 1  # nothing black was added
    transform = _transform(crop)
    bright = functional.to_pil_image(PIXELS.clamp(min=1))
    assert all(transform(bright, 0, 0, row).min() >= 1 for row in range(50))


def test_reflecting_border_wider_than_half_of_the_image_is_one_sentence():
    with pytest.raises(ValueError, match=r"data\.crop\.padding is 12, too much for a reflecting border .*\(24, 30\)"):
        Crop("pad", padding=12, border="reflect").require_fit((24, 30))
    Crop("pad", padding=12).require_fit((24, 30))


@pytest.mark.parametrize("central", [False, True])
def test_shorter_side_crop_is_a_window_of_the_resized_image_of_any_length(central):
    """A ramp along the wide side tells length and place: its slope is the resize, its first value the window's left."""
    ramp = torch.arange(40, dtype=torch.uint8).mul(6).expand(300, 1, 20, 40)
    crop = Crop("shorter_side", shorter_side=(20, 21), central=central)
    seen = {tuple(image[0, 0].tolist()) for image in crop_batch(ramp, crop, (18, 18), _draws(300))}
    expected = set()
    for length in (20, 21):
        resized = functional.resize(ramp[:1], [length])
        if central:
            resized = functional.center_crop(resized, [length, length])
        row = resized[0, 0, 0]
        expected |= {tuple(row[left : left + 18].tolist()) for left in range(len(row) - 17)}
    assert seen == expected


def test_full_area_crop_is_the_image():
    assert torch.equal(crop_batch(IMAGES, Crop("random_resized", (1.0, 1.0), (1.0, 1.0)), (16, 16), _draws(8)), IMAGES)


def test_wrong_size_under_no_crop_is_refused_and_a_file_named():
    with pytest.raises(ValueError, match=r"needs images of 32x32 pixels .* one has 16x16"):
        crop_batch(IMAGES, Crop("none"), (32, 32), _draws(8))
    transform = _transform(Crop("none"), (61, 80))
    assert transform(_jpeg(80, 61), 0, 0, 0).shape == (3, 61, 80)
    with pytest.raises(ValueError, match=r"needs images of 80x61 pixels .* the image x\.jpg has 61x80; choose resize"):
        transform(_jpeg(61, 80), 0, 0, 0)


SIDES = st.integers(2, 70)
SIZES = st.tuples(st.integers(3, 40), st.integers(3, 40))


@settings(max_examples=60)
@example(2, 2, (3, 16), "random_resized", False)  # the part of that aspect ratio is less than a pixel high
@example(1, 9, (16, 3), "random_resized", False)
@given(SIDES, SIDES, SIZES, st.sampled_from(["random_resized", "pad", "shorter_side", "resize"]), st.booleans())
def test_any_image_becomes_any_size_from_memory_and_from_files(height, width, size, kind, central):
    """A constant image stays constant, so nothing outside of it is seen; all sizes are height x width."""
    crop = Crop(kind, shorter_side=(min(size), min(size) + 9), central=central, padding=0)
    image = torch.full((3, height, width), 77, dtype=torch.uint8)
    batch = crop_batch(image.expand(3, 3, height, width), crop, size, _draws(3))
    assert batch.shape == (3, 3, *size)
    assert (batch == 77).all()
    one = _transform(crop, size)(image, 0, 0, 0)
    assert one.shape == (3, *size)
    assert (one == 77).all()


def test_a_part_of_another_aspect_ratio_is_distorted_by_as_much_as_a_square_one():
    """Of a gradient across and one down, of equal slope before, the slopes after say how a part was stretched."""
    down, across = torch.meshgrid(torch.arange(200), torch.arange(200), indexing="ij")
    image = torch.stack([down, across, down]).to(torch.uint8).expand(200, 3, 200, 200)
    crop = Crop(scale=(0.02, 0.1))
    for size in ((16, 16), (16, 64), (64, 16)):
        out = crop_batch(image, crop, size, _draws(200)).double()
        heights = (out[:, 0, -1] - out[:, 0, 0]).mean(1) / (size[0] - 1)  # source pixels of one of the result's
        widths = (out[:, 1, :, -1] - out[:, 1, :, 0]).mean(1) / (size[1] - 1)
        assert 0.7 < (widths / heights).min() < 0.8
        assert 1.25 < (widths / heights).max() < 1.45


@pytest.mark.parametrize("size", [(24, 24), (16, 30), (30, 16)])
@pytest.mark.parametrize("kind", ["pad", "resize"])
def test_pad_and_resize_show_the_image_that_just_covers_the_size(kind, size):
    transform = _transform(Crop(kind, padding=0), size)
    height, width = covering((40, 50), size)
    resized = functional.resize(PIXELS, [height, width])
    places = [(top, left) for top in range(height - size[0] + 1) for left in range(width - size[1] + 1)]
    windows = {functional.crop(resized, *place, *size).numpy().tobytes() for place in places}
    seen = {transform(PIXELS, 0, row, 0).numpy().tobytes() for row in range(40)}
    assert seen <= windows
    assert len(seen) == 1 if kind == "resize" else len(seen) > 1


@pytest.mark.parametrize("kind", ["pad", "resize", "shorter_side"])
@pytest.mark.parametrize("shape", [(1, 700), (700, 1), (2, 400)])
def test_a_thin_image_is_cut_as_if_it_had_been_resized_whole(kind, shape, monkeypatch):
    """By the same draws, from memory and from files; only the levels may differ by one."""
    images = torch.randint(0, 256, (4, 3, *shape), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    crop, size = Crop(kind, shorter_side=(9, 12), padding=2), (8, 6)
    seen = []
    for limit in (EXTREME_ASPECT, 10**9):
        monkeypatch.setattr("lit_cnn.data.resizing.EXTREME_ASPECT", limit)
        batch = crop_batch(images, crop, size, _draws(4))
        each = [_transform(crop, size)(image, 0, row, 0) for row, image in enumerate(images)]
        seen.append(torch.stack([batch, torch.stack(each)]).int())
    assert (seen[0] - seen[1]).abs().max() <= 1


@pytest.mark.parametrize("central", [False, True])
def test_shorter_side_crop_of_a_file_is_a_window_of_the_resized_image(central):
    transform = _transform(Crop("shorter_side", shorter_side=(36, 37), central=central), 34)
    seen = {transform(IMAGE, 0, row, 0).numpy().tobytes() for row in range(200)}
    expected = set()
    for length in (36, 37):
        resized = functional.resize(PIXELS, [length])
        resized = functional.center_crop(resized, [length, length]) if central else resized
        places = [(top, left) for top in range(length - 33) for left in range(resized.shape[2] - 33)]
        expected |= {resized[:, top : top + 34, left : left + 34].numpy().tobytes() for top, left in places}
    assert seen <= expected
    assert len(seen) > len(expected) / 3


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
    transform = _transform(Crop(kind, shorter_side=(24, 50)), flip=Flip(0.5, 0.5), rand_augment=RandAugment(2, 15))
    image = _jpeg(80, 61)
    for row in range(20):
        assert torch.equal(transform(image, 0, row, 0), transform(image.picture(), 0, row, 0))


@pytest.mark.parametrize("kind", ["random_resized", "pad", "shorter_side", "resize"])
def test_a_reduced_file_shows_the_same_part_and_draws_the_same_numbers(kind):
    crop = Crop(kind, (0.5, 1.0), shorter_side=(26, 27))
    full, reduced = (_transform(crop, 24, 3, decode, flip=Flip(0.5, 0.5)) for decode in ("full", "reduced"))
    image = _jpeg(160, 120)
    for row in range(20):
        one, other = full(image, 0, row, 0), reduced(image, 0, row, 0)
        assert not torch.equal(one, other)
        assert (one.int() - other.int()).abs().float().mean() < 9


@pytest.mark.slow
def test_a_reduced_cut_stays_inside_the_picture():
    """At any size and place of the cut a white image stays white: what lies outside would be black."""
    reduced = _transform(Crop(scale=(0.4, 1.0)), 8, 3, "reduced")
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
    full, reduced = (_transform(Crop(), 24, 3, decode) for decode in ("full", "reduced"))
    assert all(torch.equal(full(image, 0, row, 0), reduced(image, 0, row, 0)) for row in range(20))


def test_reduction_needs_a_crop_as_large_as_the_result():
    """No part of 40 x 40 pixels can be halved for 24; under no crop every file comes in full."""
    image = _jpeg(40, 40)
    for crop, size in ((Crop(), 24), (Crop("none"), 40)):
        full, reduced = (_transform(crop, size, 3, decode) for decode in ("full", "reduced"))
        assert all(torch.equal(full(image, 0, row, 0), reduced(image, 0, row, 0)) for row in range(20))
