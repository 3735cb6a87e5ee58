"""What ``onnx_detector.py`` has to know of a detector: everything before and behind its network, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_cnn.detection.dense_head import DenseHead
from lit_cnn.detection.faster_rcnn import FasterRCNN
from lit_cnn.detection.fcos import FCOSHead
from lit_cnn.detection.networks import DenseDetector
from lit_cnn.detection.pyramid import Pyramid
from lit_cnn.detection.region_head import SMALLEST
from lit_cnn.detection.ssd import SSDHead
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.onnx_detector import anchors_of
from lit_cnn.exporting.preprocessed import INPUT

FORMAT = 1
"""Of the JSON file."""
MISPLACED = 1e-3
"""Pixels by which an anchor may differ from the network's."""


def describe_objects(trained: TrainedDetector, form: GraphForm, regions: str) -> dict[str, Any]:
    """The content of a detector's JSON file.

    Args:
        trained: The detector.
        form: What its graph takes.
        regions: Name of the file of Faster R-CNN's second stage.

    Raises:
        ValueError: If its anchors do not repeat from position to position.
    """
    network, known = trained.network, trained.preprocessing
    height, width = known.canvas
    described = {
        "format": FORMAT,
        "class_names": trained.class_names,
        "category_ids": list(trained.category_ids),
        "canvas": {"height": height, "width": width, "fill": list(known.fill), "background": known.background},
        "normalize": {"mean": list(known.mean), "std": list(known.std), "in_the_graph": form.with_preprocessing},
        "input": input_of(trained, form),
        **(_two_stages(network, regions) if isinstance(network, FasterRCNN) else _dense(network)),
        "decoding": asdict(network.decoding),
        "thresholds": trained.thresholds.as_dict(),
    }
    stored: dict[str, Any] = json.loads(json.dumps(described))
    return stored


def input_of(trained: TrainedDetector, form: GraphForm) -> dict[str, Any]:
    """Name, type and shape of the graph's input."""
    (height, width), batch = trained.preprocessing.canvas, form.batch or "batch"
    if form.with_preprocessing:
        return {"name": INPUT, "dtype": "uint8", "shape": [batch, height, width, 3]}
    return {"name": INPUT, "dtype": "float32", "shape": [batch, 3, height, width]}


def write_description(path: Path, described: dict[str, Any]) -> None:
    """Write it, a key in each line."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in described.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def _dense(network: Any) -> dict[str, Any]:
    assert isinstance(network, DenseDetector)
    head = network.head
    return {
        "levels": levels_of(head.anchors, network.pyramid.grids(network.canvas)),
        "scores": "softmax" if isinstance(head, SSDHead) else "sigmoid",
        "first_label": head.first_label,
        "boxes": _code_of(head),
        "proposals": None,
        "regions": None,
    }


def _code_of(head: DenseHead) -> dict[str, Any]:
    """How a box is written at its anchor."""
    if isinstance(head, FCOSHead):
        return {"code": "distances"}
    return {"code": "center_size", "weights": list(head.box_coder.weights)}  # type: ignore[union-attr,arg-type]


def _two_stages(network: FasterRCNN, regions: str) -> dict[str, Any]:
    settings, pool = network.settings, network.regions.pool
    scales = scales_of(network)
    finest, coarsest = (round(-float(np.log2(scale))) for scale in (scales[0], scales[-1]))
    return {
        "levels": levels_of(network.rpn.anchors, network.pyramid.grids(network.canvas)),
        "scores": "softmax",
        "first_label": network.first_label,
        "boxes": None,
        "proposals": {
            "number": settings.proposals,
            "nms_threshold": settings.proposal_nms_threshold,
            "smallest": network.rpn.min_size,
            "weights": list(network.rpn.box_coder.weights),
        },
        "regions": {
            "file": regions,
            "levels": [finest, coarsest],
            "level": pool.canonical_level,
            "side": pool.canonical_scale,
            "smallest": SMALLEST,
            "weights": list(network.regions.box_coder.weights),
        },
    }


@torch.no_grad()
def scales_of(network: FasterRCNN) -> list[float]:
    """Positions of each map that the second stage reads per pixel of the canvas, as its pooling layer finds them."""
    regions, pyramid = network.regions, network.pyramid
    assert isinstance(pyramid, Pyramid)
    if regions.pool.scales is None:  # found at the first pass
        like = next(network.parameters())
        grids = pyramid.grids(network.canvas)[: len(regions.names)]
        maps = [like.new_zeros(1, pyramid.width, *grid) for grid in grids]
        regions(maps, [like.new_tensor([[0.0, 0, 8, 8]])])
    assert regions.pool.scales is not None
    return list(regions.pool.scales)


def levels_of(anchors: Any, grids: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """Each map's grid (height, width), its step (down, right) in pixels of the canvas, and the boxes of its first
    position, from which ``anchors_of`` makes all.

    Raises:
        ValueError: If it does not.
    """
    boxes = anchors.boxes(list(grids), torch.device("cpu"))
    levels = [_level(part.double(), grid) for part, grid in zip(boxes, grids, strict=True)]
    apart = float(np.abs(anchors_of(levels)[0] - torch.cat(boxes).numpy()).max())
    if not apart <= MISPLACED:
        raise ValueError(f"the detector's anchors do not repeat from position to position: {apart:.2g} px apart")
    return levels


def _level(boxes: Tensor, grid: tuple[int, int]) -> dict[str, Any]:
    rows, columns = grid
    placed = boxes.view(rows, columns, -1, 4)
    down = (placed[-1, 0, 0, 1] - placed[0, 0, 0, 1]).item() / max(rows - 1, 1)
    right = (placed[0, -1, 0, 0] - placed[0, 0, 0, 0]).item() / max(columns - 1, 1)
    return {"grid": [rows, columns], "step": [down, right], "cells": placed[0, 0].tolist()}
