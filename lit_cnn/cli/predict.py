"""``lit-cnn predict CKPT IMAGES…``: needs nothing but the checkpoint.

A file that cannot be read does not end the work: it is named at the end, and the exit code is 1.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from os import sep
from os.path import commonpath
from pathlib import Path

from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_network_arguments, add_temperature_argument, chosen_checkpoint
from lit_cnn.cli.console import as_json, console, progress, say, table
from lit_cnn.cli.outputs import add_output, require_writable
from lit_cnn.cli.pixel_arguments import add_limit_argument
from lit_cnn.data.levels import levels_warning
from lit_cnn.data.sources.decoding import BrokenImage
from lit_cnn.evaluation.calibration import read_temperature
from lit_cnn.evaluation.image_files import ImageFiles, find_images, read_list
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.predict import BATCH_SIZE, TOP_K, Prediction, file_images, predict_files
from lit_cnn.evaluation.prediction_file import answer, prediction_file, prediction_record
from lit_cnn.evaluation.record_file import ENDINGS, RecordFile
from lit_cnn.evaluation.trained import Trained, load_trained
from lit_cnn.exporting.inference import faster_network

LEVELS_ADVICE = "give 8-bit levels, or a network trained with data.levels [0, {}]"
_SHOWN = 50
"""Rows of the table where a file has all."""
_NAMED = 10
"""Broken files that the last line names."""


@dataclass
class Results:
    """What a command keeps of its predictions: all of them, or the first where files have all.

    Attributes:
        most: Predictions to keep; None: all.
        kept: The first of them.
        count: All of them.
        broken: Of those the ones without classes.
        unanswered: Of those the ones below ``--min-probability``.
        files: Where all of them are written.
    """

    most: int | None
    kept: list[Prediction] = field(default_factory=list)
    count: int = 0
    broken: list[Prediction] = field(default_factory=list)
    unanswered: int = 0
    files: list[RecordFile] = field(default_factory=list)

    def add(self, predictions: Sequence[Prediction], min_probability: float | None) -> None:
        """Count a batch."""
        self.kept += predictions[: None if self.most is None else self.most - len(self.kept)]
        self.count += len(predictions)
        self.broken += [each for each in predictions if each.error is not None]
        self.unanswered += sum(each.error is None and answer(each, min_probability) is None for each in predictions)


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    for path in options.out:
        require_writable("--out", path, ENDINGS)
    temperature = read_temperature(options.temperature)
    files = named_files(options)
    trained = load_trained(chosen_checkpoint(options.checkpoint), options.weights, options.trust)
    if trained.doubt is not None:
        say(trained.doubt, stderr=True)
    trained.temperature = temperature
    pixel_format = replace(trained.preprocessing.pixel_format, max_pixels=options.max_pixels)
    images = file_images(files.paths, pixel_format, options.workers, "skip")
    if problem := levels_warning(images.split, pixel_format, "the prediction", advice=LEVELS_ADVICE):
        say(f"warning: {problem}", stderr=True)
    if options.fold or options.compile:
        known = trained.preprocessing
        shape = min(BATCH_SIZE, len(images)), known.in_channels, *known.image_size
        trained.network = faster_network(trained.network, shape, with_compile=options.compile)
    results = Results(_SHOWN if options.out and not options.json else None)
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


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lit-cnn predict", description="Name the classes of image files, in float32 on every machine."
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
    add_output(parser, "--out", f"a {', '.join(ENDINGS)} file, written while predicting; may be repeated", several=True)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--fold", action="store_true", help="fold batch norm into the convolutions, which is faster")
    parser.add_argument(
        "--compile", action="store_true", help="fold and compile, which takes seconds to minutes: for many images"
    )
    options = parser.parse_intermixed_args(arguments)  # flags may stand before, between and after the images
    if not options.images and options.files_from is None:
        parser.error("name image files or folders, or --files-from a list of them")
    for name, least in (("top_k", 1), ("workers", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name.replace('_', '-')} is {value} but must be at least {least}")
    if options.min_probability is not None and not 0 <= options.min_probability <= 1:
        parser.error(f"--min-probability is {options.min_probability} but must lie between 0 and 1")
    options.out = list({path.absolute(): path for path in options.out}.values())
    return options


def named_files(options: argparse.Namespace) -> ImageFiles:
    """The files of the command line and of the list; how many of the folders' are left out stands on stderr."""
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
            results.add(batch, options.min_probability)


def show(results: Results, options: argparse.Namespace) -> None:
    """Print what was predicted: a table of files by their path below the folder that holds all of them."""
    if options.json:
        say(as_json([prediction_record(each, options.top_k, options.min_probability).fields for each in results.kept]))
        return
    paths = [str(Path(each.file).absolute()) for each in results.kept]
    if not paths:
        return
    folder = commonpath([Path(path).parent for path in paths])
    say(f"files of {folder}")
    names = [path[len(folder) :].lstrip(sep) for path in paths]
    console(columns=None).print(predictions_table(results.kept, names, options))
    for note in notes(results, options.min_probability):
        say(note)


def predictions_table(predictions: list[Prediction], names: list[str], options: argparse.Namespace) -> Table:
    """Long names are broken over lines, none is cut."""
    return table(
        ["file", "class", "probability", "then"],
        [row(each, name, options.min_probability) for each, name in zip(predictions, names, strict=True)],
        no_wrap=["probability"],
        overflow="fold",
    )


def notes(results: Results, min_probability: float | None) -> Iterator[str]:
    """What the table does not show."""
    if results.count > len(results.kept):
        yield f"the first {len(results.kept)} of {results.count}; {results.files[0].written} has all"
    if min_probability is not None:
        yield f"{results.unanswered} of {results.count} images are below {min_probability:g} and have no answer"


def row(prediction: Prediction, name: str, min_probability: float | None) -> list[str]:
    """Cells of the table."""
    if prediction.error is not None:
        return [name, "-", "-", prediction.error]
    (best, share), *rest = zip(prediction.classes, prediction.probabilities, strict=True)
    others = ", ".join(f"{other} {value:.1%}" for other, value in rest)
    return [name, best if answer(prediction, min_probability) else f"? ({best})", f"{share:.1%}", others]


def interruption(results: Results, total: int) -> str:
    """The sentence of a work that was stopped."""
    places = " and ".join(str(file.written) for file in results.files)
    return f"stopped by SIGINT: {results.count} of {total} images are predicted" + (f", in {places}" if places else "")


def broken_files(results: Results) -> str:
    """The sentence on files that cannot be read: what is wrong with one, the names of several."""
    if len(results.broken) == 1:
        reason = str(results.broken[0].error)
        return reason if results.count == 1 else f"1 of {results.count} images has no prediction: {reason}"
    names = ", ".join(each.file for each in results.broken[:_NAMED])
    more = f" and {len(results.broken) - _NAMED} more" if len(results.broken) > _NAMED else ""
    return (
        f"{len(results.broken)} of {results.count} images have no prediction: {names}{more} cannot be read, for the "
        "reasons given with the predictions"
    )
