"""A trained detector as ONNX files, with the JSON file and the program by which objects are found without torch."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from lit_cnn import __version__
from lit_cnn.detection.faster_rcnn import FasterRCNN
from lit_cnn.evaluation.trained_detector import TrainedDetector
from lit_cnn.exporting import onnx_detector
from lit_cnn.exporting.detector_description import describe_objects, input_of, scales_of, write_description
from lit_cnn.exporting.detector_graph import (
    Normalized,
    RawOutputs,
    RegionOutputs,
    folded_detector,
    map_names,
    output_names,
)
from lit_cnn.exporting.graph import EXAMPLES, GraphForm, quiet
from lit_cnn.exporting.metadata import without_places
from lit_cnn.exporting.onnx_file import set_metadata
from lit_cnn.exporting.preprocessed import INPUT
from lit_cnn.pretrained.importing import file_facts

REGION_EXAMPLES = 3
"""Proposals of the example of the second stage's graph."""


def files_of(path: Path, trained: TrainedDetector) -> list[Path]:
    """What an export to ``path`` writes: the graph, Faster R-CNN's second one, the JSON file, the program."""
    second = [path.with_suffix(".regions.onnx")] if isinstance(trained.network, FasterRCNN) else []
    program = path.with_name(Path(str(onnx_detector.__file__)).name)
    return [path, *second, path.with_suffix(".detector.json"), program]


def write_detector(
    trained: TrainedDetector,
    path: Path,
    form: GraphForm,
    *,
    recipe: dict[str, Any] | None = None,
    license: str | None = None,
) -> None:
    """Write the files of ``files_of``, unverified.

    Args:
        trained: On the CPU.
        path: Of the graph, ending in ``.onnx``.
        form: What it takes: with its preprocessing uint8 (N, H, W, 3) on the canvas, else normalized float32
            (N, 3, H, W).
        recipe: What it was trained with.
        license: Of the weights.

    Raises:
        ValueError: If folding changes what the network computes.
    """
    graph, *second, description, program = files_of(path, trained)
    described = describe_objects(trained, form, second[0].name if second else "")
    entries = metadata_of(trained, recipe or {}, license)
    network = folded_detector(trained)
    batch = EXAMPLES if form.batch is None else form.batch
    height, width = trained.preprocessing.canvas
    axes: dict[int, Any] = {} if form.batch else {0: torch.export.Dim("batch")}
    module, example = RawOutputs(network), torch.zeros(batch, 3, height, width)
    if form.with_preprocessing:
        module = Normalized(module, trained.preprocessing)  # type: ignore[assignment]
        example = torch.zeros(batch, height, width, 3, dtype=torch.uint8)
    names = [INPUT], output_names(network)
    given = {"input": json.dumps(input_of(trained, form)), **entries}
    write_graph(graph, module.eval(), (example,), (axes,), names, form.opset, given)
    if isinstance(network, FasterRCNN):
        write_regions(second[0], network, scales_of(trained.network), form, entries)  # type: ignore[arg-type]
    write_description(description, described)
    shutil.copyfile(str(onnx_detector.__file__), program)


def write_regions(
    path: Path, network: FasterRCNN, scales: list[float], form: GraphForm, entries: dict[str, str]
) -> None:
    """Write the graph of Faster R-CNN's second stage, for any number of proposals of one image."""
    regions = network.regions
    grids = network.pyramid.grids(network.canvas)[: len(regions.names)]
    maps = [torch.zeros(1, network.pyramid.width, *grid) for grid in grids]  # type: ignore[call-overload]
    boxes = torch.tensor([[0.0, 0.0, 8.0, 8.0]]).repeat(REGION_EXAMPLES, 1)
    number = torch.export.Dim("proposals")
    example = boxes, torch.zeros(REGION_EXAMPLES, dtype=torch.int64), maps
    axes: tuple[Any, ...] = {0: number}, {0: number}, [{} for _ in maps]
    names = ["boxes", "levels", *map_names(regions)], ["logits", "coded"]
    write_graph(path, RegionOutputs(regions, scales).eval(), example, axes, names, form.opset, entries)


def write_graph(
    path: Path,
    module: torch.nn.Module,
    example: tuple[Any, ...],
    axes: tuple[Any, ...],
    names: tuple[list[str], list[str]],
    opset: int | None,
    entries: dict[str, str],
) -> None:
    """Trace a module and write it with its metadata.

    Args:
        path: The file.
        module: In evaluation mode.
        example: Its inputs.
        axes: For each of them the axes that may vary.
        names: Of inputs and outputs.
        opset: Version of the operators; None: that of torch's exporter.
        entries: The metadata.
    """
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            module,
            example,
            input_names=names[0],
            output_names=names[1],
            opset_version=opset,
            dynamic_shapes=axes,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto  # made at each access
    set_metadata(model, entries)
    path.write_bytes(model.SerializeToString())


def metadata_of(trained: TrainedDetector, recipe: dict[str, Any], license: str | None) -> dict[str, str]:
    """Entries of the graphs, as a classifier's has them; all but license and versions are JSON."""
    file = Path(trained.name)
    structured: dict[str, Any] = {
        "class_names": trained.class_names,
        "preprocessing": trained.preprocessing.as_dict(),
        "recipe": without_places(recipe),
        "checkpoint": file_facts(file) if file.is_file() else None,
    }
    plain = {
        "license": license or "not stated",
        "lit_cnn_version": __version__,
        "torch_version": str(torch.__version__),
    }
    return {**plain, **{name: json.dumps(value) for name, value in structured.items()}}
