"""``lit-cnn predict CKPT IMAGES…``: needs nothing but the checkpoint.

A file that cannot be read does not end the work: it is named at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from os import sep
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli import predict_boxes
from lit_cnn.cli.checkpoint_arguments import add_network_arguments, add_temperature_argument, chosen_checkpoint
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, percent, progress, say
from lit_cnn.cli.outputs import add_output, require_writable
from lit_cnn.cli.pixel_arguments import add_limit_argument
from lit_cnn.cli.predicted import SHOWN, Tally, broken_files, interruption, warn_of_levels
from lit_cnn.cli.tables import Column, Table, add_form_arguments, print_tables
from lit_cnn.evaluation.choices import TOP_K
from lit_cnn.evaluation.record_file import ENDINGS

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.image_files import ImageFiles
    from lit_cnn.evaluation.images import EvaluationImages
    from lit_cnn.evaluation.predict import Prediction
    from lit_cnn.evaluation.trained import Trained


@dataclass
class Results(Tally["Prediction"]):
    """What is kept of the predictions.

    Attributes:
        unanswered: Predictions below ``--min-probability``.
    """

    unanswered: int = 0

    def add_answers(self, predictions: Sequence[Prediction], min_probability: float | None) -> None:
        """Count a batch."""
        from lit_cnn.evaluation.prediction_file import answer

        self.add(predictions)
        self.unanswered += sum(each.error is None and answer(each, min_probability) is None for each in predictions)


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    for out in options.out:
        if out.suffix:  # what has none may be a folder for the pictures of a detector
            require_writable("--out", out, ENDINGS)
    from lit_cnn.evaluation.calibration import read_temperature
    from lit_cnn.run_folder.checkpoint import DETECTION, load_checkpoint

    options.temperature, stated = read_temperature(options.temperature), given_flags(options)
    files = named_files(options)
    path = chosen_checkpoint(options.checkpoint)
    checkpoint = load_checkpoint(path)
    if checkpoint.get("task") == DETECTION:
        return predict_boxes.run(options, stated, checkpoint, path, files)
    require_no_boxes(options, path)
    return name_classes(options, checkpoint, path, files)


def name_classes(options: argparse.Namespace, checkpoint: dict[str, Any], path: str, files: ImageFiles) -> int:
    """Predict by a classifier: ``checkpoint`` as it was read from ``path``."""
    from lit_cnn.data.sources.decoding import BrokenImage
    from lit_cnn.evaluation.predict import BATCH_SIZE, file_images
    from lit_cnn.evaluation.trained import on_device, trained_from
    from lit_cnn.exporting.inference import faster_network
    from lit_cnn.training.machine import MachineSettings

    MachineSettings(tf32=False).apply()
    trained = on_device(trained_from(checkpoint, path, options.weights, options.trust))
    if trained.doubt is not None:
        say(trained.doubt, stderr=True)
    trained.temperature = options.temperature
    pixel_format = replace(trained.preprocessing.pixel_format, max_pixels=options.max_pixels)
    images = file_images(files.paths, pixel_format, options.workers, "skip")
    warn_of_levels(images)
    if options.fold or options.compile:
        known = trained.preprocessing
        shape = min(BATCH_SIZE, len(images)), known.in_channels, *known.image_size
        trained.network = faster_network(trained.network, shape, with_compile=options.compile)
    results = Results(SHOWN if options.out and not options.json else None)
    try:
        predict(trained, images, options, results)
    except KeyboardInterrupt:
        show(results, options)
        raise KeyboardInterrupt(interruption(results, len(images))) from None
    except Exception:
        show(results, options)
        raise
    show(results, options)
    if results.broken:
        raise BrokenImage(broken_files(results))
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        "lit-cnn predict",
        "Name the classes of image files, or find the objects in them, in float32 on every machine.",
        example="lit-cnn predict runs/folder/TIME-ID photo.jpg more_photos --out classes.csv",
    )
    parser.add_argument("checkpoint", help="a checkpoint of lit-cnn fit, or a run folder")
    parser.add_argument("images", nargs="*", help="image files or folders")
    parser.add_argument(
        "--files-from", metavar="LIST", help="a file with a path on each line, or - for the standard input"
    )
    add_network_arguments(parser)
    parser.add_argument("--top-k", type=int, default=TOP_K, metavar="N", help="classes of each image (default 5)")
    add_temperature_argument(parser)
    parser.add_argument(
        "--min-probability", type=float, metavar="P", help="below it the best class is given as ?, not as an answer"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that decode (default: one for each core, up to 8)"
    )
    add_limit_argument(parser)
    add_output(
        parser, "--out",
        f"a {', '.join(ENDINGS)} file, written while predicting, or of a detector a folder for images with boxes; may "
        "be repeated",
        several=True,
    )  # fmt: skip
    add_form_arguments(parser, "a list of objects")
    parser.add_argument("--fold", action="store_true", help="fold batch norm into the convolutions, which is faster")
    parser.add_argument(
        "--compile", action="store_true", help="fold and compile, which takes seconds to minutes: for many images"
    )
    add_box_arguments(parser)
    return parser


def add_box_arguments(parser: CommandParser) -> None:
    """``--score`` and ``--nms``."""
    boxes = parser.add_argument_group("detectors")
    boxes.add_argument(
        "--score", type=float, metavar="S", help="least score of a box (default: each class's, chosen on validation)"
    )
    boxes.add_argument(
        "--nms",
        type=float,
        metavar="IOU",
        help="largest overlap of two boxes of a class (default: chosen on validation)",
    )


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = make_parser()
    options = parser.parse_intermixed_args(arguments)  # flags may stand before, between and after the images
    if not options.images and options.files_from is None:
        parser.error("name image files or folders, or --files-from a list of them")
    for name, least in (("top_k", 1), ("workers", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name.replace('_', '-')} is {value} but must be at least {least}")
    for name in ("min_probability", "score", "nms"):
        value = getattr(options, name)
        if value is not None and not 0 <= value <= 1:
            parser.error(f"--{name.replace('_', '-')} is {value} but must lie between 0 and 1")
    options.out = list({path.absolute(): path for path in options.out}.values())
    return options


def given_flags(options: argparse.Namespace) -> list[str]:
    """The flags of the command line that name classes of whole images."""
    names = ("top_k", "temperature", "min_probability", "fold", "compile", "trust")
    parser = make_parser()
    return [f"--{name.replace('_', '-')}" for name in names if getattr(options, name) != parser.get_default(name)]


def require_no_boxes(options: argparse.Namespace, path: str) -> None:
    """Refuse what only detectors can do.

    Raises:
        ValueError: Naming the flag.
    """
    for name in ("score", "nms"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is for detectors, and {path} holds a classifier: leave it out")
    for out in options.out:
        require_writable("--out", out, ENDINGS)


def named_files(options: argparse.Namespace) -> ImageFiles:
    """The files of the command line and of the list; how many of the folders' are left out stands on stderr."""
    from lit_cnn.evaluation.image_files import find_images, read_list

    listed: list[str] = []
    if options.files_from == "-":
        listed = read_list(sys.stdin.buffer.read())
    elif options.files_from is not None:
        listed = read_list(Path(options.files_from).expanduser().read_bytes())
    files = find_images(options.images, listed)
    if not files.paths:
        raise ValueError(f"--files-from {options.files_from} names no file: write a path on each line")
    for note in files.notes:
        say(note, stderr=True)
    return files


def predict(trained: Trained, images: EvaluationImages, options: argparse.Namespace, results: Results) -> None:
    """Predict, and write and count what has been predicted."""
    from lit_cnn.evaluation.predict import predict_files
    from lit_cnn.evaluation.prediction_file import prediction_file, prediction_record

    top_k = min(options.top_k, len(trained.class_names))
    with ExitStack() as stack:
        results.files = [prediction_file(path, top_k, options.min_probability) for path in options.out]
        for file in results.files:
            stack.enter_context(file)
        advance = stack.enter_context(progress("predicting", len(images)))
        for batch in predict_files(trained, images, top_k, advance):
            records = [prediction_record(each, top_k, options.min_probability) for each in batch]
            for file in results.files:
                file.write(records)
            results.add_answers(batch, options.min_probability)


def show(results: Results, options: argparse.Namespace) -> None:
    """Print what was predicted: a table of files by their path below the folder that holds all of them."""
    from lit_cnn.evaluation.prediction_file import prediction_record

    if options.json:
        say(as_json([prediction_record(each, options.top_k, options.min_probability).fields for each in results.kept]))
        return
    paths = [str(Path(each.file).absolute()) for each in results.kept]
    if not paths:
        return
    folder = commonpath([Path(path).parent for path in paths])
    names = [path[len(folder) :].lstrip(sep) for path in paths]
    print_tables(
        [predictions_table(results, names, options.min_probability)],
        f"files of {folder}",
        in_markdown=options.markdown,
    )


def predictions_table(results: Results, names: list[str], min_probability: float | None) -> Table:
    rows = [row(each, name, min_probability) for each, name in zip(results.kept, names, strict=True)]
    columns = (Column("file", "name"), Column("class", "name"), Column("probability"), Column("then", "prose", rank=1))
    return Table(columns, rows, notes=list(notes(results, min_probability)))


def notes(results: Results, min_probability: float | None) -> Iterator[str]:
    """What the table does not show."""
    if results.count > len(results.kept):
        yield f"the first {len(results.kept)} of {results.count}; {results.files[0].written} has all"
    if min_probability is not None:
        yield f"{results.unanswered} of {results.count} images are below {min_probability:g} and have no answer"


def row(prediction: Prediction, name: str, min_probability: float | None) -> list[str]:
    """Cells of the table."""
    from lit_cnn.evaluation.prediction_file import answer

    if prediction.error is not None:
        return [name, "–", "–", prediction.error]
    (best, share), *rest = zip(prediction.classes, prediction.probabilities, strict=True)
    others = ", ".join(f"{other} {percent(value)}" for other, value in rest)
    return [name, best if answer(prediction, min_probability) else f"? ({best})", percent(share), others]
