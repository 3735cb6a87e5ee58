"""Find objects with a detector that ``lit-cnn export`` wrote. Needs numpy and ONNX Runtime, and Pillow to read files.

    python onnx_detector.py bccd.onnx photo.jpg          # JSON: class, score and box of each object

    from onnx_detector import OnnxDetector
    detector = OnnxDetector("bccd.onnx")                 # reads bccd.detector.json next to it
    for box, score, label in zip(*detector.find("photo.jpg")):
        print(detector.class_names[label], score, box)   # left, top, right, bottom in pixels of the photo

The network gives raw outputs; what is before and behind them is here: the image on the canvas, boxes from anchors,
scores, and non-maximum suppression. All numbers are in the JSON file, so that another language can do the same.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LONGEST = math.log(1000 / 16)
"""Largest logarithm of a side over its anchor's."""


class Found(NamedTuple):
    """Objects, best first.

    Attributes:
        boxes: (D, 4) float32: left, top, right, bottom in pixels.
        scores: (D,) float32 in [0, 1].
        labels: (D,) int64, which count ``class_names`` from 0.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def take(self, rows: np.ndarray) -> "Found":
        """Some of them."""
        return Found(self.boxes[rows], self.scores[rows], self.labels[rows])


class Framed(NamedTuple):
    """uint8 (H, W, 3) on the canvas, its pixels per pixel of the image, (x, y) of the image's upper left corner."""

    image: np.ndarray
    scale: float
    offset: tuple[float, float]


class OnnxDetector:
    """A detector in ONNX Runtime on the CPU.

    Args:
        path: The ``.onnx`` file; its ``.detector.json`` lies next to it.
        score: Least score of all classes; None: that of each class in the JSON file.
        nms: Largest IoU of two boxes of a class; None: that of the JSON file.
        threads: Of ONNX Runtime; 0: as many as it likes.
    """

    def __init__(self, path: str | Path, score: float | None = None, nms: float | None = None, threads: int = 0):
        path = Path(path)
        self.known: dict[str, Any] = json.loads(path.with_suffix(".detector.json").read_text(encoding="utf-8"))
        self.class_names: list[str] = self.known["class_names"]
        self.canvas = (self.known["canvas"]["height"], self.known["canvas"]["width"])
        self.anchors, self.level_sizes = anchors_of(self.known["levels"])
        shown = self.known["thresholds"]
        least = shown["score"] if score is None else [score] * len(self.class_names)
        self.least, self.nms = np.array(least, np.float32), shown["nms"] if nms is None else nms
        self.kept = dict(self.known["decoding"])  # has to leave what the thresholds may show
        self.kept["score_threshold"] = min(self.kept["score_threshold"], *least)
        self.kept["nms_threshold"] = max(self.kept["nms_threshold"], self.nms)
        self.session = _session(path, threads)
        regions = self.known["regions"]
        self.regions: Any = None if regions is None else _session(path.with_name(regions["file"]), threads)

    def find(self, image: Any) -> Found:
        """Objects in an image, in its pixels.

        Args:
            image: A file, or upright RGB pixels, uint8 (height, width, 3).
        """
        pixels = np.asarray(image) if isinstance(image, np.ndarray) else read(image, self.known["canvas"])
        framed = self.frame(pixels)
        (found,) = self.detect(framed.image[None])
        return in_pixels_of_the_file(found, framed, pixels.shape[0], pixels.shape[1])

    def frame(self, pixels: np.ndarray) -> Framed:
        """Fit uint8 (height, width, 3) into the upper left of the canvas, with its aspect ratio."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"RGB pixels, uint8 (height, width, 3), are expected, got {pixels.dtype} {pixels.shape}")
        height, width = pixels.shape[:2]
        scale = min(self.canvas[0] / height, self.canvas[1] / width)
        rows, columns = max(round(height * scale), 1), max(round(width * scale), 1)
        canvas = np.empty((*self.canvas, 3), np.uint8)
        canvas[:] = self.known["canvas"]["fill"]
        canvas[:rows, :columns] = resized(pixels, rows, columns)[: self.canvas[0], : self.canvas[1]]
        return Framed(canvas, scale, ((columns - width * scale) / 2, (rows - height * scale) / 2))

    def detect(self, canvases: np.ndarray) -> list[Found]:
        """Objects in each of uint8 (N, H, W, 3) on the canvas, in its pixels: what the thresholds show."""
        raw = self.raw(canvases)
        decode = self._dense if self.regions is None else self._two_stages
        found = [decode(raw, row) for row in range(len(canvases))]
        shown = [each.take(each.scores >= self.least[each.labels]) for each in found]
        return [each.take(suppress(each.boxes, each.scores, each.labels, self.nms)) for each in shown]

    def raw(self, canvases: np.ndarray) -> dict[str, np.ndarray]:
        """The network's outputs by name, of uint8 (N, H, W, 3)."""
        stated, images = self.known["input"], canvases
        if stated["dtype"] == "float32":
            mean, std = (np.array(self.known["normalize"][name], np.float32) for name in ("mean", "std"))
            images = ((canvases / np.float32(255) - mean) / std).transpose(0, 3, 1, 2)
        size = stated["shape"][0] if isinstance(stated["shape"][0], int) else len(images)
        names, parts = [output.name for output in self.session.get_outputs()], []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            whole = np.concatenate([part, np.repeat(part[:1], size - len(part), 0)])  # a fixed batch is filled up
            outputs = self.session.run(names, {stated["name"]: np.ascontiguousarray(whole)})
            parts.append([output[: len(part)] for output in outputs])
        return {name: np.concatenate(arrays) for name, arrays in zip(names, zip(*parts, strict=True), strict=True)}

    def _dense(self, raw: dict[str, np.ndarray], row: int) -> Found:
        """FCOS, RetinaNet and SSD: a class and a box at every anchor."""
        logits, coded = raw["logits"][row], raw["regression"][row]
        scores = softmax(logits) if self.known["scores"] == "softmax" else sigmoid(logits)
        if "centerness" in raw:
            scores = np.sqrt(scores * sigmoid(raw["centerness"][row]))
        scores = scores[:, self.known["first_label"] :]
        if self.known["boxes"]["code"] == "distances":
            boxes = from_distances(coded, self.anchors)
        else:
            boxes = from_centers(coded, self.anchors, self.known["boxes"]["weights"])
        ends = np.cumsum(self.level_sizes)[:-1]
        return self._selected(list(zip(np.split(scores, ends), np.split(boxes, ends), strict=True)))

    def _two_stages(self, raw: dict[str, np.ndarray], row: int) -> Found:
        """Faster R-CNN: where an object may be, then what it is."""
        settings, maps = self.known["regions"], {name: raw[name][row : row + 1] for name in raw if name[:3] == "map"}
        proposals = self._proposals(raw["objectness"][row], raw["regression"][row])
        if not len(proposals):
            return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
        inputs = {"boxes": proposals, "levels": self._levels_of(proposals), **maps}
        logits, coded = self.regions.run(["logits", "coded"], inputs)
        boxes = clip(from_centers(coded, proposals[:, None], settings["weights"]), self.canvas)
        scores = softmax(logits) * ((boxes[..., 2:] - boxes[..., :2]).min(2) >= settings["smallest"])
        return self._selected([(scores[:, 1:], boxes[:, 1:])])  # without the background

    def _proposals(self, objectness: np.ndarray, coded: np.ndarray) -> np.ndarray:
        """(P, 4) float32 in pixels of the canvas, best first."""
        settings, start, kept, level_of = self.known["proposals"], 0, [], []
        for level, size in enumerate(self.level_sizes):
            kept.append(start + best(objectness[start : start + size], settings["number"]))
            level_of.append(np.full(len(kept[-1]), level))
            start += size
        rows, levels = np.concatenate(kept), np.concatenate(level_of)
        boxes = clip(from_centers(coded[rows], self.anchors[rows], settings["weights"]), self.canvas)
        large = ((boxes[:, 2:] - boxes[:, :2]) >= settings["smallest"]).all(1)
        boxes, rows, levels = boxes[large], rows[large], levels[large]
        keep = suppress(boxes, sigmoid(objectness[rows]), levels, settings["nms_threshold"])
        return boxes[keep[: settings["number"]]]

    def _levels_of(self, proposals: np.ndarray) -> np.ndarray:
        """(P,) int64: the map that each is read from, by its size."""
        settings = self.known["regions"]
        side = np.sqrt((proposals[:, 2] - proposals[:, 0]) * (proposals[:, 3] - proposals[:, 1]))
        level = np.floor(settings["level"] + np.log2(side / np.float32(settings["side"])) + np.float32(1e-6))
        first, last = settings["levels"]
        return np.clip(level, first, last).astype(np.int64) - first

    def _selected(self, levels: list[tuple[np.ndarray, np.ndarray]]) -> Found:
        """Of scores (A, K) and boxes (A, 4) or (A, K, 4) of each level those that are kept."""
        parts = []
        for scores, boxes in levels:
            flat = scores.ravel()
            above = np.flatnonzero(flat > np.float32(self.kept["score_threshold"]))
            pairs = above[best(flat[above], self.kept["candidates"])]
            rows, labels = np.divmod(pairs, scores.shape[1])
            parts.append((boxes[rows] if boxes.ndim == 2 else boxes[rows, labels], flat[pairs], labels))
        found = Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        found = found._replace(boxes=clip(found.boxes, self.canvas))
        keep = suppress(found.boxes, found.scores, found.labels, self.kept["nms_threshold"])
        return found.take(keep[: self.kept["max_detections"]])


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors alone
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def read(file: Any, canvas: dict[str, Any]) -> np.ndarray:
    """A file as upright RGB pixels, uint8 (height, width, 3), its transparent ones over the background."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(Image.open(file))
    if canvas["background"] is not None and image.has_transparency_data:
        behind = Image.new("RGBA", image.size, tuple(canvas["background"]))
        image = Image.alpha_composite(behind, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 (h, w, 3) by an antialiased bilinear filter: width first, then height, each rounded to whole levels."""
    for axis, side in ((1, width), (0, height)):
        if pixels.shape[axis] == side:
            continue
        places, weights = _taps(pixels.shape[axis], side)
        shape = [1, 1, 1]
        shape[axis] = side
        total: Any = np.float32(0)
        for place, weight in zip(places.T, weights.T, strict=True):
            total = total + pixels.take(place, axis) * weight.reshape(shape)
        pixels = np.clip(np.floor(total + np.float32(0.5)), 0, 255).astype(np.uint8)
    return pixels


def _taps(length: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(side, T) the pixels that each new one is made of, and float32 how much each of them counts."""
    scale = length / side
    support = max(scale, 1.0)
    centers = (np.arange(side) + 0.5) * scale
    first = np.maximum((centers - support + 0.5).astype(int), 0)
    places = first[:, None] + np.arange(2 * math.ceil(support) + 1)
    weights = np.maximum(1 - np.abs(places + 0.5 - centers[:, None]) / support, 0) * (places < length)
    weights /= weights.sum(1, keepdims=True)
    return np.minimum(places, length - 1), weights.astype(np.float32)


def anchors_of(levels: list[dict[str, Any]]) -> tuple[np.ndarray, list[int]]:
    """(A, 4) float32 of all levels in pixels of the canvas, row by row of each map, and the number of each level."""
    parts = []
    for level in levels:
        (rows, columns), (down, right) = level["grid"], level["step"]
        y, x = np.meshgrid(np.arange(rows) * down, np.arange(columns) * right, indexing="ij")
        moves = np.stack([x, y, x, y], 2).reshape(-1, 1, 4)
        parts.append((moves + np.array(level["cells"])[None]).reshape(-1, 4).astype(np.float32))
    return np.concatenate(parts), [len(part) for part in parts]


def from_centers(coded: np.ndarray, anchors: np.ndarray, weights: list[float]) -> np.ndarray:
    """Boxes (..., 4) from codes (..., 4): moves of the center in sides of the anchor, logarithms of the sides."""
    sides = anchors[..., 2:] - anchors[..., :2]
    centers = anchors[..., :2] + np.float32(0.5) * sides
    scaled = coded / np.array(weights, np.float32)
    middle = scaled[..., :2] * sides + centers
    half = np.float32(0.5) * np.exp(np.minimum(scaled[..., 2:], np.float32(LONGEST))) * sides
    return np.concatenate([middle - half, middle + half], -1)


def from_distances(coded: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Boxes (A, 4) from the distances of the anchor's center to the four sides, in sides of the anchor."""
    sides = anchors[:, 2:] - anchors[:, :2]
    centers = np.float32(0.5) * (anchors[:, :2] + anchors[:, 2:])
    return np.concatenate([centers - coded[:, :2] * sides, centers + coded[:, 2:] * sides], 1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))  # beyond, float32 overflows and the score is 0 or 1 anyhow


def softmax(x: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def best(values: np.ndarray, number: int) -> np.ndarray:
    """Places of the ``number`` largest, falling."""
    return np.argsort(-values, kind="stable")[:number]


def clip(boxes: np.ndarray, sides: tuple[float, float]) -> np.ndarray:
    """Boxes (..., 4) cut to [0, width] x [0, height]."""
    return np.clip(boxes, 0, np.array([sides[1], sides[0]] * 2, np.float32))


def suppress(boxes: np.ndarray, scores: np.ndarray, groups: np.ndarray, most: float) -> np.ndarray:
    """Places, by falling score, of the boxes that overlap no better one of their group by an IoU above ``most``."""
    order, kept = np.argsort(-scores, kind="stable"), []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        corners = np.maximum(boxes[first, :2], boxes[rest, :2]), np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.maximum(corners[1] - corners[0], 0).prod(1)
        overlaps = shared > np.float32(most) * (areas[first] + areas[rest] - shared)
        order = rest[~(overlaps & (groups[rest] == groups[first]))]
    return np.array(kept, np.int64)


def in_pixels_of_the_file(found: Found, framed: Framed, height: int, width: int) -> Found:
    """Boxes on the canvas in pixels of the image, without those that lie outside of it."""
    moved = (found.boxes - np.array(framed.offset * 2, np.float32)) / np.float32(framed.scale)
    boxes = clip(moved, (height, width))
    return found._replace(boxes=boxes).take(((boxes[:, 2:] - boxes[:, :2]) > 0).all(1))


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        sys.stderr.write(f"usage: python {Path(__file__).name} DETECTOR.onnx IMAGE…\n")
        return 2
    detector = OnnxDetector(arguments[0])
    for file in arguments[1:]:
        objects = [
            {"class": detector.class_names[label], "score": float(score), "box": [float(side) for side in box]}
            for box, score, label in zip(*detector.find(file), strict=True)
        ]
        sys.stdout.write(json.dumps({"file": file, "objects": objects}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
