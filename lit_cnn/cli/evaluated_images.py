"""The images that a command with a checkpoint evaluates: broken ones, and the records of each."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from torch import Tensor

from lit_cnn.cli.console import say
from lit_cnn.cli.outputs import require_writable
from lit_cnn.data.sources.decoding import BrokenImage
from lit_cnn.evaluation.image_results import image_records, results_file
from lit_cnn.evaluation.images import EvaluationImages, Problem, SplitName
from lit_cnn.evaluation.record_file import ENDINGS, RecordFile
from lit_cnn.evaluation.recorded_data import load_images
from lit_cnn.evaluation.trained import Trained
from lit_cnn.evaluation.trained_on import judged


@contextmanager
def evaluated_images(
    trained: Trained, options: argparse.Namespace, split: SplitName, others: Sequence[Trained] = ()
) -> Iterator[EvaluationImages]:
    """The images, with a line on what they are and, on stderr, warnings of those that were trained on; a broken one
    ends the work, or is left out under ``--skip-broken`` and counted on stderr.

    Args:
        trained: Whose recipe says what the images are.
        options: Of the command line.
        split: Of the data.
        others: Further checkpoints that are judged on the same images.

    Raises:
        BrokenImage: If a file cannot be read, with the advice to skip it.
    """
    images = load_images(trained, options.data, split)
    broken: dict[int, Problem] = {}
    summary, warnings = judged(images, [trained, *others])
    if not options.json:
        say(summary.line())
    doubts = [each.doubt for each in (trained, *others) if each.doubt is not None]
    for text in (*images.notes, *warnings, *doubts):
        say(text, stderr=True)
    on_error = "skip" if options.skip_broken else images.on_error
    try:
        yield replace(images, on_error=on_error, on_broken=broken.__setitem__, summary=summary)
    except BrokenImage as error:
        raise type(error)(f"{error}, or pass --skip-broken") from None
    if broken:
        first = next(iter(broken.values()))
        text = f"skipped {len(broken)} of {len(images)} images of {images.origin}, the first: {first}"
        say(text, stderr=True)


class ImageRecords:
    """Writes what is said of each image to ``--predictions``, or nothing without it.

    Args:
        file: Where.
        images: All that are evaluated.
        class_names: K names.
    """

    def __init__(self, file: RecordFile | None, images: EvaluationImages, class_names: list[str]) -> None:
        self.file, self.images, self.class_names = file, images, class_names

    def add(self, rows: Tensor, probabilities: Tensor) -> None:
        """Write some images, rows int64 (n,) and probabilities (n, K)."""
        if self.file is not None:
            self.file.write(image_records(self.images, self.class_names, rows, probabilities))


@contextmanager
def image_records_of(
    options: argparse.Namespace, images: EvaluationImages, class_names: list[str]
) -> Iterator[ImageRecords]:
    """The writer of ``--predictions``.

    Raises:
        KeyboardInterrupt: On Ctrl-C, saying where what was written is.
    """
    if options.predictions is None:
        yield ImageRecords(None, images, class_names)
        return
    file = results_file(options.predictions, images)
    try:
        with file:
            yield ImageRecords(file, images, class_names)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped by SIGINT: {file.count} of {len(images)} images are in {file.written}"
        ) from None


def require_predictions(options: argparse.Namespace) -> None:
    """Refuse a ``--predictions`` that could not be written."""
    if options.predictions is not None:
        require_writable("--predictions", options.predictions, ENDINGS)
