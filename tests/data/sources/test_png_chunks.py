"""Metadata does not keep the pixels of a PNG from being read."""

import io
import struct
import zlib

import numpy as np
import pytest
from encoded_images import chunk, encode, png
from PIL import Image

from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage
from lit_cnn.data.sources.png_chunks import pixels_alone

ROWS = [bytes(range(30 * row, 30 * row + 24)) for row in range(5)]
BOMB = zlib.compress(bytes(3 * 2**20))
HARMFUL = {
    "zTXt that unpacks to 3 MiB": chunk(b"zTXt", b"Comment\0\0" + BOMB),
    "iTXt that unpacks to 3 MiB": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
    "iCCP that unpacks to 3 MiB": chunk(b"iCCP", b"profile\0\0" + BOMB),
    "70 MiB of text": b"".join(chunk(b"tEXt", b"part%d\0" % part + b"a" * 10 * 2**20) for part in range(7)),
    "text with a wrong checksum": chunk(b"tEXt", b"Author\0me")[:-4] + b"\0\0\0\0",
    "time with a wrong checksum": chunk(b"tIME", bytes(7))[:-4] + b"\0\0\0\0",
    "zTXt of an unknown method": chunk(b"zTXt", b"Comment\0\x09" + zlib.compress(b"x")),
    "iCCP of an unknown method": chunk(b"iCCP", b"profile\0\x09" + zlib.compress(b"x")),
    "gAMA cut short": chunk(b"gAMA", b"\0"),
}


@pytest.mark.parametrize("after", [False, True], ids=["before the pixels", "after the pixels"])
@pytest.mark.parametrize("name", HARMFUL)
def test_pixels_are_read_despite(name, after):
    place = {"after": HARMFUL[name]} if after else {"before": HARMFUL[name]}
    found = EncodedImage(png((8, 5), 8, 2, ROWS, **place), "x.png")
    assert np.array_equal(np.asarray(found.picture()), np.frombuffer(b"".join(ROWS), np.uint8).reshape(5, 8, 3))
    assert found.sides() == (5, 8)


def test_what_is_harmless_is_kept():
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = encode(Image.new("RGB", (8, 5)), exif=exif)
    assert pixels_alone(whole) is None
    harmful = HARMFUL["zTXt that unpacks to 3 MiB"]
    turned = whole[:33] + harmful + chunk(b"tEXt", b"Author\0me") + whole[33:]
    slim = pixels_alone(turned)
    assert slim == whole[:33] + chunk(b"tEXt", b"Author\0me") + whole[33:]
    assert EncodedImage(turned, "x.png").sides() == (8, 5)
    assert EncodedImage(turned, "x.png").picture().size == (5, 8)


def test_transparency_is_kept():
    clear = chunk(b"tRNS", struct.pack(">H", 7))
    content = png((2, 1), 8, 0, [bytes([7, 9])], before=clear + HARMFUL["gAMA cut short"])
    assert EncodedImage(content, "x.png").picture().getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", *(encode(Image.new("L", (2, 2)), kind) for kind in ("JPEG", "PNG"))]
)
def test_other_files_and_sound_ones_have_nothing_to_leave_out(content):
    assert pixels_alone(content) is None


def test_broken_pixels_stay_broken():
    whole = png((8, 5), 8, 2, ROWS, before=HARMFUL["zTXt that unpacks to 3 MiB"])
    for content in (whole[:-60], whole.replace(b"IDAT", b"IDAX"), whole[:40]):
        with pytest.raises(BrokenImage, match=r"^the image x\.png cannot be decoded \(.*\); replace or remove"):
            EncodedImage(content, "x.png").picture()
    assert Image.open(io.BytesIO(pixels_alone(whole))).size == (8, 5)
