"""Every way of stating transparency gives the same picture on the same background."""

import io
import struct

import numpy as np
import pytest
from encoded_images import chunk, encode, png
from PIL import Image

from lit_cnn.data.sources.decoding import EncodedImage, PixelFormat
from lit_cnn.data.sources.transparency import composited, scale_transparent_color, with_alpha_channel

HIDDEN = (220, 30, 30)


def cut_out(soft=True):
    """A blue disk whose edge fades out over hidden red."""
    row, column = np.mgrid[-20:20, -24:24]
    alpha = ((16 - np.hypot(row, column)) * (40 if soft else 1e6)).clip(0, 255)
    pixels = np.dstack([np.full(row.shape, level) for level in (40, 60, 200)] + [alpha]).astype(np.uint8)
    pixels[alpha == 0, :3] = HIDDEN
    return Image.fromarray(pixels)


SOFT, HARD = cut_out(), cut_out(soft=False)


def shown(image, background=(255, 255, 255)):
    """What a viewer shows: color x alpha + background x (1 - alpha), in the numbers themselves."""
    pixels = np.asarray(image.convert("RGBA")).astype(float)
    alpha = pixels[..., 3:] / 255
    return pixels[..., :3] * alpha + np.array(background) * (1 - alpha)


def decoded(content, channels=3, **settings):
    return np.asarray(EncodedImage(content, "x", PixelFormat(channels, **settings)).picture()).astype(float)


def keyed(image):
    """Without alpha, where the hidden color is the transparent one."""
    return encode(image.convert("RGB"), transparency=HIDDEN)


FILES = {
    "RGBA PNG": (encode(SOFT), SOFT),
    "RGBA WebP": (encode(SOFT, "WEBP", lossless=True, exact=True), SOFT),
    "RGBA TIFF": (encode(SOFT, "TIFF"), SOFT),
    "LA PNG": (encode(SOFT.convert("LA")), SOFT.convert("LA")),
    "LA TIFF": (encode(SOFT.convert("LA"), "TIFF"), SOFT.convert("LA")),
    "palette PNG": (encode(SOFT.quantize(200)), SOFT.quantize(200)),
    "palette PNG with one transparent color": (encode(HARD.quantize(8), transparency=0), None),
    "GIF": (encode(HARD, "GIF"), HARD),
    "RGB PNG with a transparent color": (keyed(HARD), HARD),
    "RGBA JPEG 2000": (encode(SOFT, "JPEG2000", irreversible=False), SOFT),
    "16-bit RGBA PNG": (png((48, 40), 16, 6, [(row * 257).tobytes() for row in np.asarray(SOFT).astype(">u2")]), SOFT),
}


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (10, 200, 90)])
@pytest.mark.parametrize("name", FILES)
def test_a_file_looks_as_in_a_viewer(name, background):
    content, image = FILES[name]
    image = image or Image.open(io.BytesIO(content))
    assert np.abs(decoded(content, background=background) - shown(image, background)).max() <= 1


@pytest.mark.parametrize("name", FILES)
def test_gray_output_is_the_gray_of_the_composite(name):
    color = Image.fromarray(decoded(FILES[name][0]).astype(np.uint8))
    assert np.abs(decoded(FILES[name][0], 1) - np.asarray(color.convert("L"))).max() <= 1


def test_avif_shows_the_background_too():
    pixels = decoded(encode(SOFT, "AVIF", quality=100), background=(0, 255, 0))
    assert pixels[0, 0].tolist() == [0, 255, 0]
    assert np.abs(pixels[20, 24] - (40, 60, 200)).max() < 10


@pytest.mark.parametrize("name", ["RGBA PNG", "RGBA WebP", "RGBA TIFF", "RGB PNG with a transparent color"])
def test_no_background_shows_the_hidden_colors(name):
    assert decoded(FILES[name][0], background=None)[0, 0].tolist() == list(HIDDEN)
    assert np.abs(decoded(FILES[name][0])[0, 0] - 255).max() == 0


def test_hidden_colors_make_no_difference():
    pictures = []
    for hidden in [(0, 0, 0), (255, 255, 255), (0, 255, 0)]:
        pixels = np.asarray(SOFT).copy()
        pixels[pixels[..., 3] == 0, :3] = hidden
        pictures.append(decoded(encode(Image.fromarray(pixels))))
    assert all(np.array_equal(pictures[0], each) for each in pictures[1:])


@pytest.mark.parametrize("name", FILES)
def test_four_channels_keep_color_and_alpha(name):
    content, image = FILES[name]
    wanted = np.asarray((image or Image.open(io.BytesIO(content))).convert("RGBA")).astype(float)
    found = decoded(content, 4)
    assert np.array_equal(found[..., 3], wanted[..., 3])
    opaque = wanted[..., 3] == 255
    assert np.array_equal(found[opaque], wanted[opaque])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "LAB"])
def test_four_channels_of_files_without_alpha_are_opaque(mode):
    image = SOFT.convert("RGB").convert(mode)
    found = decoded(encode(image, "TIFF"), 4)
    assert (found[..., 3] == 255).all()
    assert np.array_equal(found[..., :3], np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("bits", "row", "grays"), [(2, 0b00011011, [0, 85, 170, 255]), (1, 0b01010000, [0, 255])])
def test_the_transparent_gray_of_few_bits_is_found(bits, row, grays):
    for level, gray in enumerate(grays):
        content = png((4, 1), bits, 0, [bytes([row])], chunk(b"tRNS", struct.pack(">H", level)))
        plain = decoded(content, background=None)[..., 0]
        assert np.array_equal(decoded(content, background=(9, 9, 9))[..., 0], np.where(plain == gray, 9, plain))


def test_the_transparent_gray_of_4_bits_and_color_of_16_bits_are_found():
    gray = png((4, 1), 4, 0, [bytes([0x05, 0xF5])], chunk(b"tRNS", struct.pack(">H", 5)))
    assert decoded(gray, 1, background=(9, 9, 9)).tolist() == [[0, 9, 255, 9]]
    key = chunk(b"tRNS", struct.pack(">3H", 0x1234, 0, 0))
    red = png((2, 1), 16, 2, [struct.pack(">6H", 0x1234, 0, 0, 1, 2, 3)], key)
    assert decoded(red, background=(9, 9, 9)).tolist() == [[[9, 9, 9], [0, 0, 0]]]
    deep = png((3, 1), 16, 0, [struct.pack(">3H", 65535, 7, 0)], chunk(b"tRNS", struct.pack(">H", 7)))
    assert decoded(deep, 1, background=(9, 9, 9)).tolist() == [[255, 9, 0]]


@pytest.mark.parametrize(("mode", "straight"), [("La", "LA"), ("RGBa", "RGBA"), ("PA", "RGBA")])
def test_premultiplied_and_palette_alpha_become_straight(mode, straight):
    source = SOFT.convert("LA") if mode == "La" else SOFT
    image = source.convert(mode)
    result = with_alpha_channel(image)
    assert result.mode == straight
    found = np.asarray(composited(result, (255, 255, 255)).convert("RGB"))
    assert np.abs(found - shown(source if mode != "PA" else image)).max() <= 2


def test_what_has_no_transparency_is_the_same_object():
    for mode in ("1", "L", "P", "RGB", "CMYK", "LA", "RGBA"):
        image = Image.new(mode, (3, 2))
        assert with_alpha_channel(image) is image


def test_a_color_that_is_right_already_stays():
    image = Image.open(io.BytesIO(encode(Image.new("L", (2, 2)), transparency=3)))
    scale_transparent_color(image)
    assert image.info["transparency"] == 3
