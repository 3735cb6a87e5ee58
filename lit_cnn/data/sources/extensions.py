"""Which files are images by their extension, and which entries of a folder belong to the system."""

import functools
import importlib
from collections import Counter
from importlib.util import find_spec

from PIL import Image

from lit_cnn.data.sources.wording import few

NO_PICTURES = {"BUFR", "EPS", "FITS", "FLI", "GRIB", "HDF5", "IPTC", "MPEG", "PDF", "WMF"}
"""Formats of Pillow that are documents, animations or data, or that it cannot decode alone."""
PLUGINS = {"pillow_heif": "register_heif_opener", "pi_heif": "register_heif_opener", "pillow_jxl": None}
"""Pillow's plugins that register when they are imported, or when the named function is called."""
NEEDS = {
    **dict.fromkeys((".heic", ".heif", ".hif"), "pillow-heif"),
    ".jxl": "pillow-jxl-plugin",
    **dict.fromkeys((".avif", ".avifs"), "a newer pillow"),
}
"""What makes Pillow read further extensions."""
SYSTEM = {
    *("__macosx", "__pycache__", "@eadir", "@__thumb", "@recycle", "#recycle", "$recycle.bin", "recycler"),
    *("system volume information", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
}
THUMBNAILS = {"thumbs", "_thumbs", "thumbnails", "_thumbnails"}


@functools.cache
def register_plugins() -> None:
    """Let Pillow read the formats of the plugins that are installed; each process that decodes does so once."""
    for module, function in PLUGINS.items():
        if find_spec(module) is not None:
            plugin = importlib.import_module(module)
            if function is not None:
                getattr(plugin, function)()


@functools.cache
def image_extensions() -> frozenset[str]:
    """The lower-case extensions, with their dots, of the formats that the installed Pillow opens as images."""
    register_plugins()
    known = Image.registered_extensions().items()
    opened = {"MPO", *Image.OPEN} - NO_PICTURES  # MPO is opened as a JPEG
    return frozenset(extension for extension, name in known if name in opened)


def extension(name: str) -> str:
    """The lower-case extension of a file's name, with its dot; empty where there is none."""
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def is_image(name: str) -> bool:
    """Whether a file is an image by its extension."""
    return extension(name) in image_extensions()


def is_system(name: str) -> bool:
    """Whether a file or folder is hidden or made by an operating system, an archiver or a notebook."""
    return name.startswith(".") or name.lower() in SYSTEM


def left_out_reasons(extensions: Counter[str]) -> dict[str, int]:
    """Why files are left out that have these extensions: reason -> files."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(extensions):
        kinds.setdefault(NEEDS.get(name, ""), []).append(name)
    reasons = {}
    for package, names in sorted(kinds.items()):
        advice = f"; install {package} to read it" if package else ""
        listed = few([name or "none" for name in names])
        reasons[f"no image by the ending ({listed}){advice}"] = sum(extensions[name] for name in names)
    return reasons


def left_out_notes(left_out: dict[str, int]) -> list[str]:
    """Sentences on files that are left out: reason -> how many."""
    return [f"{count} {'file' if count == 1 else 'files'} left out: {reason}" for reason, count in left_out.items()]
