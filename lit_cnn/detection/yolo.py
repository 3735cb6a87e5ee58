"""YOLO: a text file of boxes for each image, in ``labels`` where the image is in ``images``, and ``data.yaml``.

The folders are those that data.yaml states or, of a split of which it states none, ``images/train`` and
``labels/train``, or ``train/images`` and ``train/labels`` as Roboflow writes them. A line is a class, from 0,
and center x, center y, width and height as shares of the image's sides; or a class and the corners x, y of a polygon,
which becomes the box around it. An image without a label file is background.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from lit_cnn.data.sources.tree import list_images
from lit_cnn.data.summary import SPLITS
from lit_cnn.detection.findings import StatedBox, StatedImage, StatedSplit
from lit_cnn.detection.headers import image_sizes
from lit_cnn.detection.places import place_from

_SPLITS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
_BOX = 5
"""Numbers of a line with a box: its class and four."""


class _Names(NamedTuple):
    """What data.yaml says: number -> class, and whether lines hold key points behind their boxes."""

    classes: dict[int, str]
    key_points: bool


def yolo_folders(path: Path) -> dict[str, list[Path]]:
    """Split -> folders or lists of its images that are there: those that data.yaml states, or the usual ones of a split
    of which it states none; empty where no folder of labels belongs to them."""
    stated: dict[str, list[Path]] = {}
    for split, _, place in _entries(path):
        stated.setdefault(split, []).extend([] if place is None else [place])
    usual = _usual_places(path)
    whole = {} if usual else {"train": [path / "images"]}
    known = [place for each in (stated, usual, whole) for places in each.values() for place in places]
    has_labels = any(place.is_file() or (place.is_dir() and _labels_of(place).is_dir()) for place in known)
    return ({**usual, **stated} or whole) if has_labels else {}


def read_yolo(path: Path, *, to_train: bool = True) -> tuple[dict[str, StatedSplit], tuple[str, ...]]:
    """The splits train and, where they are there, val and test, as they are stated; and the names of the classes.

    Args:
        path: the folder.
        to_train: refuse a folder that lacks training images, or those for training or validation that it names.

    Raises:
        ValueError: If training images are needed and not there, or there are no names; one sentence says why.
    """
    missing = [(split, entry) for split, entry, place in _entries(path) if place is None]
    if to_train:
        _refuse_missing(path, missing)
    places = yolo_folders(path)
    if to_train and "train" not in places:
        raise ValueError(f"{path} holds no training images: add images/train, or name them in data.yaml as train")
    names = _read_names(path)
    splits = {split: _stated(path, folders, names) for split, folders in places.items()}
    for split, entry in missing:
        splits[split].found("missing image", f"{entry} of {_yaml_file(path)} is not there: left out")
    return splits, tuple(names.classes[number] for number in sorted(names.classes))


def _usual_places(path: Path) -> dict[str, list[Path]]:
    """The folders that are there, by the names that they mostly have."""
    named = {
        split: [path / below for name in names for below in (f"images/{name}", f"{name}/images")]
        for split, names in _SPLITS.items()
    }
    there = {split: [place for place in places if place.is_dir()] for split, places in named.items()}
    return {split: places for split, places in there.items() if places}


def _yaml_file(path: Path) -> Path | None:
    """data.yaml, or the only other YAML file."""
    usual = [path / "data.yaml", path / "data.yml", path / "dataset.yaml"]
    others = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else []
    return next((file for file in usual if file.is_file()), others[0] if len(others) == 1 else None)


def _yaml_content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} cannot be read as YAML ({reason}); correct it") from None
    return content if isinstance(content, dict) else {}


def _entries(path: Path) -> Iterator[tuple[str, str, Path | None]]:
    """Each entry of data.yaml: its split, its text, and the folder or list that it names, if that is there."""
    file = _yaml_file(path)
    content = {} if file is None else _yaml_content(file)
    bases = [path, *([path / str(content["path"]), Path(str(content["path"]))] if content.get("path") else [])]
    for split, names in _SPLITS.items():
        stated: Any = next((content[name] for name in names if content.get(name)), [])
        for entry in stated if isinstance(stated, list) else [stated]:
            yield split, str(entry), _place(str(entry), bases)


def _refuse_missing(path: Path, missing: Sequence[tuple[str, str]]) -> None:
    """Refuse images for training or validation that data.yaml names and that are not there, as others would be taken
    without them."""
    for split, entry in missing:
        if split != "test":
            raise ValueError(
                f"{_yaml_file(path)} names the {SPLITS[split]} images {entry}, which are not there: "
                "correct or remove the entry"
            )


def _place(entry: str, bases: Sequence[Path]) -> Path | None:
    """The folder or list of an entry; one that begins with ``..`` is often meant from the folder itself."""
    inside = str(PurePosixPath(*[part for part in PurePosixPath(entry).parts if part not in ("..", ".")]))
    candidates = [base / each for each in (entry, inside) for base in bases]
    return next((Path(os.path.normpath(place)) for place in candidates if place.exists()), None)


def _read_names(path: Path) -> _Names:
    file = _yaml_file(path)
    if file is None:
        listed = next(
            (place for place in (path / "classes.txt", path / "labels" / "classes.txt") if place.is_file()), None
        )
        if listed is None:
            raise ValueError(
                f"{path} has neither data.yaml nor classes.txt with the names of the classes; add data.yaml"
            )
        lines = [line.strip() for line in _text_lines(listed) if line.strip()]
        return _Names(_unique(listed, dict(enumerate(lines))), False)
    content = _yaml_content(file)
    names = content.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or not all(isinstance(number, int) for number in names):
        raise ValueError(f"{file} needs names, a list of the classes or their numbers with names; add it")
    if isinstance(content.get("nc"), int) and content["nc"] != len(names):
        raise ValueError(f"{file} has nc {content['nc']} but {len(names)} names; correct one of them")
    classes = _unique(file, {number: str(name) for number, name in names.items()})
    return _Names(classes, bool(content.get("kpt_shape")))


def _text_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read as UTF-8 text ({error}); save it as UTF-8") from None


def _unique(file: Path, names: dict[int, str]) -> dict[int, str]:
    twice = next((name for name in names.values() if list(names.values()).count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{file} has two classes named {twice!r}: give each its own name")
    return names


def _stated(root: Path, places: Sequence[Path], names: _Names) -> StatedSplit:
    stated = StatedSplit()
    files = [file for place in places for file in _images(stated, root, place)]
    for file, size in zip(files, image_sizes(files), strict=True):
        place = place_from(file, root)
        if not isinstance(size, tuple):
            stated.found("unreadable image", f"{place}: {size}: left out")
            continue
        image = StatedImage(place, *size)
        label = _label_of(file)
        try:
            text = label.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            text = ""
        except (OSError, UnicodeDecodeError) as error:
            stated.found("unreadable annotation", f"{label} cannot be read ({error}): {place} is left out")
            continue
        image.boxes += _boxes(stated, image, text, names)
        stated.images.append(image)
    return stated


def _images(stated: StatedSplit, root: Path, place: Path) -> Iterator[str]:
    """The images of a folder or of a list; those that are not there, and labels without an image, are findings."""
    if place.is_file():
        for line in _text_lines(place):
            file = next(
                (str(each) for each in (place.parent / line.strip(), root / line.strip()) if each.is_file()), ""
            )
            if file:
                yield os.path.normpath(file)
            elif line.strip():
                stated.found("missing image", f"{line.strip()}: the image is not there: left out")
        return
    files = list_images(place)
    yield from files
    known = {str(_label_of(file)) for file in files}
    for label in sorted(_labels_of(place).rglob("*.txt")):
        if str(label) not in known and label.name != "classes.txt":
            stated.found("missing image", f"{place_from(label, root)}: its image is not there: left out")


def _labels_of(folder: Path) -> Path:
    """Where the labels of a folder of images are: the last ``images`` of its path is ``labels`` there."""
    parts = list(folder.parts)
    if "images" not in parts:
        return folder
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return Path(*parts)


def _label_of(file: str) -> Path:
    return _labels_of(Path(file).parent) / f"{Path(file).stem}.txt"


def _boxes(stated: StatedSplit, image: StatedImage, text: str, names: _Names) -> Iterator[StatedBox]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            label, *shares = (float(word) for word in line.split())
        except ValueError:
            label, shares = 0.5, []
        if names.key_points:
            shares = shares[: _BOX - 1]
        corners = _corners(shares)
        if corners is None or not label.is_integer():
            stated.found("unreadable box", f"{image.path}, line {number} is not a class and four shares: left out")
            continue
        left, top, right, bottom = corners
        sides = image.width, image.height
        box = (left * sides[0], top * sides[1], right * sides[0], bottom * sides[1])
        yield StatedBox(box, names.classes.get(int(label), f"class {int(label)}"), number)


def _corners(shares: Sequence[float]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom as shares; None of neither a box nor a polygon."""
    if len(shares) == _BOX - 1:
        x, y, width, height = shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(shares) >= 6 and len(shares) % 2 == 0:
        xs, ys = shares[::2], shares[1::2]
        return min(xs), min(ys), max(xs), max(ys)
    return None
