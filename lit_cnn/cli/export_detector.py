"""``lit-cnn export`` of a detector: its graph, a JSON file and a program that finds objects without torch."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import as_json, number, progress, say
from lit_cnn.cli.export_table import megabytes
from lit_cnn.cli.outputs import require_writable
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.trained_detector import TrainedDetector
    from lit_cnn.exporting.detector_exporting import ExportedDetector
    from lit_cnn.exporting.real_images import RealImages

COLUMNS = (
    *(Column("file", "name"), Column("MB"), Column("same boxes"), Column("largest difference", rank=1)),
    Column("ms"),
)


def run(options: argparse.Namespace, checkpoint: dict[str, Any], path: str, out: Path) -> int:
    """Export it.

    Args:
        options: Of the command line, which ``require_possible`` has seen.
        checkpoint: As it was read.
        path: Its file.
        out: The graph.
    """
    from lit_cnn.evaluation.trained_detector import detector_from
    from lit_cnn.exporting.detector_exporting import export_detector
    from lit_cnn.exporting.detector_file import files_of
    from lit_cnn.exporting.graph import GraphForm
    from lit_cnn.exporting.onnx_file import check_opset

    check_opset(options.opset)
    trained = detector_from(checkpoint, path, options.weights)
    trained.network.cpu()
    for file in files_of(out, trained):
        require_writable("--out", file)
    images = images_of(options, checkpoint, path, trained)
    form = GraphForm(options.preprocessing, options.batch, options.opset)
    stated = {"recipe": checkpoint.get("recipe"), "license": options.license}
    with progress("comparing", len(images)) as advance:
        exported = export_detector(trained, out, form, images, **stated, advance=advance)
    if options.json:
        print(as_json(report(exported)))
        return 0
    checked = exported.verification
    print_tables([results_table(exported, trained)], f"{path} on {checked.images} images", in_markdown=options.markdown)
    for file in exported.files:
        say(file, stderr=options.markdown)
    return 0


def require_possible(options: argparse.Namespace, path: str) -> None:
    """Refuse what is for classifiers.

    Raises:
        ValueError: Naming it.
    """
    if options.format != "onnx":
        raise ValueError(
            f"--format {options.format} is for classifiers, and {path} holds a detector, whose boxes are decoded "
            "outside of the network: use --format onnx, which comes with a program that does so"
        )
    for flag, given in (("--int8", options.int8), ("--trust", options.trust)):
        if given:
            raise ValueError(f"{flag} is for classifiers, and {path} holds a detector: leave it out")


def images_of(
    options: argparse.Namespace, checkpoint: dict[str, Any], path: str, trained: TrainedDetector
) -> RealImages:
    """Those of ``--data``, else the recorded validation images."""
    from lit_cnn.evaluation.detector_validation import detection_data
    from lit_cnn.evaluation.trained_detector import load_detector
    from lit_cnn.exporting.detector_exporting import images_below, images_of_files

    if options.data is not None:
        return images_below(options.data, trained, options.images, options.skip_broken)
    data = detection_data(checkpoint, load_detector(checkpoint, path, options.weights), path, None, options.skip_broken)
    split = data.loaded.val
    files = [Path(split.root) / image.path for image in split.images]
    return images_of_files(files, trained, options.images, options.skip_broken)


def results_table(exported: ExportedDetector, trained: TrainedDetector) -> Table:
    """The network, and below it its files."""
    import torch

    checked, (graph, *others) = exported.verification, exported.files
    rows = [
        ["network", megabytes(weight_bytes(trained)), "", "", number(exported.network_ms)],
        [
            graph.name,
            megabytes(graph.stat().st_size),
            f"{checked.same} of {checked.boxes}",
            f"{checked.raw:.1e}",
            number(exported.file_ms),
        ],
        *([file.name, megabytes(file.stat().st_size), "", "", ""] for file in others),
    ]
    height, width = trained.preprocessing.canvas
    threads = torch.get_num_threads()
    notes = [
        f"boxes of a score of at least {checked.score:.3g} of the network or of the file; same: an IoU of 0.9, scores "
        "within 0.02",
        "largest difference: of a raw output, over the largest of its name",
        f"pixels of the canvas differ from predict's by at most {checked.levels} of 255 levels",
        f"ms: one image on the canvas of {width}x{height} pixels to the boxes shown, {threads} "
        f"thread{'s' if threads > 1 else ''}, medians of interleaved passes",
    ]
    if checked.ties:
        notes.append(f"near ties: the network itself has {checked.ties} of the other boxes on the program's canvas")
    if not checked.boxes:
        notes.append("there was no such box: the raw outputs alone were compared")
    return Table(COLUMNS, rows, notes=notes)


def report(exported: ExportedDetector) -> dict[str, Any]:
    """The figures of the table in built-in types."""
    checked = exported.verification
    return {
        "files": [{"path": str(file), "bytes": file.stat().st_size} for file in exported.files],
        "images": checked.images,
        "boxes": checked.boxes,
        "same": checked.same,
        "near_ties": checked.ties,
        "score": checked.score,
        "largest_difference": checked.raw,
        "levels": checked.levels,
        "network_ms": exported.network_ms,
        "ms": exported.file_ms,
    }


def weight_bytes(trained: TrainedDetector) -> int:
    return sum(value.numel() * value.element_size() for value in trained.network.state_dict().values())
