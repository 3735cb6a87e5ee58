"""Records on disk, written while they are made: what is there outlives an interruption."""

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

ENDINGS = (".csv", ".json", ".jsonl")
"""Kinds of files: comma-separated rows, a JSON list, or a JSON object on each line."""


class Record(NamedTuple):
    """One record as the cells of a row, and as an object of built-in types."""

    cells: Sequence[object]
    fields: dict[str, Any]


class RecordFile:
    """A file that is whole after every ``write``, whatever ends the process afterwards. A context manager.

    A file of this name that is there already stays until the new one is complete: until then the records are in
    ``written``, NAME.partial next to it.

    Args:
        path: Its ending, one of ``ENDINGS``, says what is written. Names that are not UTF-8 keep their bytes in CSV.
        columns: Names of the cells.

    Raises:
        ValueError: If it cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, columns
        self.written = path.with_name(f"{path.name}.partial") if path.exists() else path
        self.count = 0
        self._end = "\n]\n" if path.suffix == ".json" else ""

    def __enter__(self) -> "RecordFile":
        begin = {".csv": _csv_line(self.columns), ".json": "["}.get(self.path.suffix, "")
        with self._named():
            self._file = self.written.open("wb", buffering=0)
            try:
                self._append(begin)
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

    def write(self, records: Sequence[Record]) -> None:
        """Append records, and hand them to the operating system."""
        encoded = [self._encode(record, first=not (self.count or place)) for place, record in enumerate(records)]
        with self._named():
            self._append("".join(encoded))
        self.count += len(records)

    def _encode(self, record: Record, first: bool) -> str:
        if self.path.suffix == ".csv":
            return _csv_line(record.cells)
        text = json.dumps(record.fields)
        return f"{text}\n" if self.path.suffix == ".jsonl" else f"{'' if first else ','}\n{text}"

    def _append(self, text: str) -> None:
        """Write ``text`` and the end of a list, which the next text takes the place of."""
        content = (text + self._end).encode("utf-8", "surrogateescape")
        while content:
            content = content[self._file.write(content) :]
        if self._end:
            self._file.seek(-len(self._end), io.SEEK_CUR)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ValueError(f"{self.written} cannot be written ({error.strerror or error})") from None


def _csv_line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
