"""What a command counts while it predicts, and its sentences on interruptions and on files that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from lit_cnn.cli.console import say

if TYPE_CHECKING:
    from lit_cnn.evaluation.images import EvaluationImages
    from lit_cnn.evaluation.record_file import RecordFile

SHOWN = 50
"""Rows of the table where a file has all."""
_NAMED = 10
"""Broken files that the last line names."""
_LEVELS_ADVICE = "give 8-bit levels, or a network trained with data.levels [0, {}]"


class Predicted(Protocol):
    """What is said of one file."""

    @property
    def file(self) -> str: ...

    @property
    def error(self) -> str | None: ...


Kind = TypeVar("Kind", bound=Predicted)


@dataclass
class Tally(Generic[Kind]):
    """What a command keeps of its predictions: all of them, or the first where files have all.

    Attributes:
        most: Predictions to keep; None: all.
        kept: The first of them.
        count: All of them.
        broken: Of those the ones of files that cannot be read.
        files: Where all of them are written.
    """

    most: int | None
    kept: list[Kind] = field(default_factory=list)
    count: int = 0
    broken: list[Kind] = field(default_factory=list)
    files: list[RecordFile] = field(default_factory=list)

    def add(self, predictions: Sequence[Kind]) -> None:
        """Count a batch."""
        self.kept += predictions[: None if self.most is None else self.most - len(self.kept)]
        self.count += len(predictions)
        self.broken += [each for each in predictions if each.error is not None]


def warn_of_levels(images: EvaluationImages) -> None:
    """Say on stderr where images of more than 8 bits become nearly black."""
    from lit_cnn.data.levels import levels_warning

    if problem := levels_warning(images.split, images.pixel_format, "the prediction", advice=_LEVELS_ADVICE):
        say(f"warning: {problem}", stderr=True)


def interruption(results: Tally[Kind], total: int) -> str:
    """The sentence of a work that was stopped."""
    places = " and ".join(str(file.written) for file in results.files)
    return f"stopped by SIGINT: {results.count} of {total} images are predicted" + (f", in {places}" if places else "")


def broken_files(results: Tally[Kind]) -> str:
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
