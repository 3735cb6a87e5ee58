"""A trained detector as its checkpoint describes it: weights, classes, canvas and the thresholds of what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lit_cnn.data.normalization import normalize
from lit_cnn.detection.boxes import Detections
from lit_cnn.detection.detector import Detector
from lit_cnn.detection.detector_network import DetectorNetwork
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.thresholds import Thresholds, unchosen
from lit_cnn.run_folder.checkpoint import DETECTION, load_checkpoint, network_weights, require_task
from lit_cnn.run_folder.folder import find_checkpoint


@dataclass
class TrainedDetector:
    """What a checkpoint holds, ready to be asked.

    Args:
        network: In evaluation mode.
        class_names: K names.
        category_ids: What results call each class.
        preprocessing: From an image file to the network's input.
        thresholds: What is shown of the detections.
        name: What messages call it, such as its file.
    """

    network: DetectorNetwork
    class_names: list[str]
    category_ids: tuple[int, ...]
    preprocessing: CanvasPreprocessing
    thresholds: Thresholds
    name: str

    def show(self, score: float | None = None, nms: float | None = None) -> None:
        """Show other detections than the checkpoint says.

        Args:
            score: Least score of all classes; None keeps that of each.
            nms: Largest IoU of two boxes of a class; None keeps it.
        """
        known = self.thresholds
        scores = known.score if score is None else (score,) * len(self.class_names)
        self.thresholds = replace(known, score=scores, nms=known.nms if nms is None else nms)
        decoding = self.network.decoding
        self.network.decoding = replace(
            decoding,  # it has to leave what the thresholds may show
            score_threshold=min(decoding.score_threshold, *scores),
            nms_threshold=max(decoding.nms_threshold, self.thresholds.nms),
        )

    @torch.inference_mode()
    def detect(self, images: Tensor) -> list[Detections]:
        """What is shown in each image (N, 3, H, W) uint8 on the canvas, in its pixels; on the CPU."""
        images = images.to(next(self.network.parameters()).device)
        found = self.network.detect(normalize(images, self.preprocessing.mean, self.preprocessing.std))
        return [self.thresholds.apply(Detections(*(part.cpu() for part in each))) for each in found]


def load_detector(checkpoint: Mapping[str, Any], path: str, weights: str) -> Detector:
    """The Detector of a checkpoint, in evaluation mode, on the GPU where there is one.

    Args:
        checkpoint: As ``load_checkpoint`` read it from ``path``.
        path: The file.
        weights: "ema" for the averaged weights where they exist, or "raw".

    Raises:
        ValueError: If the checkpoint does not hold a detector, or not its weights.
    """
    detector = Detector.load_from_checkpoint(path)
    detector.network.load_state_dict(network_weights(dict(checkpoint), weights))
    return detector.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def detector_from(checkpoint: Mapping[str, Any], path: str, weights: str = "ema") -> TrainedDetector:
    """The detector of a checkpoint with what it shows; arguments and errors are those of ``load_detector``."""
    module = load_detector(checkpoint, path, weights)
    network = module.network
    assert module.class_names is not None
    chosen = module.thresholds or unchosen(len(module.class_names), network.decoding.nms_threshold)
    trained = TrainedDetector(network, module.class_names, module.category_ids, module.preprocessing, chosen, path)
    trained.show()
    return trained


def load_trained_detector(path: str | Path, weights: str = "ema") -> TrainedDetector:
    """The detector of a checkpoint file or a run folder, see ``find_checkpoint``.

    Raises:
        ValueError: If it cannot be read, or does not hold a detector.
    """
    file = find_checkpoint(path)
    checkpoint = load_checkpoint(file)
    require_task(checkpoint, DETECTION, str(file))
    return detector_from(checkpoint, str(file), weights)
