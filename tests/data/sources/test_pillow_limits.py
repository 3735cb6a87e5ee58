"""Large files are refused by our limit alone, and Pillow's warnings do not reach the user, in any thread."""

import io
import re
import struct
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from encoded_images import chunk, encode, png
from PIL import Image

from lit_cnn.data.sources.decoding import EncodedImage, PixelFormat, TooManyPixels
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS, TooLarge, load_pixels, open_image, silent_pillow

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
KINDS = ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "JPEG2000"]


def claiming(width, height):
    """A PNG that claims so many pixels and holds none."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.fixture
def low_limit(monkeypatch):
    """Pillow warns from 1,000 px on and refuses from 2,001 on, so that small files are large."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)


def test_our_limit_is_pillows():
    assert Image.MAX_IMAGE_PIXELS is not None
    assert MAX_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("kind", KINDS)
def test_a_raised_limit_decodes_what_pillow_refuses(kind):
    content = encode(PICTURE, kind)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(content))
    for limit in (2400, None):
        with open_image(content, limit) as image:
            load_pixels(image)
            assert image.size == (60, 40)
        assert EncodedImage(content, "x", PixelFormat(max_pixels=limit)).pixels().shape == (3, 40, 60)
        assert Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("kind", KINDS)
def test_one_pixel_too_many_is_refused_with_name_size_and_limit(kind):
    said = "the image a/b has 60 x 40 = 2,400 px, more than the 2,399 px allowed; make it smaller or remove it"
    image = EncodedImage(encode(PICTURE, kind), "a/b", PixelFormat(max_pixels=2399))
    for read in (image.pixels, image.sides, lambda: image.picture(2)):
        with pytest.raises(TooManyPixels, match=f"^{re.escape(said)}$"):
            read()


def test_the_default_refuses_what_pillow_refuses_before_any_memory_is_taken():
    with pytest.raises(TooLarge, match=r"has 50000 x 50000 = 2,500,000,000 px, more than the 178,956,970 px allowed"):
        open_image(claiming(50000, 50000), MAX_PIXELS)
    with silent_pillow:
        open_image(claiming(13376, 13376), MAX_PIXELS).close()
    with pytest.raises(TooLarge):
        open_image(claiming(13378, 13378), MAX_PIXELS)


@pytest.mark.usefixtures("low_limit")
def test_the_limit_of_other_threads_stays():
    """Pillow's own limit counts for everyone else before, and after, whatever happens in between."""
    content = encode(PICTURE, "PNG")
    with ThreadPoolExecutor(8) as pool:
        images = [EncodedImage(content, "x", PixelFormat(max_pixels=None))] * 40
        shapes = list(pool.map(lambda image: image.pixels().shape, images))
    assert set(shapes) == {(3, 40, 60)}
    with pytest.raises(Exception, match="cannot identify"):
        open_image(claiming(100, 100).replace(b"IDAT", b"????"), None)
    assert Image.MAX_IMAGE_PIXELS == 1000


def corrupt_exif():
    """A JPEG whose EXIF makes Pillow warn."""
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + struct.pack("<H", 40) + b"\x12\x01"
    content = encode(PICTURE, "JPEG")
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


@pytest.mark.parametrize("action", ["error", "always"])
def test_pillows_warnings_are_not_shown(action):
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter(action)
        before = list(warnings.filters)
        with pytest.raises(UserWarning, match="Corrupt EXIF") if action == "error" else pytest.MonkeyPatch.context():
            Image.open(io.BytesIO(corrupt_exif())).getexif()
        shown.clear()
        EncodedImage(corrupt_exif(), "x").pixels()
        EncodedImage(corrupt_exif(), "x").sides()
        EncodedImage(png((20000, 1), 1, 0, [bytes(2500)]), "x").pixels()
        assert list(warnings.filters) == before
    assert shown == []


@pytest.mark.usefixtures("low_limit")
def test_large_images_below_the_limit_are_not_warned_of():
    small = encode(PICTURE.resize((40, 40)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Image.DecompressionBombWarning):
            Image.open(io.BytesIO(small))
        EncodedImage(small, "x").pixels()


def test_other_warnings_pass_and_are_still_shown_once():
    def warn():
        warnings.warn("ours", stacklevel=1)

    with warnings.catch_warnings(record=True) as shown:
        warnings.resetwarnings()
        warnings.simplefilter("default")
        for _ in range(3):
            with silent_pillow:
                warn()
            EncodedImage(corrupt_exif(), "x").pixels()
    assert [str(each.message) for each in shown] == ["ours"]


def test_silence_ends_with_the_last_of_several_threads():
    before, inside, done = list(warnings.filters), threading.Barrier(3), threading.Barrier(3)

    def hold():
        with silent_pillow:
            inside.wait(10)
            done.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    assert len(warnings.filters) == len(before) + 1
    done.wait(10)
    for thread in threads:
        thread.join(10)
    assert list(warnings.filters) == before
