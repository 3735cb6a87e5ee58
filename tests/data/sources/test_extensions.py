"""What counts as an image: what the installed Pillow opens, with the plugins that are installed."""

import sys
import types
from collections import Counter

import pytest

from lit_cnn.data.sources import extensions
from lit_cnn.data.sources.extensions import image_extensions, is_image, is_system, left_out_reasons, register_plugins


@pytest.mark.parametrize(
    "name",
    [
        "jpg",
        "JPEG",
        "jfif",
        "png",
        "apng",
        "gif",
        "bmp",
        "webp",
        "tif",
        "tiff",
        "avif",
        "jp2",
        "mpo",
        "ico",
        "tga",
        "pgm",
        "qoi",
    ],
)
def test_what_pillow_opens_is_an_image(name):
    assert is_image(f"x.{name}")


@pytest.mark.parametrize(
    "name", ["x.pdf", "x.eps", "x.mpeg", "x.h5", "x.fits", "x.txt", "x.jpg.1", "jpg", ".jpg", "x."]
)
def test_what_is_not_a_picture_is_not(name):
    assert not is_image(name)


@pytest.mark.parametrize("name", [".x", "._x.jpg", "__MACOSX", "@eaDir", "THUMBS.DB", "Desktop.ini", "$Recycle.Bin"])
def test_system_entries(name):
    assert is_system(name)
    assert not is_system(name.strip("._").replace("@", "x").lower() + "x")


def test_a_plugin_registers_its_formats(monkeypatch):
    called = []
    plugin = types.ModuleType("pillow_heif")
    plugin.register_heif_opener = lambda: called.append("heif")
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setattr(extensions, "find_spec", lambda name: True if name == "pillow_heif" else None)
    register_plugins.cache_clear()
    register_plugins()
    register_plugins()
    register_plugins.cache_clear()
    assert called == ["heif"]


def test_reasons_name_the_extensions_and_what_reads_them():
    found = left_out_reasons(Counter({".txt": 2, "": 1, ".heic": 3, ".mp4": 1}))
    assert found == {
        "no image by the ending (none, .mp4, .txt)": 4,
        "no image by the ending (.heic); install pillow-heif to read it": 3,
    }
    many = left_out_reasons(Counter({f".{letter}": 1 for letter in "abcdefghij"}))
    assert many == {"no image by the ending (.a, .b, .c, .d, .e, .f and 4 more)": 10}


def test_the_set_is_made_once():
    assert image_extensions() is image_extensions()
