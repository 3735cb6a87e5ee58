"""Lists of files with their classes as people write them: CSV, TSV and text files, with or without a header."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lit_cnn.data.sources.extensions import is_image
from lit_cnn.data.sources.layout import split_of
from lit_cnn.data.sources.wording import few

SUFFIXES = (".csv", ".tsv", ".txt")
DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}
SAMPLE = 50
"""Rows by which the delimiter is recognized."""
# Names of columns without their blanks, dashes and capitals; what comes first is preferred.
# fmt: off
PATHS = (
    "path", "paths", "filepath", "filepaths", "filename", "filenames", "file", "files", "imagepath", "imgpath",
    "relativepath", "image", "images", "img", "imagename", "imgname", "imagefile", "imagefilename", "imageindex",
    "imageid", "imgid", "id", "name",
)
LABELS = (
    "label", "labels", "class", "classes", "classname", "labelname", "category", "categoryname", "target", "targets",
    "y", "species", "breed", "diagnosis", "predictionstring", "labelid", "classid", "categoryid", "classindex",
    "labelindex",
)
SPLITS = ("split", "splits", "set", "subset", "dataset", "partition", "phase", "usage", "fold")
# fmt: on
BOXES = "predictionstring"
"""ImageNet's column of a class and its boxes, one after the other."""
EXPECTED = "a column path (or filename, image_id, …) and a column label (or class, category, …)"


@dataclass(frozen=True)
class Table:
    """The rows of a list, column by column.

    Args:
        file: what was read.
        lines: of each row in the file, from 1.
        paths: as written.
        labels: of each row; empty text where the field is empty.
        splits: train, val or test of each row; None without such a column.
        columns: the other columns by name.
        notes: what a user should know of how the columns were recognized.
    """

    file: Path
    lines: list[int]
    paths: list[str]
    labels: list[str]
    splits: list[str] | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def place(self, number: int) -> str:
        """What messages call a row."""
        return f"line {self.lines[number]} of {self.file}"


@dataclass(frozen=True)
class _Roles:
    """Which columns hold what, by number; ``names`` is empty without a header."""

    path: int
    label: int
    split: int | None
    names: list[str]
    notes: tuple[str, ...] = ()


def read_table(file: Path) -> Table:
    """Read a list with a header that names its columns, or without one and the file first and its class second.

    The delimiter is a comma, a semicolon, a tab or a bar, and in a list without any a blank before the class.

    Raises:
        ValueError: one sentence that names the file and, where one is at fault, the line.
    """
    rows = list(_rows(file))
    if not rows:
        raise ValueError(f"{file} holds no rows; {EXPECTED} are expected")
    roles = _roles(file, [fields for _, fields in rows[:SAMPLE]])
    if roles.names:
        rows = rows[1:]
    width = len(roles.names) or len(rows[0][1])
    for line, fields in rows:
        if len(fields) < width or any(fields[width:]):
            raise ValueError(
                f"line {line} of {file} has {len(fields)} fields where {width} are expected; quote fields that hold "
                "the delimiter"
            )
    return _table(file, rows, roles, width)


def _table(file: Path, rows: list[tuple[int, list[str]]], roles: _Roles, width: int) -> Table:
    columns = [[fields[number] for _, fields in rows] for number in range(width)]
    labels = columns[roles.label]
    if roles.names and plain(roles.names[roles.label]) == BOXES:
        labels = [label.split(" ", 1)[0] for label in labels]
    lines = [line for line, _ in rows]
    splits, notes = None, list(roles.notes)
    if roles.split is not None:
        splits = _splits(file, columns[roles.split], lines, roles)
        if splits is None:
            notes.append(
                f"the column {roles.names[roles.split]} of {file.name} holds no split names "
                f"({few(sorted(set(columns[roles.split])))}) and is not read as such"
            )
    taken = {roles.path, roles.label, *([] if splits is None else [roles.split])}
    names = roles.names or [f"column {number + 1}" for number in range(width)]
    others = {names[number]: values for number, values in enumerate(columns) if number not in taken}
    if others and roles.names:
        notes.append(f"further columns of {file.name} are kept but not read: {few(list(others))}")
    return Table(file, lines, columns[roles.path], labels, splits, others, tuple(notes))


def _splits(file: Path, values: list[str], lines: list[int], roles: _Roles) -> list[str] | None:
    """The split of each row; None where the column means something else, such as the number of a fold."""
    found = {value: split_of(value)[0] for value in set(values)}
    if not any(found.values()) and roles.names and plain(roles.names[roles.split or 0]) not in ("split", "splits"):
        return None
    splits = []
    for value, line in zip(values, lines, strict=True):
        split = found[value]
        if split is None:
            raise ValueError(
                f"line {line} of {file} has the split {value!r}, which is not known; write train, val or test"
            )
        splits.append(str(split))
    return splits


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped fields of each row that is not empty."""
    text = _text(file)
    delimiter = _delimiter(file, text)
    if delimiter is None:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield number, line.strip().rsplit(None, 1)
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for fields in reader:
            if any(value.strip() for value in fields):
                yield reader.line_num, [value.strip() for value in fields]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} of {file} cannot be read ({error}); quote its fields") from None


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ValueError(f"the list {file} cannot be read ({error.strerror}); fix its permissions") from None
    try:
        text = content.decode(encoding_of(content))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} of {file} is not UTF-8 text; save the list as UTF-8") from None
    if "\0" in text:
        raise ValueError(f"{file} is not a list but binary data; pass a CSV, TSV or text file")
    return text


def encoding_of(begin: bytes) -> str:
    """UTF-16 where a file begins with its mark of byte order, else UTF-8."""
    return "utf-16" if begin[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _delimiter(file: Path, text: str) -> str | None:
    """The delimiter that gives the same number of fields, two or more, in the first rows.

    None for a blank, where no other gives a header or parts most rows: a comma in few names parts no columns.
    """
    ranked = []
    for delimiter in DELIMITERS:
        stream = io.StringIO(text, newline="")
        rows = []
        try:
            for fields in csv.reader(stream, delimiter=delimiter, skipinitialspace=True):
                if any(value.strip() for value in fields):
                    rows.append(fields)
                if len(rows) == SAMPLE:
                    break
        except csv.Error:
            continue
        widths = [len(fields) for fields in rows]
        named = bool(rows) and _named(rows[0]) is not None
        if named or sum(width > 1 for width in widths) > len(widths) / 2:
            usual = delimiter == {".tsv": "\t"}.get(file.suffix.lower(), ",")
            ranked.append((named, min(widths) == max(widths), min(widths) > 1, usual, delimiter))
    return max(ranked)[-1] if ranked else None


def plain(name: str) -> str:
    """A column's name without blanks, dashes and capitals."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _first(names: list[str], wanted: tuple[str, ...], but: tuple[int | None, ...] = ()) -> int | None:
    """The column whose name comes first in ``wanted``."""
    known = [plain(name) for name in names]
    return next((known.index(name) for name in wanted if name in known and known.index(name) not in but), None)


def _named(names: list[str]) -> _Roles | None:
    """The roles of the columns by their names, where these name the file; None where the row cannot be a header."""
    path = _first(names, PATHS)
    if path is None or len(names) < 2:
        return None
    label = _first(names, LABELS)
    notes: tuple[str, ...] = ()
    if label is None and len(names) == 2:
        label = 1 - path
        notes = (f"the column {names[label]} is read as the class",)
    if label is None:
        return None
    candidates = [name for name in names if plain(name) in LABELS]
    if len(candidates) > 1:
        notes = (f"the class is read from the column {names[label]} (there are {', '.join(candidates)})",)
    return _Roles(path, label, _first(names, SPLITS, (path, label)), names, notes)


def _roles(file: Path, rows: list[list[str]]) -> _Roles:
    first = rows[0]
    if len(first) < 2:
        raise ValueError(f"{file} has one column only; {EXPECTED} are expected")
    images = [number for number in range(len(first)) if _holds_images([row[number : number + 1] for row in rows])]
    named = _named(first)
    if named is not None and not images:
        return named
    if len(images) == 1 and (len(first) == 2 or images == [0]):
        path = images[0]
        others = [number for number in range(len(first)) if number != path]
        split = next((n for n in others[:2] if len(others) > 1 and all(split_of(row[n])[0] for row in rows)), None)
        label = next(number for number in others if number != split)
        note = f"{file.name} has no header: its column {path + 1} is read as the file, column {label + 1} as the class"
        return _Roles(path, label, split, [], (note,))
    shown = few([value or "''" for value in first])
    raise ValueError(
        f"{file} has the columns {shown}, which do not say which is the file and which the class; {EXPECTED} are "
        "expected"
    )


def _holds_images(column: list[list[str]]) -> bool:
    """Whether the first value and most others are names of images; a value is a list of one, or of none."""
    named = [any(is_image(name) for name in value) for value in column]
    return named[0] and sum(named) > len(named) / 2


def has_columns(file: Path) -> bool:
    """Whether a CSV or TSV file begins with a header that names a column of files and one of classes."""
    try:
        with open(file, "rb") as content, io.TextIOWrapper(content, encoding_of(content.peek(2)), newline="") as stream:
            head = stream.readline(65536)
    except (OSError, UnicodeDecodeError):
        return False
    delimiter = _delimiter(file, head)
    return delimiter is not None and _named(next(csv.reader([head.strip()], delimiter=delimiter), [])) is not None
