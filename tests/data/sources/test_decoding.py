"""Files become the pixels that Pillow gives, and a reduced scale gives about the same picture from less work."""

import io
import pickle
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from encoded_images import png
from icc_profiles import DISPLAY_P3, cmyk_profile, gray_profile, rgb_profile, srgb_decoded
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional

from lit_cnn.data.sources.decoding import (
    REDUCTIONS,
    BrokenImage,
    EncodedImage,
    PixelFormat,
    TooManyPixels,
    UnknownLevels,
    attempt,
    reduction,
)
from lit_cnn.data.sources.folders import read_file
from lit_cnn.data.sources.window import Window

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
            match=r"^the image a/b\.jpg cannot be decoded \(.*\); replace or remove the file$",
        ) as caught:
            EncodedImage(content, "a/b.jpg").pixels()
        assert str(type(caught.value)("again")) == "again"
        assert isinstance(caught.value, ValueError)


def test_floating_point_pixels_need_levels():
    """Pillow would turn the range from 0 to 1, as scientific programs write it, into black."""
    levels = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    content = _encode(Image.fromarray(levels), "TIFF")
    said = r"^the image x\.tif cannot be decoded \(its pixels are floating-point .*; save it as 8-bit levels$"
    with pytest.raises(UnknownLevels, match=said):
        EncodedImage(content, "x.tif").pixels()
    found = EncodedImage(content, "x.tif", PixelFormat(levels=(0.0, 1.0))).pixels()
    assert torch.equal(found, torch.from_numpy(np.rint(255 * levels).astype(np.uint8)).expand(3, 3, 4))


def test_advice_is_added_to_the_sentence_and_keeps_its_kind():
    for kind in (BrokenImage, TooManyPixels, UnknownLevels):
        advised = kind("it is broken; remove it").with_advice("set a key")
        assert (type(advised), str(advised)) == (kind, "it is broken; remove it, or set a key")
        assert kind.in_training.endswith("data.on_error to skip")


DEEP = np.arange(0, 4096, 64, dtype=np.uint16).reshape(8, 8)


def older_picture(content, mode):
    """What versions before levels, backgrounds and profiles made of a file."""
    image = Image.open(io.BytesIO(content))
    image.load()
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = image.convert("I").point([level // 256 for level in range(65536)], "L")
    return image if image.mode == mode else image.convert(mode)


def clear(mode):
    alpha = Image.linear_gradient("L").resize(PICTURE.size)
    image = PICTURE.copy()
    image.putalpha(alpha)
    return image.convert(mode)


FILES = {
    **{mode: _encode(PICTURE.convert(mode), "PNG") for mode in ("1", "L", "P", "RGB")},
    **{f"{mode} TIFF": _encode(PICTURE.convert(mode), "TIFF") for mode in ("CMYK", "YCbCr", "LAB")},
    **{f"{mode} with alpha": _encode(clear(mode), "PNG") for mode in ("LA", "RGBA")},
    "P with alpha": _encode(clear("RGBA").quantize(40), "PNG"),
    "P with a transparent color": _encode(PICTURE.quantize(40), "PNG", transparency=3),
    "RGB with a transparent color": _encode(PICTURE, "PNG", transparency=PICTURE.getpixel((0, 0))),
    "L with a transparent gray": _encode(
        PICTURE.convert("L"), "PNG", transparency=PICTURE.convert("L").getpixel((0, 0))
    ),
    "16 bits": _encode(Image.fromarray(DEEP), "PNG"),
    "32 bits": _encode(Image.fromarray(DEEP.astype(np.int32) * 40 - 2000), "TIFF"),
    "CMYK with a profile": _encode(PICTURE.convert("CMYK"), "JPEG", icc_profile=cmyk_profile()),
    "Display P3": _encode(PICTURE, "JPEG", icc_profile=rgb_profile(DISPLAY_P3, srgb_decoded)),
    "gray of another gamma": _encode(PICTURE.convert("L"), "PNG", icc_profile=gray_profile(lambda level: level**1.8)),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FILES)
def test_what_older_versions_made_of_a_file_can_be_had_bit_by_bit(name, channels):
    if (name, channels) == ("LAB TIFF", 1):
        return  # which they could not decode
    older = PixelFormat(channels, levels="clip", background=None, color_profile="ignore")
    found = EncodedImage(FILES[name], "x", older).picture()
    assert np.array_equal(np.asarray(found), np.asarray(older_picture(FILES[name], found.mode)))


OLD_AND_NEW = {
    *("LA with alpha", "RGBA with alpha", "P with alpha", "P with a transparent color", "RGB with a transparent color"),
    *("L with a transparent gray", "CMYK with a profile", "Display P3", "gray of another gamma"),
}


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"32 bits"}))
def test_the_defaults_change_what_is_transparent_or_of_another_color_space_alone(name):
    changed = not np.array_equal(EncodedImage(FILES[name], "x").picture(), older_picture(FILES[name], "RGB"))
    assert changed == (name in OLD_AND_NEW)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", sorted(FILES.keys() - {"32 bits"}))
def test_an_image_in_memory_becomes_what_its_file_does(name, channels):
    chosen = PixelFormat(channels, background=(0, 90, 200))
    image = Image.open(io.BytesIO(FILES[name]))
    image.load()
    assert np.array_equal(chosen.of(image), EncodedImage(FILES[name], "x", chosen).picture())


def test_colors_of_16_bits_and_stated_levels_exclude_each_other():
    row = struct.pack(">3H", 65535, 4095, 0)
    deep = png((1, 1), 16, 2, [row])
    assert EncodedImage(deep, "x.png").pixels().flatten().tolist() == [255, 15, 0]
    for content in (deep, png((1, 1), 16, 4, [row[:4]]), png((1, 1), 16, 6, [row + b"\0\0"])):
        with pytest.raises(BrokenImage, match=r"x\.png cannot be decoded \(it holds 16-bit colors"):
            EncodedImage(content, "x.png", PixelFormat(levels=(0.0, 4095.0))).pixels()


@pytest.mark.parametrize("name", ["1", "L", "P", "RGB", "CMYK TIFF", "RGBA with alpha", "P with alpha"])
def test_levels_reach_files_of_8_bits_too_and_are_refused_beyond_them(name):
    chosen = PixelFormat(levels=(60.0, 200.0))
    plain = np.asarray(EncodedImage(FILES[name], "x", PixelFormat(4)).picture().convert("RGB")).astype(float)
    wanted = np.rint(((plain - 60) / 140).clip(0, 1) * 255)
    found = np.asarray(EncodedImage(FILES[name], "x", replace(chosen, background=None)).picture())
    assert np.array_equal(found, wanted)
    with pytest.raises(BrokenImage, match=r"its 8 bits hold 0 to 255, and the levels \[0, 4095\] are those of"):
        EncodedImage(FILES[name], "x", PixelFormat(levels=(0.0, 4095.0))).picture()


def test_deep_numbers_are_those_of_the_file_and_other_files_are_not_decoded():
    values, depth = EncodedImage(FILES["16 bits"], "x").deep_numbers()
    assert (values.tolist(), depth.bits) == (DEEP.tolist(), 16)
    torn = _encode(PICTURE)
    assert EncodedImage(torn[: len(torn) // 2], "x").deep_numbers() is None
    with pytest.raises(BrokenImage):
        EncodedImage(FILES["16 bits"][:60], "x").deep_numbers()


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


PLACES = Window(21, 9, 88, 130)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "RGB")]
)
def test_a_part_is_that_of_the_upright_picture(kind, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = _encode(PICTURE.convert(mode), kind, exif=exif)
    image, asked = EncodedImage(content, "x"), []

    def choose(sides):
        asked.append(sides)
        return PLACES

    part = image.part(choose)
    upright = _by_pillow(content, "RGB")
    assert asked == [tuple(upright.shape[1:])]
    assert torch.equal(part, upright[:, 21:109, 9:139])
    assert image.decoded == asked[0]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("RGB", rgb_profile(DISPLAY_P3, srgb_decoded)),
        ("L", gray_profile(lambda level: level**4)),
        ("CMYK", cmyk_profile()),
    ],
)
def test_colors_of_a_part_are_converted_as_those_of_the_whole(mode, profile, channels):
    picture = PICTURE.resize((52, 36)).convert(mode)
    image = EncodedImage(_encode(picture, icc_profile=profile), "x.jpg", PixelFormat(channels))
    every = functional.pil_to_tensor(image.picture())
    assert torch.equal(image.part(lambda _: Window(3, 5, 20, 40)), every[:, 3:23, 5:45])
    ignoring = replace(image.pixel_format, color_profile="ignore")
    if mode != "CMYK":
        assert not torch.equal(EncodedImage(image.content, "x.jpg", ignoring).pixels(), every)


def test_a_part_at_a_reduced_scale_is_that_of_the_reduced_picture():
    image = EncodedImage(_encode(PICTURE), "x.jpg")
    part = image.part(lambda _: Window(20, 8, 80, 120), (40, 60))
    assert image.decoded == (72, 104)
    assert torch.equal(part, image.pixels(2)[:, 10:50, 4:64])
    assert image.part(lambda _: Window(20, 8, 80, 120), (41, 60)).shape == (3, 80, 120)
