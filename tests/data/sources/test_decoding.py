"""Files become the pixels that Pillow gives, and a reduced scale gives about the same picture from less work."""

import io
import pickle

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional

from lit_cnn.data.sources.decoding import REDUCTIONS, BrokenImage, EncodedImage, PixelFormat, attempt, reduction
from lit_cnn.data.sources.folders import read_file

ROW, COLUMN = np.mgrid[0:144, 0:208]
WAVES = [128 + 100 * np.sin(ROW / (24 + 6 * band) + COLUMN / (40 - 8 * band)) for band in range(3)]
PICTURE = Image.fromarray(np.stack(WAVES, axis=2).astype(np.uint8))


def _encode(image, kind="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _by_pillow(content, mode):
    return functional.pil_to_tensor(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert(mode))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        *(("RGB", {"subsampling": number}) for number in range(3)),
        ("RGB", {"progressive": True, "quality": 30}),
        ("RGB", {"keep_rgb": True}),
        ("L", {}),
        ("CMYK", {}),
    ],
)
@pytest.mark.parametrize("size", [(208, 144), (33, 17), (1, 1)])
def test_jpegs_have_pillows_pixels(mode, options, size, channels):
    content = _encode(PICTURE.resize(size).convert(mode), **options)
    image = EncodedImage(content, "x.jpg", PixelFormat(channels))
    assert image.sides() == size[::-1]
    assert torch.equal(image.pixels(), _by_pillow(content, "L" if channels == 1 else "RGB"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("divisor", [1, 2])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_to_sides_and_pixels(kind, orientation, divisor):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = EncodedImage(_encode(PICTURE, kind, exif=exif), "x")
    upright = _by_pillow(image.content, "RGB")
    assert upright.shape[1:] == ((208, 144) if orientation > 4 else (144, 208))
    assert image.sides() == upright.shape[1:]
    scale = divisor if kind == "JPEG" else 1
    assert image.pixels(divisor).shape[1:] == tuple(side // scale for side in upright.shape[1:])
    if divisor == 1:
        assert torch.equal(image.pixels(), upright)


@pytest.mark.parametrize("divisor", REDUCTIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_reduced_scale_shows_the_same_picture(divisor, channels):
    image = EncodedImage(_encode(PICTURE, quality=95), "x.jpg", PixelFormat(channels))
    reduced = image.pixels(divisor)
    assert reduced.shape == (channels, 144 // divisor, 208 // divisor)
    small = functional.resize(image.pixels(), list(reduced.shape[1:]), antialias=True)
    assert (reduced.int() - small.int()).abs().float().mean() < 4


@pytest.mark.parametrize("divisor", REDUCTIONS)
def test_a_reduced_scale_rounds_the_sides_up(divisor):
    image = EncodedImage(_encode(PICTURE.resize((43, 17))), "x.jpg")
    assert image.pixels(divisor).shape == (3, -(-17 // divisor), -(-43 // divisor))


def test_other_files_come_in_full_at_any_scale():
    image = EncodedImage(_encode(PICTURE, "PNG"), "x.png")
    assert torch.equal(image.pixels(4), functional.pil_to_tensor(PICTURE))


@pytest.mark.parametrize(
    ("sides", "least", "divisor"),
    [
        *[((448, 900), (224, 224), 2), ((447, 900), (224, 224), 1), ((3000, 2000), (224, 224), 8)],
        *[
            ((900, 1200), (224, 224), 4),
            ((8, 8), (1, 1), 8),
            ((447, 1800), (111, 224), 4),
            ((447, 1800), (224, 111), 1),
        ],
    ],
)
def test_reduction_leaves_at_least_the_stated_pixels(sides, least, divisor):
    assert reduction(sides, least) == divisor


def test_broken_content_is_named_and_the_error_survives_pytorchs_workers():
    whole = _encode(PICTURE)
    for content in (b"", b"no image", whole[: len(whole) // 2], whole[:20]):
        with pytest.raises(
            BrokenImage,
            match=r"^the image a/b\.jpg cannot be decoded \(.*\); replace or remove the file, or set data",
        ) as caught:
            EncodedImage(content, "a/b.jpg").pixels()
        assert str(type(caught.value)("again")) == "again"
        assert isinstance(caught.value, ValueError)


def test_floating_point_pixels_are_refused():
    """Pillow would turn the range from 0 to 1, as scientific programs write it, into black."""
    levels = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    with pytest.raises(BrokenImage, match=r"x\.tif cannot be decoded \(its pixels are floating-point .*8-bit"):
        EncodedImage(_encode(Image.fromarray(levels), "TIFF"), "x.tif").pixels()


def test_images_can_be_sent_to_other_processes():
    image = EncodedImage(_encode(PICTURE), "x.jpg")
    assert torch.equal(pickle.loads(pickle.dumps(image)).pixels(), image.pixels())


def test_an_attempt_gives_the_result_or_what_is_wrong_with_the_file_and_hides_no_other_error(tmp_path):
    (tmp_path / "torn.png").write_bytes(b"no image")
    assert attempt(lambda: 3) == 3
    torn = attempt(lambda: read_file(tmp_path / "torn.png").picture())
    assert isinstance(torn, BrokenImage)
    assert "torn.png cannot be decoded" in str(torn)
    assert isinstance(attempt(lambda: read_file(tmp_path / "gone.png")), FileNotFoundError)
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 // 0)
