"""The same few painted images in every layout of annotations, for the tests of detection."""

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLORS = {"cat": (220, 40, 40), "dog": (40, 200, 60)}
"""Class -> what its rectangles are painted in."""
NAMES = tuple(COLORS)
IDS = {"cat": 3, "dog": 7}
"""Class -> COCO's id, with gaps."""
Box = tuple[str, int, int, int, int]


@dataclass
class Tiny:
    """An image and its boxes: class, left, top, right, bottom in pixels, as (0, 0, width, height) is around all."""

    name: str
    width: int = 64
    height: int = 48
    boxes: list[Box] = field(default_factory=list)


def tiny_images(count: int, prefix: str) -> list[Tiny]:
    """Images of one to three boxes that do not overlap, the last without any where there are three or more."""
    images = []
    for number in range(count):
        left, top = 3 + number % 5, 4 + number % 3
        boxes = [
            ("cat", left, top, left + 14, top + 12),
            ("dog", left + 20, top + 5, left + 32, top + 30),
            ("cat", left + 38, top + 2, left + 50, top + 20),
        ][: 1 + number % 3]
        images.append(Tiny(f"{prefix}{number:02d}", boxes=[] if count > 2 and number == count - 1 else boxes))
    return images


def tiny_splits(train: int = 6, val: int = 3, test: int = 2) -> dict[str, list[Tiny]]:
    """Split -> its images; a split of none is not there."""
    counts = {"train": train, "val": val, "test": test}
    return {name: tiny_images(count, f"{name}_") for name, count in counts.items() if count}


def paint(image: Tiny, file: Path) -> None:
    """Write the image: its boxes in the colors of their classes on a gray of its own."""
    gray = 100 + zlib.crc32(image.name.encode()) % 80
    picture = Image.new("RGB", (image.width, image.height), (gray, gray, gray))
    for name, left, top, right, bottom in image.boxes:
        ImageDraw.Draw(picture).rectangle((left, top, right - 1, bottom - 1), COLORS.get(name, (0, 0, 255)))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)


def voc_xml(image: Tiny, *, difficult: int = 0, size: bool = True) -> str:
    """Pascal VOC's annotation of an image, whose first pixel is 1 and whose last is included."""
    objects = "".join(
        f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{left + 1}</xmin>"
        f"<ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
        for name, left, top, right, bottom in image.boxes
    )
    sides = f"<size><width>{image.width}</width><height>{image.height}</height><depth>3</depth></size>" if size else ""
    return f"<annotation><filename>{image.name}.png</filename>{sides}{objects}</annotation>"


def write_voc(root: Path, splits: dict[str, list[Tiny]] | None = None, *, lists: bool = True) -> Path:
    """Annotations/, JPEGImages/ and ImageSets/Main/ of Pascal VOC."""
    for split, images in (tiny_splits() if splits is None else splits).items():
        for image in images:
            paint(image, root / "JPEGImages" / f"{image.name}.png")
            file = root / "Annotations" / f"{image.name}.xml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(voc_xml(image))
        if lists:
            file = root / "ImageSets" / "Main" / f"{split}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{image.name}\n" for image in images))
    return root


def coco_content(images: list[Tiny]) -> dict[str, list[dict]]:
    """What COCO's file of a split holds."""
    records = [
        {"id": 100 + 3 * number, "file_name": f"{image.name}.png", "width": image.width, "height": image.height}
        for number, image in enumerate(images)
    ]
    boxes = [(100 + 3 * number, box) for number, image in enumerate(images) for box in image.boxes]
    annotations = [
        {
            "id": 1000 + number,
            "image_id": owner,
            "category_id": IDS.get(name, 99),
            "bbox": [left, top, right - left, bottom - top],
            "area": (right - left) * (bottom - top),
            "iscrowd": 0,
        }
        for number, (owner, (name, left, top, right, bottom)) in enumerate(boxes)
    ]
    categories = [{"id": number, "name": name, "supercategory": "animal"} for name, number in IDS.items()]
    return {"images": records, "annotations": annotations, "categories": categories}


def write_coco(root: Path, splits: dict[str, list[Tiny]] | None = None) -> Path:
    """annotations/instances_train2017.json and train2017/, and so on."""
    for split, images in (tiny_splits() if splits is None else splits).items():
        for image in images:
            paint(image, root / f"{split}2017" / f"{image.name}.png")
        write_json(root / "annotations" / f"instances_{split}2017.json", coco_content(images))
    return root


def write_roboflow(root: Path, splits: dict[str, list[Tiny]] | None = None) -> Path:
    """train/_annotations.coco.json among the images, valid/ and test/, with a heading as category 0."""
    for split, images in (tiny_splits() if splits is None else splits).items():
        folder = root / ("valid" if split == "val" else split)
        for image in images:
            paint(image, folder / f"{image.name}.png")
        content = coco_content(images)
        content["categories"].insert(0, {"id": 0, "name": "animal", "supercategory": "none"})
        write_json(folder / "_annotations.coco.json", content)
    return root


def write_json(file: Path, content: object) -> None:
    """Write a JSON file, making its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def yolo_text(image: Tiny) -> str:
    """The lines of YOLO's labels of an image."""
    return "".join(
        f"{NAMES.index(name)} {(left + right) / 2 / image.width!r} {(top + bottom) / 2 / image.height!r} "
        f"{(right - left) / image.width!r} {(bottom - top) / image.height!r}\n"
        for name, left, top, right, bottom in image.boxes
    )


def write_yolo(root: Path, splits: dict[str, list[Tiny]] | None = None, *, inside: bool = False) -> Path:
    """images/train, labels/train and data.yaml, or with ``inside`` train/images and train/labels; images without boxes
    have no file of labels."""
    splits = tiny_splits() if splits is None else splits
    for split, images in splits.items():
        pictures, labels = (root / split / kind if inside else root / kind / split for kind in ("images", "labels"))
        labels.mkdir(parents=True, exist_ok=True)
        for image in images:
            paint(image, pictures / f"{image.name}.png")
            if image.boxes:
                (labels / f"{image.name}.txt").write_text(yolo_text(image))
    places = {split: f"../{split}/images" if inside else f"images/{split}" for split in splits}
    write_json(root / "data.yaml", {**places, "nc": len(NAMES), "names": list(NAMES)})  # JSON is YAML
    return root


WRITERS = {"voc": write_voc, "coco": write_coco, "roboflow": write_roboflow, "yolo": write_yolo}
"""Name -> what writes the folder of a layout."""
LAYOUT_OF = {"voc": "voc", "coco": "coco", "roboflow": "coco", "yolo": "yolo"}


def boxes_of(image: Tiny) -> np.ndarray:
    """(M, 4) float32."""
    return np.array([box[1:] for box in image.boxes], dtype=np.float32).reshape(-1, 4)
