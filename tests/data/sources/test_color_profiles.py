"""Embedded profiles give the colors that they mean; those that mean sRGB change nothing."""

import numpy as np
import pytest
from encoded_images import encode
from icc_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    INKS,
    SRGB,
    cmyk_profile,
    gray_profile,
    lab_in_srgb,
    rgb_profile,
    srgb_decoded,
    srgb_encoded,
    true_srgb,
)
from PIL import Image, ImageCms

from lit_cnn.data.sources.color_profiles import conversion, to_srgb
from lit_cnn.data.sources.decoding import EncodedImage, PixelFormat


def adobe_decoded(levels):
    return levels ** (563 / 256)


def decoded_by_gamma(levels):
    return levels**1.8


WIDE = {"Display P3": (DISPLAY_P3, srgb_decoded), "Adobe RGB": (ADOBE_RGB, adobe_decoded)}
COLORS = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
PATCHES = np.kron(COLORS[:4, :6], np.ones((16, 16, 1), dtype=np.uint8))
RAMP = np.arange(256, dtype=np.uint8).reshape(8, 32)


def pixels(content, divisor=1, channels=3, **settings):
    return np.asarray(EncodedImage(content, "x", PixelFormat(channels, **settings)).picture(divisor)).astype(float)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_wide_colors_are_converted_to_srgb(name, kind):
    space = WIDE[name]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(Image.fromarray(COLORS), kind, icc_profile=rgb_profile(*space), **options)
    truth = true_srgb(COLORS, *space)
    assert np.abs(pixels(content) - truth).max() < 1
    assert np.abs(COLORS - truth).max() > 50
    assert np.array_equal(pixels(content, color_profile="ignore"), COLORS)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("divisor", [1, 2, 8])
def test_jpegs_are_converted_at_every_scale_of_decoding(name, divisor):
    content = encode(Image.fromarray(PATCHES), "JPEG", quality=100, subsampling=0, icc_profile=rgb_profile(*WIDE[name]))
    plain = pixels(content, divisor, color_profile="ignore")
    assert plain.shape == (64 // divisor, 96 // divisor, 3)
    assert np.abs(pixels(content, divisor) - true_srgb(plain, *WIDE[name])).max() < 1


def test_gray_output_is_the_gray_of_the_converted_colors():
    content = encode(Image.fromarray(COLORS), icc_profile=rgb_profile(*WIDE["Display P3"]))
    gray = np.asarray(Image.fromarray(pixels(content).astype(np.uint8)).convert("L"))
    assert np.array_equal(pixels(content, channels=1), gray)


def test_alpha_and_palettes_are_converted_too():
    space = WIDE["Adobe RGB"]
    clear = np.dstack([COLORS, np.full(COLORS.shape[:2], 255, dtype=np.uint8)])
    clear[0, 0, 3] = 0
    found = pixels(encode(Image.fromarray(clear), icc_profile=rgb_profile(*space)), channels=4)
    assert np.abs(found[..., :3] - true_srgb(COLORS, *space)).max() < 1
    assert np.array_equal(found[..., 3], clear[..., 3])
    assert pixels(encode(Image.fromarray(clear), icc_profile=rgb_profile(*space)))[0, 0].tolist() == [255] * 3
    few = Image.fromarray(COLORS).quantize(32)
    content = encode(few, icc_profile=rgb_profile(*space))
    assert np.abs(pixels(content) - true_srgb(np.asarray(few.convert("RGB")), *space)).max() < 1


@pytest.mark.parametrize("mode", ["L", "LA", "P"])
def test_gray_of_another_gamma_becomes_that_of_srgb(mode):
    image = Image.fromarray(RAMP).convert(mode)
    profile = gray_profile(decoded_by_gamma)
    truth = 255 * srgb_encoded(decoded_by_gamma(RAMP / 255))
    if mode == "P":  # of colors, which a gray profile does not describe
        assert np.array_equal(pixels(encode(image, icc_profile=profile), channels=1), RAMP)
        return
    for channels in (1, 3):
        found = pixels(encode(image, icc_profile=profile), channels=channels).reshape(8, 32, channels)
        assert np.abs(found - truth[..., None]).max() < 2
    assert np.abs(RAMP - truth).max() > 15


def test_gray_with_a_profile_of_colors_takes_its_curve():
    content = encode(Image.fromarray(RAMP), icc_profile=rgb_profile(SRGB, decoded_by_gamma))
    assert np.abs(pixels(content, channels=1) - 255 * srgb_encoded(decoded_by_gamma(RAMP / 255))).max() < 2


def test_16_bit_gray_takes_the_curve_after_its_levels():
    content = encode(Image.fromarray(RAMP.astype(np.uint16) * 257), icc_profile=gray_profile(decoded_by_gamma))
    assert np.abs(pixels(content, channels=1) - 255 * srgb_encoded(decoded_by_gamma(RAMP / 255))).max() < 2


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_inks_become_the_colors_of_their_print(kind):
    image = Image.new("CMYK", (8 * len(INKS), 8))
    for place, inks in enumerate(INKS):
        image.paste(inks, (8 * place, 0, 8 * place + 8, 8))
    content = encode(image, kind, icc_profile=cmyk_profile(), **({"quality": 100} if kind == "JPEG" else {}))
    for place, lab in enumerate(INKS.values()):
        wanted = lab_in_srgb(lab)
        assert np.abs(pixels(content)[4, 8 * place + 4] - wanted).max() <= 4
        naive = pixels(content, color_profile="ignore")[4, 8 * place + 4]
        assert np.abs(naive - wanted).max() > 30


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_profiles_that_mean_srgb_are_passed_over(mode):
    by_pillow = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (by_pillow, rgb_profile(SRGB, srgb_decoded)):
        assert conversion(profile, mode) is None
        image = Image.new(mode, (2, 2))
        assert to_srgb(image, profile) is image
    assert conversion(gray_profile(srgb_decoded), "L") is None
    assert conversion(rgb_profile(SRGB, lambda levels: levels**2.2), mode) is not None  # 8 levels away in the shadows


@pytest.mark.parametrize(
    ("profile", "mode"),
    [
        (b"no profile", "RGB"),
        (rgb_profile(DISPLAY_P3, srgb_decoded)[:200], "RGB"),
        (b"\0" * 500, "L"),
        (gray_profile(decoded_by_gamma), "RGB"),
        (cmyk_profile(), "RGB"),
        (rgb_profile(DISPLAY_P3, srgb_decoded), "CMYK"),
        (rgb_profile(DISPLAY_P3, srgb_decoded), "LAB"),
        (rgb_profile(DISPLAY_P3, srgb_decoded), "1"),
    ],
)
def test_broken_profiles_and_those_of_other_colors_are_ignored(profile, mode):
    assert conversion(profile, mode) is None
    kind = "PNG" if mode in ("1", "L", "RGB") else "TIFF"
    image = Image.fromarray(COLORS).convert(mode)
    assert np.array_equal(pixels(encode(image, kind, icc_profile=profile)), np.asarray(image.convert("RGB")))


def test_a_conversion_is_built_once():
    profile = rgb_profile(DISPLAY_P3, srgb_decoded)
    assert conversion(profile, "RGB") is conversion(bytes(bytearray(profile)), "RGB")
