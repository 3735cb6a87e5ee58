import io
from functools import partial

import numpy as np
import pytest
from PIL import Image
from scenes import as_jpeg, scene

from lit_cnn.data.checks.inspection import Look, attempt_to_look, inspect, look_at, look_at_file
from lit_cnn.data.sources.decoding import BrokenImage, EncodedImage


def encoded(image: Image.Image, kind: str = "PNG", name: str = "a.png", **options: object) -> EncodedImage:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return EncodedImage(stream.getvalue(), name)


def test_equal_pixels_have_one_digest_whatever_their_file() -> None:
    image = scene(0)
    same = [encoded(image), encoded(image, "BMP"), encoded(image, "PNG", compress_level=1)]
    assert len({look_at_file(file).digest for file in same}) == 1
    assert look_at_file(encoded(as_jpeg(image, 90))).digest != look_at_file(encoded(image)).digest


def test_the_digest_knows_the_sides() -> None:
    assert look_at(Image.new("L", (4, 9))).digest != look_at(Image.new("L", (9, 4))).digest


def test_an_image_turned_by_exif_has_its_upright_sides() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    look = look_at_file(encoded(scene(0, (96, 72)), "JPEG", "a.jpg", exif=exif))
    assert (look.width, look.height) == (72, 96)


@pytest.mark.parametrize("color", [(0, 0, 0), (9, 200, 3)])
def test_one_color_is_noticed(color: tuple[int, int, int]) -> None:
    image = Image.new("RGB", (300, 200), color)
    assert look_at(image).color == color
    image.putpixel((150, 100), (255, 255, 255))
    assert look_at(image).color is None


def test_gray_and_transparent_files_are_noticed() -> None:
    image = scene(0)
    alpha = image.convert("RGBA")
    assert not look_at_file(encoded(alpha)).transparent
    alpha.putpixel((0, 0), (1, 2, 3, 254))
    looks = [look_at_file(encoded(one)) for one in (image, image.convert("L"), alpha, image.convert("LA"))]
    assert [(look.gray, look.transparent) for look in looks] == [
        (False, False), (True, False), (False, True), (True, False),
    ]  # fmt: skip
    palette = image.quantize(16)
    assert look_at_file(encoded(palette, transparency=0)).transparent
    assert not look_at_file(encoded(palette)).transparent


@pytest.mark.parametrize(
    ("kind", "name", "misnamed"),
    [
        ("PNG", "a.png", False),
        ("PNG", "a.jpg", True),
        ("JPEG", "a.JPEG", False),
        ("MPO", "a.jpg", False),
        ("JPEG", "a.webp", True),
        ("PPM", "a.pgm", False),
        ("PNG", "3 of a table", False),
    ],
)
def test_an_ending_of_another_format_is_noticed(kind: str, name: str, misnamed: bool) -> None:
    assert look_at_file(encoded(scene(0), kind, name)).misnamed == misnamed


def test_what_cannot_be_decoded_comes_back_in_its_place_without_a_warning() -> None:
    def gone() -> EncodedImage:
        raise FileNotFoundError("gone")

    good = encoded(scene(0))
    torn = EncodedImage(good.content[:200], "torn.png")
    found = list(inspect([lambda: good, lambda: torn, gone, lambda: good]))
    assert [type(look) for look in found] == [Look, BrokenImage, FileNotFoundError, Look]


def test_the_look_does_not_depend_on_the_threads() -> None:
    reads = [partial(encoded, scene(seed)) for seed in range(12)]
    one, four = (list(inspect(reads, threads=threads)) for threads in (1, 4))
    assert all(isinstance(look, Look) for look in one)
    assert [a.digest for a in one] == [b.digest for b in four]  # type: ignore[union-attr]
    assert attempt_to_look(reads[3]).perceptual_hash == one[3].perceptual_hash  # type: ignore[union-attr]
    assert np.array_equal(attempt_to_look(reads[3]).thumbnail, one[3].thumbnail)  # type: ignore[union-attr]
