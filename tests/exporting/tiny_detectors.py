"""Untrained detectors whose heads say something else at every place, and the exporter's graphs in torch."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.faster_rcnn import FasterRCNN
from lit_cnn.detection.networks import create_detector
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.pyramid import PyramidSettings
from lit_cnn.detection.thresholds import Thresholds
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting.detector_description import describe_objects, scales_of, write_description
from lit_cnn.exporting.detector_graph import Normalized, RawOutputs, RegionOutputs, output_names
from lit_cnn.exporting.graph import GraphForm

CANVAS = (64, 96)
PYRAMIDS = {"faster_rcnn": PyramidSettings(width=32, strides=(4, 8, 16, 32), top="pool")}
KEPT = DecodingSettings(score_threshold=0.02, nms_threshold=0.5, max_detections=30)


@torch.no_grad()
def untrained_detector(
    kind: str, architecture: str = "resnet18", options: NetworkOptions = NetworkOptions(width_multiplier=0.125)
) -> TrainedDetector:
    """A detector of three classes on a canvas of 64 x 96 pixels, with thresholds of its own for each class."""
    torch.manual_seed(0)
    pyramid = PYRAMIDS.get(kind, PyramidSettings(width=32))
    network = create_detector(kind, architecture, 3, CANVAS, options, pyramid=pyramid, decoding=KEPT)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    network.train().maps(torch.randn(8, 3, *CANVAS))  # statistics of what comes through
    loudness = 1.1 if kind == "retinanet" else 0.4
    for name, parameter in network.named_parameters():
        if not name.startswith("pyramid") and parameter.dim() > 1:
            nn.init.normal_(parameter, std=loudness / math.sqrt(parameter[0].numel()))
    known = CanvasPreprocessing(CANVAS, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3), (100, 110, 120))
    shown = Thresholds((0.03, 0.05, 0.1), 0.4, "val, 7 images")
    trained = TrainedDetector(network.eval(), ["cat", "dog", "owl"], (18, 21, 30), known, shown, "no file")
    trained.show()
    return trained


class TorchSession:
    """As ONNX Runtime's, of a module that takes and gives tensors by these names."""

    def __init__(self, module: nn.Module, inputs: list[str], outputs: list[str]) -> None:
        self.module, self.inputs, self.outputs = module, inputs, outputs

    def get_outputs(self) -> list[Any]:
        return [type("Output", (), {"name": name}) for name in self.outputs]

    @torch.inference_mode()
    def run(self, names: list[str], given: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert names == self.outputs
        assert list(given) == self.inputs
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in given.values()]
        if len(tensors) > 1:  # boxes, levels, and the maps as one list
            tensors = [*tensors[:2], tensors[2:]]  # type: ignore[list-item]
        return [part.numpy() for part in self.module(*tensors)]


def described(trained: TrainedDetector, folder: Path, form: GraphForm = GraphForm()) -> tuple[Path, dict[str, Any]]:
    """The path of a graph that is not written, its JSON file being there, and a session of torch for each file."""
    path = folder / "net.onnx"
    write_description(path.with_suffix(".detector.json"), describe_objects(trained, form, "net.regions.onnx"))
    network, names = trained.network, output_names(trained.network)
    raw: nn.Module = RawOutputs(network)
    sessions = {
        path.name: TorchSession(
            Normalized(raw, trained.preprocessing) if form.with_preprocessing else raw, ["images"], names
        )
    }
    if isinstance(network, FasterRCNN):
        second = RegionOutputs(network.regions, scales_of(network))
        sessions["net.regions.onnx"] = TorchSession(second, ["boxes", "levels", *names[2:]], ["logits", "coded"])
    return path, sessions
