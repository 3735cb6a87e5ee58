"""Images as people have them, each predicted by a checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bad_case import Case, write_checkpoint
from PIL import Image
from PIL.PngImagePlugin import PngInfo


def image(name: str, write: Callable[[Path], Any], *options: str) -> Callable[[Path], list[str]]:
    """Predict the file ``name`` that ``write`` makes."""

    def arguments(folder: Path) -> list[str]:
        write(folder / name)
        return ["predict", str(write_checkpoint(folder)), str(folder / name), "--json", *options]

    return arguments


def pixels(mode: str, size: tuple[int, int] = (24, 20)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(noise, "RGBA").convert(mode)


def torn(path: Path) -> None:
    pixels("RGB").save(path)
    path.write_bytes(path.read_bytes()[:300])


def sixteen_bit(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 65535, (20, 24), dtype=np.uint16)).save(path)


def palette(path: Path) -> None:
    image = pixels("RGB").quantize(16)
    image.save(path, transparency=0)


def rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels("RGB").save(path, exif=exif)


def animated(path: Path) -> None:
    pixels("RGB").save(path, save_all=True, append_images=[pixels("RGB").rotate(90)])


def twelve_bit(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 4096, (20, 24), dtype=np.uint16)).save(path)


def large(path: Path) -> None:
    Image.new("1", (18000, 10000)).save(path)


def long_comment(path: Path) -> None:
    info = PngInfo()
    info.add_text("comment", "x" * 3 * 2**20, zip=True)
    pixels("RGB").save(path, pnginfo=info)


def damaged_exif(path: Path) -> None:
    pixels("RGB").save(path, exif=b"Exif\0\0II*\0\x08\0\0\0\x28\0\x12\x01")


def damaged_profile(path: Path) -> None:
    pixels("RGB").save(path, icc_profile=b"no profile")


def bomb(path: Path) -> None:
    """A PNG of a few kB that claims 40,000 x 40,000 pixels."""
    Image.new("1", (40000, 40000)).save(path)


IMAGES = [
    Case("images", "cut off", image("torn.jpg", torn), "PATH/torn.jpg cannot be decoded"),
    Case("images", "zero bytes", image("empty.png", Path.touch), "PATH/empty.png cannot be decoded"),
    Case(
        "images",
        "text with an image's ending",
        image("note.jpg", lambda path: path.write_text("hello")),
        "PATH/note.jpg cannot be decoded",
    ),
    Case("images", "decompression bomb", image("bomb.png", bomb), "PATH/bomb.png has 40000 x 40000 = 1,600,000,000 px"),
    Case(
        "images",
        "180 million pixels, which --max-pixels allows",
        image("large.png", large, "--max-pixels", "181000000"),
        "large.png",
        0,
    ),
    Case("images", "PNG with a comment that unpacks to 3 MiB", image("comment.png", long_comment), "comment.png", 0),
    Case("images", "damaged EXIF", image("exif.jpg", damaged_exif), "exif.jpg", 0),
    Case("images", "damaged color profile", image("profile.jpg", damaged_profile), "profile.jpg", 0),
    Case(
        "images",
        "PNG with the ending .jpg",
        image("wrong.jpg", lambda path: pixels("RGB").save(path, "PNG")),
        "wrong.jpg",
        0,
    ),
    Case("images", "CMYK", image("print.jpg", lambda path: pixels("CMYK").save(path)), "print.jpg", 0),
    Case("images", "16-bit gray", image("deep.png", sixteen_bit), "deep.png", 0),
    Case("images", "16-bit gray of 12-bit levels: a warning", image("x.png", twelve_bit), "become nearly black", 0),
    Case(
        "images",
        "signed numbers, as of CT",
        image("ct.tif", lambda path: Image.fromarray(np.full((20, 24), -1000, dtype=np.int32)).save(path)),
        "PATH/ct.tif cannot be decoded (its 32-bit pixels go from -1000 to -1000",
    ),
    Case(
        "images",
        "floating-point gray",
        image("float.tif", lambda path: Image.fromarray(np.zeros((20, 24), dtype=np.float32)).save(path)),
        "PATH/float.tif cannot be decoded (its pixels are floating-point numbers",
    ),
    Case("images", "palette with transparency", image("palette.png", palette), "palette.png", 0),
    Case("images", "alpha", image("alpha.png", lambda path: pixels("RGBA").save(path)), "alpha.png", 0),
    Case("images", "turned by EXIF", image("turned.jpg", rotated), "turned.jpg", 0),
    Case("images", "animated: its first frame", image("film.gif", animated), "film.gif", 0),
    Case("images", "1 x 1 pixel", image("dot.png", lambda path: pixels("RGB", (1, 1)).save(path)), "dot.png", 0),
    Case(
        "images",
        "20,000 pixels wide",
        image("wide.png", lambda path: Image.new("RGB", (20000, 8)).save(path)),
        "wide.png",
        0,
    ),
    Case(
        "images",
        "name with umlauts and blanks",
        image("über alles ☃.png", lambda path: pixels("RGB").save(path)),
        " alles ",
        0,
    ),
    Case(
        "images",
        "link to itself",
        image("loop.png", lambda path: path.symlink_to(path)),
        "loop.png",
    ),
    Case(
        "images",
        "no right to read the image",
        image("secret.png", lambda path: (pixels("RGB").save(path), path.chmod(0))),
        "PATH/secret.png cannot be read by this user",
        rights=True,
    ),
    Case(
        "images",
        "no such file",
        lambda folder: ["predict", str(write_checkpoint(folder)), str(folder / "gone.jpg")],
        "there is no image PATH/gone.jpg",
    ),
    Case(
        "images",
        "folder without images",
        image("none", Path.mkdir),
        "the folder PATH/none holds no image",
    ),
]
