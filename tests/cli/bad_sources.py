"""Folders and lists of images as people have them, which ``fit`` reads or refuses by name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bad_case import Case
from bad_recipes import recipe


def moved(*moves: tuple[str, str]) -> Callable[[Path], list[str]]:
    """Fit after folders of ``images/`` were moved within it, one after the other."""

    def arguments(folder: Path) -> list[str]:
        images = folder / "images"
        for source, target in moves:
            (images / target).parent.mkdir(parents=True, exist_ok=True)
            os.rename(images / source, images / target)
        return recipe()(folder)

    return arguments


def flat(split: str, name: str | None = None, content: str = "") -> Callable[[Path], list[str]]:
    """Fit after the images of ``val/`` were put into one folder named ``split``, and a file was written in
    ``images/``."""

    def arguments(folder: Path) -> list[str]:
        images = folder / "images"
        for label in ("cat", "dog"):
            for file in (images / "val" / label).iterdir():
                os.rename(file, images / "val" / f"{label}{file.name}")
            (images / "val" / label).rmdir()
        os.rename(images / "val", images / split)
        if name is not None:
            (images / name).write_text(content)
        return recipe()(folder)

    return arguments


def listed(content: str | bytes, *changes: tuple[str, Any], name: str = "list.csv") -> Callable[[Path], list[str]]:
    """Fit a list of the training images; ROWS stands for the eight rows of them."""

    def arguments(folder: Path) -> list[str]:
        text = content if isinstance(content, bytes) else content.replace("ROWS", ROWS).encode()
        (folder / name).write_bytes(text)
        return recipe(("data.path", f"PATH/{name}"), *changes)(folder)

    return arguments


def no_text(folder: Path) -> list[str]:
    os.rename(folder / "images" / "train" / "cat", folder / "images" / "train" / os.fsdecode(b"caf\xe9"))
    return recipe()(folder)


ROWS = "".join(f"images/train/{name}/{number}.jpg,{name}\n" for name in ("cat", "dog") for number in range(4))
LABELS = "path,label\n" + "".join(f"{name}{number}.jpg,{name}\n" for name in ("cat", "dog") for number in range(4))
SEMICOLONS = f"\ufeffpath,label\n{ROWS}".replace(",", ";").replace("\n", "\r\n")
INSIDE = (("train/cat", "cat/train"), ("train/dog", "dog/train"), ("train", ".train"), ("val", ".val"))
TWO = (("val/cat", "valid/cat"),)
CLASSES = (("train/cat", "cat"), ("train/dog", "dog"), ("train", ".train"))
TRAINS = "run folder: runs/recipe"
HUB = ("data.source", "huggingface"), ("data.path", "PATH/images/train/cat/0.jpg")
_ROWS: list[tuple[str, Callable[[Path], list[str]], str, int]] = [
    ("train/ and valid/", moved(("val", "valid")), TRAINS, 0),
    ("training_set/training_set/ and val/", moved(("train", "x"), ("x", "training_set/training_set")), TRAINS, 0),
    ("val/ next to valid/", moved(*TWO), "holds val/ and valid/, which both name the val split", 1),
    ("class folders next to val/", moved(*CLASSES), "PATH/images holds val/ next to cat/, dog/", 1),
    ("folders of splits inside class folders", moved(*INSIDE), "cat holds train/ inside one class: pass", 1),
    (
        "test/ and val/ without train/",
        moved(("train", "test")),
        "holds val/, test/ but no folder of training images",
        1,
    ),
    (
        "one folder around the class folders",
        moved(("train", "x"), ("x", "train/flowers")),
        "train/flowers as data.path",
        1,
    ),
    ("test/ without class folders", flat("test"), TRAINS, 0),
    ("val/ without class folders", flat("val"), "or put a list val.csv with the columns path and label next to it", 1),
    ("val/ without class folders, next to a list", flat("val", "val.csv", LABELS), TRAINS, 0),
    ("class name that is not UTF-8", no_text, r"caf\xe9 is not valid UTF-8; rename it", 1),
    ("list of files", listed("path,label\nROWS"), TRAINS, 0),
    ("list without a header", listed("ROWS"), TRAINS, 0),
    ("list with semicolons, a byte order mark and CRLF", listed(SEMICOLONS), TRAINS, 0),
    (
        "list of missing files",
        listed("path,label\nROWSimages/x.jpg,cat\n"),
        "1 of 9 files that PATH/list.csv lists are",
        1,
    ),
    ("list with two classes for one file", listed("path,label\nROWSimages/train/cat/0.jpg,dog\n"), "the class dog", 1),
    ("list without a class column", listed("path,age,size\nx.jpg,1,2\n"), "which do not say which is the file and", 1),
    ("list with an unknown split", listed("path,label,split\nx.jpg,cat,later\n"), "has the split 'later'", 1),
    ("list that is not UTF-8", listed(b"path,label\nx.jpg,k\xe4tzchen\n"), "line 2 of PATH/list.csv is not UTF-8", 1),
    ("list of URLs", listed("path,label\nhttps://x/y.jpg,cat\n"), "is a URL, but a list names files", 1),
    ("archive", listed(b"PK", name="images.zip"), "unpack the archive and pass the folder", 1),
    ("an image for data.source huggingface", recipe(*HUB), "is a file of another kind than .parquet, .arrow", 1),
]
SOURCES = [Case("folders and lists", name, arguments, says, code) for name, arguments, says, code in _ROWS]
