"""A trained detector as files that find its objects without torch, verified before they take their names."""

import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from lit_cnn.evaluation.image_files import find_images
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Advance
from lit_cnn.evaluation.predict import file_images
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting.detector_file import files_of, write_detector
from lit_cnn.exporting.detector_verifying import DetectorVerification, least_score, verify_detector
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.latency import interleaved
from lit_cnn.exporting.onnx_detector import OnnxDetector
from lit_cnn.exporting.real_images import RealImages


@dataclass(frozen=True)
class ExportedDetector:
    """Files that were written.

    Attributes:
        files: The graph, Faster R-CNN's second one, the JSON file, the program.
        verification: Against the checkpoint's detector.
        network_ms: Milliseconds from one image on the canvas to the boxes shown, by the network; a median.
        file_ms: By the files.
    """

    files: tuple[Path, ...]
    verification: DetectorVerification
    network_ms: float
    file_ms: float


def export_detector(
    trained: TrainedDetector,
    path: Path,
    form: GraphForm,
    images: RealImages,
    *,
    recipe: dict[str, Any] | None = None,
    license: str | None = None,
    advance: Advance = lambda _: None,
) -> ExportedDetector:
    """Write a detector and compare it with the checkpoint's; where they disagree, no file is left.

    Args:
        trained: On the CPU.
        path: Of the graph, ending in ``.onnx``; the other files lie next to it.
        form: What the graph takes (see ``write_detector``).
        images: Real ones.
        recipe: What it was trained with, for the metadata.
        license: Of the weights, for the metadata.
        advance: Called as images are compared.

    Raises:
        ValueError: If it cannot be written, or its raw outputs or its boxes are others.
    """
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}.") as folder:
        partial = Path(folder) / path.name
        write_detector(trained, partial, form, recipe=recipe, license=license)
        threads = torch.get_num_threads()
        wide = OnnxDetector(partial, score=least_score(trained), threads=threads)
        verification = verify_detector(trained, wide, images, advance)
        verification.check(str(path))
        network_ms, file_ms = latencies(trained, OnnxDetector(partial, threads=threads), images)
        files = files_of(path, trained)
        for file in files:
            os.replace(partial.with_name(file.name), file)
    return ExportedDetector(tuple(files), verification, network_ms, file_ms)


@torch.inference_mode()
def latencies(trained: TrainedDetector, detector: OnnxDetector, images: RealImages) -> tuple[float, float]:
    """Milliseconds from the first image on the canvas to its boxes, by the network and by the files: medians."""
    pixels, _ = next(iter(images.decoded(3)))
    canvas = trained.preprocessing.frame.frame(pixels[0]).image[None]
    array = canvas.permute(0, 2, 3, 1).contiguous().numpy()
    times = interleaved([lambda: trained.detect(canvas), lambda: detector.detect(array)])
    network_ms, file_ms = (1e3 * statistics.median(each) for each in times)
    return network_ms, file_ms


def images_of_files(
    paths: list[Path] | list[str], trained: TrainedDetector, count: int, skip_broken: bool
) -> RealImages:
    """Up to ``count`` of some image files.

    Raises:
        ValueError: If there are none.
    """
    if not paths:
        raise ValueError("there is no image to verify an export on: pass --data with a folder of images")
    images: EvaluationImages = file_images(
        paths, trained.preprocessing.pixel_format, 0, "skip" if skip_broken else "stop"
    )
    return RealImages(images.sample(count), labeled=False)


def images_below(folder: str, trained: TrainedDetector, count: int, skip_broken: bool) -> RealImages:
    """Up to ``count`` images of a folder, in which it does not matter where they lie; or one file."""
    return images_of_files([str(path) for path in find_images([folder]).paths], trained, count, skip_broken)
