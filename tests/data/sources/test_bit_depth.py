"""Numbers of more than 8 bits become the grays that the stated levels say, of whatever file they come."""

import io
import struct

import numpy as np
import pytest
from encoded_images import chunk, encode, png
from PIL import Image, TiffImagePlugin

from lit_cnn.data.sources.bit_depth import Depth, UnknownRange, eight_bits, numbers, stretch

RAMP = np.arange(0, 4096, 7, dtype=np.uint16)[:585].reshape(9, 65)


def opened(content):
    image = Image.open(io.BytesIO(content))
    depth = Depth.of(image)
    image.load()
    return image, depth


def gray_tiff(values, order="<", bits=16, sample_format=1, packed=None, photometric=1):
    """An uncompressed TIFF of one strip, for what Pillow reads and cannot write."""
    height, width = values.shape
    data = packed if packed is not None else values.astype(values.dtype.newbyteorder(order)).tobytes()
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 200, 277: 1, 278: height, 279: len(data)}
    tags[339] = sample_format
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, 4 if tag in (273, 279) else 3, 1)
        + (struct.pack(f"{order}I", value) if tag in (273, 279) else struct.pack(f"{order}HH", value, 0))
        for tag, value in sorted(tags.items())
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8) + struct.pack(f"{order}H", len(tags))
    return (head + entries + bytes(4)).ljust(200, b"\0") + data


def by_the_formula(values, low, high):
    grays = [round(255 * min(max((float(value) - low) / (high - low), 0), 1)) for value in values.ravel()]
    return np.array(grays).reshape(values.shape)


def plain_pgm(values, maximum):
    text = " ".join(str(value) for value in values.ravel())
    return f"P2\n{values.shape[1]} {values.shape[0]}\n{maximum}\n{text}\n".encode()


FILES = {
    "16-bit PNG": (encode(Image.fromarray(RAMP)), RAMP),
    "16-bit TIFF": (encode(Image.fromarray(RAMP), "TIFF"), RAMP),
    "compressed TIFF": (encode(Image.fromarray(RAMP), "TIFF", compression="tiff_lzw"), RAMP),
    "big-endian TIFF": (gray_tiff(RAMP, ">"), RAMP),
    "signed 16-bit TIFF": (gray_tiff(RAMP.astype(np.int16) - 1024, sample_format=2), RAMP.astype(int) - 1024),
    "signed big-endian TIFF": (gray_tiff(RAMP.astype(np.int16) - 1024, ">", sample_format=2), RAMP.astype(int) - 1024),
    "signed 32-bit TIFF": (encode(Image.fromarray(RAMP.astype(np.int32) - 1000), "TIFF"), RAMP.astype(int) - 1000),
    "unsigned 32-bit TIFF": (gray_tiff(RAMP.astype(np.uint32) * 2**20, bits=32), RAMP.astype(np.int64) * 2**20),
    "floating-point TIFF": (encode(Image.fromarray(RAMP.astype(np.float32) / 4096), "TIFF"), RAMP / 4096),
    "PGM up to 4095": (b"P5\n65 9\n4095\n" + RAMP.astype(">u2").tobytes(), RAMP),
    "plain PGM up to 4095": (plain_pgm(RAMP, 4095), RAMP),
    "PGM up to 65535": (b"P5\n65 9\n65535\n" + RAMP.astype(">u2").tobytes(), RAMP),
    "PFM": (b"Pf\n65 9\n-1.0\n" + (RAMP[::-1] / 4096).astype("<f4").tobytes(), RAMP / 4096),
}


@pytest.mark.parametrize("name", FILES)
def test_stated_levels_are_those_of_the_files_own_numbers(name):
    content, values = FILES[name]
    image, depth = opened(content)
    assert np.allclose(numbers(image, depth), values)
    low, high = float(values.min()) + 0.1 * np.ptp(values), float(values.max()) - 0.2 * np.ptp(values)
    result = eight_bits(image, depth, (low, high))
    assert result.mode == "L"
    assert np.array_equal(np.asarray(result), by_the_formula(values, low, high))
    assert {0, 255} <= set(np.unique(np.asarray(result)).tolist())


@pytest.mark.parametrize("name", ["16-bit PNG", "16-bit TIFF", "big-endian TIFF", "PGM up to 65535"])
def test_without_levels_16_bits_give_their_upper_byte(name):
    content, values = FILES[name]
    assert np.array_equal(np.asarray(eight_bits(*opened(content), None)), values >> 8)


@pytest.mark.parametrize("name", ["PGM up to 4095", "plain PGM up to 4095"])
def test_without_levels_a_file_that_states_its_largest_number_uses_all_grays(name):
    content, values = FILES[name]
    assert np.abs(np.asarray(eight_bits(*opened(content), None)).astype(int) - values / 16).max() <= 1


def test_without_levels_packed_12_bit_numbers_use_all_grays():
    values = np.arange(0, 4096, 16, dtype=np.uint16).reshape(16, 16)
    first, second = values[:, ::2].ravel(), values[:, 1::2].ravel()
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1).astype(np.uint8).tobytes()
    image, depth = opened(gray_tiff(values, bits=12, packed=packed))
    assert np.array_equal(numbers(image, depth), values)
    assert np.array_equal(np.asarray(eight_bits(image, depth, None)), values >> 4)
    assert np.array_equal(np.asarray(eight_bits(image, depth, "clip")), values >> 8)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_file_whose_lowest_number_is_white_is_shown_so_at_every_depth(bits):
    values = (RAMP << 4).astype(np.uint16) >> (16 - bits)
    content = gray_tiff(values.astype(f"u{bits // 8}"), bits=bits, photometric=0)
    image, depth = opened(content)
    grays = np.asarray(image if depth is None else eight_bits(image, depth, None))
    assert np.array_equal(grays, 255 - ((RAMP << 4) >> 8))
    if depth is not None:
        assert np.array_equal(np.asarray(eight_bits(image, depth, (0, 65535)))[0, :2], [255, 255])
        assert np.array_equal(np.asarray(eight_bits(image, depth, "clip")), values >> 8)  # as older versions did


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("signed 16-bit TIFF", r"16-bit pixels go from -1024 to 3064"),
        ("signed 32-bit TIFF", r"32-bit pixels go from -1000 to 3088"),
        ("unsigned 32-bit TIFF", r"32-bit pixels go from 0 to 4286578688"),
        ("floating-point TIFF", "floating-point numbers of unknown range"),
        ("PFM", "floating-point numbers of unknown range"),
    ],
)
def test_numbers_of_unknown_range_are_refused(name, says):
    with pytest.raises(UnknownRange, match=says):
        eight_bits(*opened(FILES[name][0]), None)


def test_32_bit_numbers_of_16_bits_give_the_upper_byte_and_clip_ends_others():
    image, depth = opened(encode(Image.fromarray(np.array([[0, 255, 256, 65535]], dtype=np.int32)), "TIFF"))
    assert np.asarray(eight_bits(image, depth, None)).tolist() == [[0, 0, 1, 255]]
    image, depth = opened(encode(Image.fromarray(np.array([[-9, 300, 70000]], dtype=np.int32)), "TIFF"))
    assert np.asarray(eight_bits(image, depth, "clip")).tolist() == [[0, 1, 255]]


def test_what_is_not_finite_is_black_or_white():
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]], dtype=np.float32)
    image, depth = opened(encode(Image.fromarray(values), "TIFF"))
    assert np.asarray(eight_bits(image, depth, (0.0, 1.0))).tolist() == [[0, 255, 0, 128]]


def test_the_transparent_number_of_16_bits_becomes_alpha():
    content = png((4, 1), 16, 0, [struct.pack(">4H", 65535, 0, 7, 4095)], _transparent(7))
    result = eight_bits(*opened(content), (0.0, 4095.0))
    assert (result.mode, [band.tobytes() for band in result.split()]) == ("LA", [b"\xff\0\0\xff", b"\xff\xff\0\xff"])
    assert eight_bits(*opened(content), "clip").mode == "L"


def _transparent(level):
    return chunk(b"tRNS", struct.pack(">H", level))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_levels_of_8_bits_stretch_every_channel_but_alpha(mode):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 6, 4), dtype=np.uint8)).convert(mode)
    before = np.asarray(image)
    after = np.asarray(stretch(image, (50.0, 200.0)))
    colors = before.shape[2] - 1 if mode.endswith("A") else None
    assert np.array_equal(after[..., :colors], by_the_formula(before, 50, 200)[..., :colors])
    if mode.endswith("A"):
        assert np.array_equal(after[..., -1], before[..., -1])


@pytest.mark.parametrize("levels", [(0.0, 4095.0), (-1000.0, 200.0)])
def test_levels_beyond_8_bits_are_refused_for_8_bits(levels):
    with pytest.raises(
        ValueError, match=r"its 8 bits hold 0 to 255, and the levels \[-?\d+, \d+\] are those of deeper files"
    ):
        stretch(Image.new("L", (2, 2)), levels)


def test_only_what_has_more_than_8_bits_has_a_depth():
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        assert opened(encode(Image.new(mode, (3, 2))))[1] is None
    for kind in ("JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000"):
        assert opened(encode(Image.new("RGB", (8, 8)), kind))[1] is None
    deep = png((1, 1), 16, 2, [struct.pack(">3H", 4095, 0, 9)])
    image, depth = opened(deep)
    assert (depth.kind, depth.bits) == ("color", 16)
    assert numbers(image, depth).tolist() == [[[15 * 257, 0, 0]]]
    for color, samples in ((4, 2), (6, 4)):
        assert opened(png((1, 1), 16, color, [bytes(2 * samples)]))[1].kind == "color"
    assert isinstance(opened(FILES["16-bit TIFF"][0])[0], TiffImagePlugin.TiffImageFile)
