"""Pascal VOC: ``Annotations/`` of one XML file per image, ``JPEGImages/``, and lists of names in ``ImageSets/Main/``.

A folder may hold several of these, such as VOC2007 and VOC2012 in VOCdevkit, whose images are taken together. Without
lists every annotated image is for training, and each other is named. A list may state the images' endings or, as the
development kit's lists of a class, a number behind each name, which is not read. Coordinates count pixels from 1 and
include the last, so that 1 is taken from left and top (Everingham et al., development kit). What classes there are is
not stated anywhere: they are the names in the annotations of all splits, sorted.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from xml.etree import ElementTree

from lit_cnn.data.sources.extensions import is_image, is_system
from lit_cnn.data.sources.tree import refuse, subfolders
from lit_cnn.detection.findings import StatedBox, StatedImage, StatedSplit
from lit_cnn.detection.headers import image_size

ANNOTATIONS, IMAGES = "Annotations", "JPEGImages"
_LISTS = ("train", "val", "test", "trainval")
_PRESENCE = ("1", "0", "-1")
"""What the development kit's lists of a class state of each image: an object is in it, a difficult one, none."""


@dataclass(eq=False)
class _Year:
    """One folder of ``Annotations`` and ``JPEGImages``.

    Args:
        folder: it.
        prefix: its path below the root, with a slash, or nothing.
        images: name without ending -> file in ``JPEGImages``.
        lists: split -> names without ending.
    """

    folder: Path
    prefix: str
    images: dict[str, str]
    lists: dict[str, list[str]] = field(default_factory=dict)


def voc_folders(path: Path) -> list[Path]:
    """The folders of Pascal VOC in ``path``: itself, or those in it or in its VOCdevkit; empty where there is none."""
    for places in ([path], _inside(path), _inside(path / "VOCdevkit")):
        found = [place for place in places if (place / ANNOTATIONS).is_dir() and (place / IMAGES).is_dir()]
        if found:
            return found
    return []


def read_voc(path: Path, *, to_train: bool = True) -> dict[str, StatedSplit]:
    """The splits train and, where they are there, val and test, as they are stated.

    Args:
        path: the folder.
        to_train: refuse lists without training images.

    Raises:
        ValueError: If training images are needed and no list names them, or a folder or list cannot be read.
    """
    years = [_year(path, folder) for folder in voc_folders(path)]
    splits: dict[str, StatedSplit] = {}
    for split in ("train", "val", "test"):
        listed = [(year, name) for year in years for name in year.lists.get(split, ())]
        if not listed:
            continue
        stated = StatedSplit()
        for year, name in listed:
            _add(stated, year, name)
        splits[split] = stated
    if to_train and "train" not in splits:
        raise ValueError(f"{path} holds no training images: ImageSets/Main/train.txt or trainval.txt must name them")
    return splits


def _inside(path: Path) -> list[Path]:
    return subfolders(path) if path.is_dir() else []


def _year(root: Path, folder: Path) -> _Year:
    prefix = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
    images = {name.rpartition(".")[0]: name for name in _files(folder / IMAGES) if is_image(name)}
    year = _Year(folder, prefix, images)
    lists = {name: folder / "ImageSets" / "Main" / f"{name}.txt" for name in _LISTS}
    named = {name: _names(file, images) for name, file in lists.items() if file.is_file()}
    if not named:
        annotated = {name[:-4] for name in _files(folder / ANNOTATIONS) if name.endswith(".xml")}
        year.lists["train"] = sorted(annotated | images.keys())  # an image without annotation is named, too
        return year
    if "train" not in named and "trainval" in named:
        val = set(named.get("val", ()))
        named["train"] = [name for name in named["trainval"] if name not in val]
    year.lists = {name: named[name] for name in ("train", "val", "test") if named.get(name)}
    return year


def _files(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not is_system(entry.name) and not entry.is_dir())
    except OSError as error:
        refuse(error)


def _names(file: Path, images: Mapping[str, str]) -> list[str]:
    """The names in a list, one on each line, as ``images`` has them: without ending."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the list {file} cannot be read ({error}); save it as UTF-8 text") from None
    return [_name(line.strip(), images) for line in lines if line.strip()]


def _name(entry: str, images: Mapping[str, str]) -> str:
    words = entry.rsplit(maxsplit=1)
    if entry not in images and words[-1] in _PRESENCE:
        entry = words[0]
    stem = entry.rpartition(".")[0]
    return stem if images.get(stem) == entry else entry


def _add(stated: StatedSplit, year: _Year, name: str) -> None:
    """One listed image, or why it is left out."""
    file = f"{year.prefix}{ANNOTATIONS}/{name}.xml"
    image = year.images.get(name)
    place = f"{year.prefix}{IMAGES}/{image or name}"
    if image is None:
        stated.found("missing image", f"{place}: the image is not there: left out")
        return
    try:
        tree = ElementTree.parse(year.folder / ANNOTATIONS / f"{name}.xml").getroot()
    except FileNotFoundError:
        stated.found("missing annotation", f"{place}: its {file} is not there: left out")
        return
    except (ElementTree.ParseError, OSError, ValueError) as error:
        stated.found("unreadable annotation", f"{file} cannot be read ({error}): {place} is left out")
        return
    try:
        width, height = _size(tree) or image_size(str(year.folder / IMAGES / image))
    except (ValueError, OSError) as error:
        stated.found("unreadable image", f"{place}: {error}: left out")
        return
    boxes = []
    for number, entry in enumerate(tree.iterfind("object"), start=1):
        box = _box(entry, number)
        if box is None:
            stated.found("unreadable box", f"{place}, object {number} has no name or no four numbers: left out")
        else:
            boxes.append(box)
    stated.images.append(StatedImage(place, width, height, boxes))


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    """Width and height where they are stated and positive."""
    width, height = (_number(tree.findtext(f"size/{side}")) or 0 for side in ("width", "height"))
    return (int(width), int(height)) if 1 <= width < inf and 1 <= height < inf else None


def _box(entry: ElementTree.Element, number: int) -> StatedBox | None:
    name, box = (entry.findtext("name") or "").strip(), entry.find("bndbox")
    corners = [None if box is None else _number(box.findtext(each)) for each in ("xmin", "ymin", "xmax", "ymax")]
    left, top, right, bottom = corners
    if not name or left is None or top is None or right is None or bottom is None:
        return None
    difficult = (entry.findtext("difficult") or "").strip() == "1"
    return StatedBox((left - 1, top - 1, right, bottom), name, number, difficult)


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
