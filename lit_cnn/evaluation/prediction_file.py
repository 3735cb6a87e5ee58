"""Predictions on disk, written while they are made: what has been predicted outlives an interruption."""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lit_cnn.evaluation.predict import Prediction

ENDINGS = (".csv", ".json", ".jsonl")
"""Kinds of files: comma-separated rows, a JSON list, or a JSON object on each line."""


def answer(prediction: Prediction, min_probability: float | None) -> str | None:
    """The most probable class, or None where it is less probable than ``min_probability`` or the file is broken."""
    if not prediction.classes or prediction.probabilities[0] < (min_probability or 0.0):
        return None
    return prediction.classes[0]


def record(prediction: Prediction, min_probability: float | None = None) -> dict[str, Any]:
    """A prediction as built-in types, with its ``answer`` where a ``min_probability`` is asked for."""
    asked = {} if min_probability is None else {"answer": answer(prediction, min_probability)}
    return {
        "file": prediction.file,
        "classes": prediction.classes,
        "probabilities": prediction.probabilities,
        **asked,
        "error": prediction.error,
    }


@dataclass(frozen=True)
class _Csv:
    """Rows of ``top_k`` classes with their probabilities."""

    top_k: int
    min_probability: float | None
    end = ""

    @property
    def begin(self) -> str:
        pairs = [f"{name}{rank + 1}" for rank in range(self.top_k) for name in ("class", "probability")]
        return self._line("file", pairs, "answer", "error")

    def encode(self, prediction: Prediction, first: bool) -> str:
        pairs = [cell for pair in zip(prediction.classes, prediction.probabilities, strict=True) for cell in pair]
        padded = pairs + [None] * (2 * self.top_k - len(pairs))
        return self._line(prediction.file, padded, answer(prediction, self.min_probability), prediction.error)

    def _line(self, file: str, pairs: Sequence[object], answered: str | None, error: str | None) -> str:
        text = io.StringIO()
        csv.writer(text).writerow([file, *pairs, *([] if self.min_probability is None else [answered]), error])
        return text.getvalue()


@dataclass(frozen=True)
class _Json:
    """A list of ``record``."""

    min_probability: float | None
    begin, end = "[", "\n]\n"

    def encode(self, prediction: Prediction, first: bool) -> str:
        return f"{'' if first else ','}\n{json.dumps(record(prediction, self.min_probability))}"


@dataclass(frozen=True)
class _JsonLines:
    """A ``record`` on each line."""

    min_probability: float | None
    begin, end = "", ""

    def encode(self, prediction: Prediction, first: bool) -> str:
        return f"{json.dumps(record(prediction, self.min_probability))}\n"


class PredictionFile:
    """A file that is whole after every ``write``, whatever ends the process afterwards. A context manager.

    A file of this name that is there already stays until the new one is complete: until then the predictions are in
    ``written``, NAME.partial next to it.

    Args:
        path: Its ending, one of ``ENDINGS``, says what is written. Names that are not UTF-8 keep their bytes in CSV.
        top_k: Classes of each prediction.
        min_probability: Below it a prediction gives no answer; None asks for no answers.

    Raises:
        ValueError: If it cannot be written.
    """

    def __init__(self, path: Path, top_k: int, min_probability: float | None = None) -> None:
        self.path = path
        self.written = path.with_name(f"{path.name}.partial") if path.exists() else path
        self._format: _Csv | _Json | _JsonLines
        if path.suffix == ".csv":
            self._format = _Csv(top_k, min_probability)
        else:
            self._format = (_Json if path.suffix == ".json" else _JsonLines)(min_probability)
        self._empty = True

    def __enter__(self) -> "PredictionFile":
        with self._named():
            self._file = self.written.open("wb", buffering=0)
            try:
                self._append(self._format.begin)
            except OSError:
                self._file.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._named():
            self._file.close()
            if kind is None:
                os.replace(self.written, self.path)
                self.written = self.path

    def write(self, predictions: Sequence[Prediction]) -> None:
        """Append predictions, and hand them to the operating system."""
        lines = []
        for prediction in predictions:
            lines.append(self._format.encode(prediction, self._empty))
            self._empty = False
        with self._named():
            self._append("".join(lines))

    def _append(self, text: str) -> None:
        """Write ``text`` and the format's end, which the next text takes the place of."""
        end = self._format.end.encode()
        content = text.encode("utf-8", "surrogateescape") + end
        while content:
            content = content[self._file.write(content) :]
        if end:
            self._file.seek(-len(end), io.SEEK_CUR)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ValueError(f"{self.written} cannot be written ({error.strerror or error})") from None
