"""``lit-cnn predict`` of a detector: boxes drawn into a folder, COCO's results, a table."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from os import sep
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import as_json, progress, say
from lit_cnn.cli.outputs import require_writable
from lit_cnn.cli.predicted import SHOWN, Tally, broken_files, interruption, warn_of_levels
from lit_cnn.cli.tables import Column, Table, print_tables
from lit_cnn.evaluation.record_file import ENDINGS

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.detection_files import PictureFolder
    from lit_cnn.evaluation.image_files import ImageFiles
    from lit_cnn.evaluation.images import EvaluationImages
    from lit_cnn.evaluation.predict_boxes import FileDetections
    from lit_cnn.evaluation.trained_detector import TrainedDetector


def run(
    options: argparse.Namespace, refused: Sequence[str], checkpoint: dict[str, Any], path: str, files: ImageFiles
) -> int:
    """Find objects.

    Args:
        options: Of the command line.
        refused: Its flags that a detector has no use for.
        checkpoint: As it was read.
        path: Its file.
        files: The images.
    """
    if refused:
        raise ValueError(f"{refused[0]} is for classifiers, and {path} holds a detector: leave it out")
    tables = [out for out in options.out if out.suffix]
    from lit_cnn.data.sources.decoding import BrokenImage
    from lit_cnn.evaluation.detection_files import RESULTS, TABLE, PictureFolder
    from lit_cnn.evaluation.predict import file_images
    from lit_cnn.evaluation.trained_detector import detector_from

    trained = detector_from(checkpoint, path, options.weights)
    trained.show(options.score, options.nms)
    pixel_format = replace(trained.preprocessing.pixel_format, max_pixels=options.max_pixels)
    images = file_images(files.paths, pixel_format, options.workers, "skip")
    warn_of_levels(images)
    folders = [
        PictureFolder(out, files.paths, trained.class_names, pixel_format) for out in options.out if not out.suffix
    ]
    tables += [each.folder / name for each in folders for name in (TABLE, RESULTS)]
    for table in tables:
        require_writable("--out", table, ENDINGS)
    results: Tally[FileDetections] = Tally(SHOWN if tables and not options.json else None)
    try:
        find(trained, images, tables, folders, results)
    except KeyboardInterrupt:
        show(results, trained, options)
        raise KeyboardInterrupt(interruption(results, len(images))) from None
    except Exception:
        show(results, trained, options)
        raise
    show(results, trained, options)
    if results.broken:
        raise BrokenImage(broken_files(results))
    return 0


def find(
    trained: TrainedDetector,
    images: EvaluationImages,
    tables: Sequence[Path],
    folders: Sequence[PictureFolder],
    results: Tally[FileDetections],
) -> None:
    """Find objects, and write, draw and count what was found."""
    from lit_cnn.evaluation.detection_files import detection_file, detection_records
    from lit_cnn.evaluation.predict_boxes import detect_files

    with ExitStack() as stack:
        results.files = [stack.enter_context(detection_file(path)) for path in tables]
        advance = stack.enter_context(progress("predicting", len(images)))
        for batch in detect_files(trained, images, advance):
            records = [
                record
                for each in batch
                for record in detection_records(each, trained.class_names, trained.category_ids)
            ]
            for file in results.files:
                file.write(records)
            for folder in folders:
                for each in batch:
                    folder.draw(each)
            results.add(batch)


def show(results: Tally[FileDetections], trained: TrainedDetector, options: argparse.Namespace) -> None:
    """Print what was found: a table of files by their path below the folder that holds all of them."""
    from lit_cnn.evaluation.detection_files import as_fields

    if options.json:
        say(as_json([as_fields(each, trained.class_names) for each in results.kept]))
        return
    paths = [str(Path(each.file).absolute()) for each in results.kept]
    if not paths:
        return
    folder = commonpath([Path(path).parent for path in paths])
    names = [path[len(folder) :].lstrip(sep) for path in paths]
    rows = [row(each, name, trained.class_names) for each, name in zip(results.kept, names, strict=True)]
    columns = Column("file", "name"), Column("boxes"), Column("highest score", rank=1), Column("found", "prose")
    table = Table(columns, rows, notes=notes(results, trained, options))
    print_tables([table], f"files of {folder}", in_markdown=options.markdown)


def row(image: FileDetections, name: str, class_names: Sequence[str]) -> list[str]:
    """Cells of the table: the classes by falling number of boxes."""
    if image.error is not None:
        return [name, "–", "–", image.error]
    counts = Counter(class_names[label] for label in image.found.labels.tolist())
    best = f"{float(image.found.scores[0]):.2f}" if counts else "–"
    found = ", ".join(f"{count} {label}" for label, count in counts.most_common())
    return [name, str(counts.total()), best, found or "nothing"]


def notes(results: Tally[FileDetections], trained: TrainedDetector, options: argparse.Namespace) -> list[str]:
    """What was shown, and what the table leaves out."""
    scores, nms = trained.thresholds.score, trained.thresholds.nms
    least = f"{min(scores):.2f}" if min(scores) == max(scores) else f"{min(scores):.2f} to {max(scores):.2f} by class"
    lines = [f"boxes of a score of at least {least} that overlap others of their class by at most {nms:.2f}"]
    if options.score is None or options.nms is None:
        chosen = [name for name in ("score", "nms") if getattr(options, name) is None]
        lines[0] += f" ({' and '.join(chosen)} chosen on {trained.thresholds.chosen_on})"
    if results.count > len(results.kept):
        lines.append(f"the first {len(results.kept)} of {results.count}; {results.files[0].written} has all")
    return lines
