"""simplejpeg decodes what Pillow would decode to the same pixels, and leaves Pillow the rest."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage
from lit_cnn.data.sources.jpeg_decoder import fast_decoder, jpeg_pixels

pytest.importorskip("simplejpeg")
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (45, 67, 3)).astype(np.uint8))


def _encode(image, kind="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _decoded(content):
    return jpeg_pixels(content, Image.open(io.BytesIO(content)))


@pytest.fixture
def _fresh():
    fast_decoder.cache_clear()
    yield
    fast_decoder.cache_clear()


@pytest.mark.parametrize(
    "options",
    [
        *({"subsampling": number, "quality": 60} for number in range(3)),
        {"progressive": True},
        {"keep_rgb": True, "quality": 100},
        {"restart_marker_blocks": 2},
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_noise_has_pillows_pixels(mode, options):
    content = _encode(NOISE.convert(mode), **options)
    pixels = _decoded(content)
    assert pixels is not None, "it was left to Pillow"
    assert pixels.shape == (45, 67, len(mode))
    assert np.array_equal(np.squeeze(pixels), np.asarray(Image.open(io.BytesIO(content))))


def test_several_pictures_in_one_file_show_the_first():
    content = _encode(NOISE, "MPO", save_all=True, append_images=[Image.new("RGB", (67, 45))])
    assert Image.open(io.BytesIO(content)).format == "MPO"
    assert np.array_equal(_decoded(content), np.asarray(Image.open(io.BytesIO(content))))


def test_other_colors_and_other_files_are_left_to_pillow():
    assert _decoded(_encode(NOISE.convert("CMYK"))) is None
    assert _decoded(_encode(NOISE, "PNG")) is None


def test_damage_is_judged_by_pillow():
    whole = _encode(NOISE, quality=95)
    header = Image.open(io.BytesIO(whole))
    torn, middle = whole[: len(whole) // 2], len(whole) // 2
    assert jpeg_pixels(torn, header) is None
    with pytest.raises(BrokenImage, match="image file is truncated"):
        EncodedImage(torn, "x.jpg").pixels()
    garbled = whole[:middle] + b"\xff\xd7" + whole[middle + 2 :]  # a mark that is not expected here
    assert jpeg_pixels(garbled, header) is None
    found = EncodedImage(garbled, "x.jpg").pixels().permute(1, 2, 0)
    assert np.array_equal(found, np.asarray(Image.open(io.BytesIO(garbled))))


@pytest.mark.usefixtures("_fresh")
def test_pillow_decodes_where_simplejpeg_is_missing(monkeypatch):
    content = _encode(NOISE)
    expected = EncodedImage(content, "x.jpg").pixels()
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    fast_decoder.cache_clear()
    assert fast_decoder() is None
    assert EncodedImage(content, "x.jpg").pixels().equal(expected)


@pytest.mark.usefixtures("_fresh")
def test_a_library_of_other_pixels_is_not_used(monkeypatch):
    import simplejpeg

    decode = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda content, color: decode(content, color) ^ 1)
    assert fast_decoder() is None
