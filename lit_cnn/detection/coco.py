"""COCO: a JSON file of images, boxes and categories for each split.

The files are ``annotations/instances_train2017.json`` (or ``train.json``), with images in ``train2017/`` or
``images/train2017/``, or, as Roboflow writes them, ``train/_annotations.coco.json`` among the images. A box is left,
top, width, height. Ids of categories may have gaps: labels count the categories in the order of their ids. A category
without a box whose name is the supercategory of others is a heading, not a class; Roboflow writes one as id 0.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from lit_cnn.detection.findings import StatedBox, StatedImage, StatedSplit
from lit_cnn.detection.headers import image_size
from lit_cnn.detection.places import place_from

_ROBOFLOW = "_annotations.coco.json"
_NAME = re.compile(r"(?:instances_)?(train|val|valid|test|default)(\d{4})?\.json")
_SPLITS = {"valid": "val", "default": "train"}
"""Other names of the splits; CVAT calls its only one default."""
_KEYS = ("images", "annotations", "categories")
_MOST = 2**31
"""Pixels that the side of an image stays below; Python's JSON knows Infinity."""
_LOOKED_AT = 20
"""Images that decide in which folder all of them are."""


class CocoFile(NamedTuple):
    """The annotations of a split: their file, and where its images may be."""

    file: Path
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Coco:
    """What the files state.

    Args:
        splits: train, and val and test where they are there.
        class_names: K names in the order of their ids.
        category_ids: K ids.
        notes: sentences on what else a user should know.
    """

    splits: dict[str, StatedSplit]
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    notes: tuple[str, ...]


def coco_files(path: Path) -> dict[str, CocoFile]:
    """Split -> its file; empty where there is none.

    Raises:
        ValueError: If two files state one split.
    """
    found: dict[str, CocoFile] = {}
    for name in ("train", "valid", "val", "test"):
        if (path / name / _ROBOFLOW).is_file():
            _add(found, _SPLITS.get(name, name), CocoFile(path / name / _ROBOFLOW, (path / name,)))
    folder = path / "annotations"
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        match = _NAME.fullmatch(file.name)
        if match:
            names = [f"{match[1]}{match[2] or ''}", match[1]]
            folders = [path / inner / name for name in names for inner in ("", "images")]
            _add(found, _SPLITS.get(match[1], match[1]), CocoFile(file, (*folders, path / "images", path)))
    return found


def _add(found: dict[str, CocoFile], split: str, entry: CocoFile) -> None:
    if split in found:
        raise ValueError(
            f"{found[split].file} and {entry.file} both hold the {split} split: keep one of them in the folder"
        )
    found[split] = entry


def read_coco(path: Path, *, to_train: bool = True) -> Coco:
    """The splits as they are stated; the classes are those of the training images, or else of the first split.

    Args:
        path: the folder.
        to_train: refuse a folder without training images.

    Raises:
        ValueError: If a training split is needed and not there, or a file is not of this format; one sentence says why.
    """
    files = coco_files(path)
    if to_train and "train" not in files:
        there = ", ".join(str(entry.file.relative_to(path)) for entry in files.values())
        raise ValueError(f"{path} holds {there} but no annotations of training images; add instances_train.json")
    contents = {split: _content(entry.file) for split, entry in files.items()}
    names = {split: _categories(files[split].file, content["categories"]) for split, content in contents.items()}
    headings = _headings(contents)
    first = "train" if "train" in files else next(iter(files))
    classes = {number: name for number, name in sorted(names[first].items()) if name not in headings}
    if len(set(classes.values())) < len(classes):
        twice = next(name for name in classes.values() if list(classes.values()).count(name) > 1)
        raise ValueError(f"{files[first].file} has two categories named {twice!r}: give each its own name")
    splits = {
        split: _stated(path, files[split], contents.pop(split), names[split]) for split in tuple(contents)
    }  # each content is freed once it is read
    notes = tuple(f"the category {name!r} has no box and is the heading of others: not a class" for name in headings)
    return Coco(splits, tuple(classes.values()), tuple(classes), notes)


def _content(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not readable as JSON ({error}); export it again") from None
    if isinstance(content, dict) and "annotations" not in content and "images" in content:
        content["annotations"] = []
    if not isinstance(content, dict) or any(not isinstance(content.get(key), list) for key in _KEYS):
        raise ValueError(f"{file} is not a COCO file of boxes: it needs the lists {', '.join(_KEYS)}")
    if any(not isinstance(entry, dict) for key in _KEYS for entry in content[key]):
        raise ValueError(f"{file} is not a COCO file of boxes: the entries of {', '.join(_KEYS)} must be objects")
    return content


def _categories(file: Path, categories: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Id -> name."""
    names: dict[int, str] = {}
    for entry in categories:
        number, name = entry.get("id"), entry.get("name")
        if not isinstance(number, int) or not isinstance(name, str) or names.setdefault(number, name) != name:
            raise ValueError(f"{file}: the category {entry!r} needs an id of its own, an integer, and a name")
    return names


def _headings(contents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the categories that only head others."""
    every = [entry for content in contents.values() for entry in content["categories"]]
    above = {str(entry.get("supercategory")) for entry in every if entry.get("supercategory") != entry["name"]}
    candidates = {entry["name"] for entry in every if entry["name"] in above}
    for content in contents.values() if candidates else ():
        names = {entry["id"]: entry["name"] for entry in content["categories"]}
        used = {
            entry.get("category_id") for entry in content["annotations"] if isinstance(entry.get("category_id"), int)
        }
        candidates -= {names.get(number) for number in used}
    return sorted(candidates)


def _stated(root: Path, entry: CocoFile, content: Mapping[str, Any], names: Mapping[int, str]) -> StatedSplit:
    """One split; without any annotation it has no image."""
    stated = StatedSplit()
    if not content["annotations"]:
        return stated
    folder = _folder(entry, content["images"])
    images: dict[Any, StatedImage] = {}
    for record in content["images"]:
        number, name = record.get("id"), record.get("file_name")
        if not isinstance(number, int | str) or not isinstance(name, str):
            raise ValueError(f"{entry.file}: the image {record!r} needs an id and a file_name")
        place = place_from(name, root) if os.path.isabs(name) else (folder / name).relative_to(root).as_posix()
        if number in images:
            stated.found("doubled image", f"{place}: the id {number} is already {images[number].path}'s: left out")
            continue
        image = _image(stated, str(folder / name), place, record)
        images[number] = image
        if image.width:
            stated.images.append(image)
    for position, record in enumerate(content["annotations"], start=1):
        _add_box(stated, images, record, position, names)
    return stated


def _folder(entry: CocoFile, records: Sequence[Mapping[str, Any]]) -> Path:
    """The first folder that has one of the first images, or else the first that is there."""
    shown = [str(record.get("file_name")) for record in records[:_LOOKED_AT]]
    having = (folder for folder in entry.folders if any((folder / name).is_file() for name in shown))
    there = (folder for folder in entry.folders if folder.is_dir())
    return next(having, None) or next(there, entry.folders[-1])


def _image(stated: StatedSplit, file: str, place: str, record: Mapping[str, Any]) -> StatedImage:
    """An image; of width 0, which is not trained on, where its file is not there."""
    width, height = (record.get(side) for side in ("width", "height"))
    image = StatedImage(place, 0, 0, image_id=record["id"])
    if not os.path.isfile(file):
        stated.found("missing image", f"{place}: the image is not there: left out")
        return image
    if _is_side(width) and _is_side(height):
        image.width, image.height = int(width), int(height)
        return image
    try:
        image.width, image.height = image_size(file)
    except (ValueError, OSError) as error:
        stated.found("unreadable image", f"{place}: {error}: left out")
    return image


def _is_side(stated: Any) -> TypeGuard[float]:
    """Whether it is a number of pixels that an image can have."""
    return isinstance(stated, int | float) and 1 <= stated < _MOST


def _add_box(
    stated: StatedSplit,
    images: Mapping[Any, StatedImage],
    record: Mapping[str, Any],
    position: int,
    names: Mapping[int, str],
) -> None:
    number = record["id"] if isinstance(record.get("id"), int) else position
    owner, category, area = record.get("image_id"), record.get("category_id"), record.get("area")
    image = images.get(owner) if isinstance(owner, int | str) else None
    if image is None:
        stated.found("unknown image", f"annotation {number} is of the image {owner!r}, which is not listed: left out")
        return
    corners = _numbers(record.get("bbox"))
    if corners is None or not isinstance(category, int):
        stated.found("unreadable box", f"{image.path}, annotation {number} has no category or no bbox: left out")
        return
    left, top, width, height = corners
    name = names.get(category, f"category {category}")
    box = (left, top, left + width, top + height)
    size = float(area) if isinstance(area, int | float) and 0 <= area < _MOST**2 else float("nan")
    image.boxes.append(StatedBox(box, name, number, crowd=bool(record.get("iscrowd", 0)), area=size))


def _numbers(stated: Any) -> tuple[float, float, float, float] | None:
    """Left, top, width and height; None where they are not four numbers."""
    if not isinstance(stated, list) or len(stated) != 4 or not all(isinstance(each, int | float) for each in stated):
        return None
    try:
        left, top, width, height = map(float, stated)
    except OverflowError:  # JSON's integers have no limit
        return None
    return left, top, width, height
