"""The tables of the commands: for a terminal as wide as it is, whole for files and pipes, in Markdown.

In a terminal, numbers and names are never cut or wrapped. What is too wide loses columns, the least important first,
and says so. Where even the important ones do not fit, long names stand on lines of their own; where that is not enough
either, each row becomes lines of ``column  cell``.
"""

import argparse
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from lit_cnn.cli.console import line_console, say
from lit_cnn.printable import printable, printable_lines

if TYPE_CHECKING:
    from rich.console import Console

BREAK = re.compile(r" (?![%·])")
"""Where a line may be broken: a number stays with its sign."""
GAP = 2
"""Spaces between two columns."""
PROSE = 24
"""Least width of a column of prose, where its cells are longer."""
NAME = 20
"""Least width of the first column where its names are too long and stand on lines of their own, above the others."""
ELSEWHERE = "a wider terminal, --markdown and --json have them"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: Its heading, which may be wrapped at its spaces.
        kind: number (on the right), name (of a file, network, key, …; on the left) or prose, whose cells may be wrapped
            at their spaces.
        rank: 0 for a column that stays; of the others the one with the highest rank is left out first.
    """

    name: str
    kind: Literal["number", "name", "prose"] = "number"
    rank: int = 0


@dataclass
class Table:
    """Rows of text below columns.

    Args:
        columns: What the cells are.
        rows: A cell for each column.
        title: A line above.
        notes: Lines below.
        totals: Further rows, below a rule.
        marked: Numbers of rows that are printed in red.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    notes: Sequence[str] = ()
    totals: Sequence[Sequence[str]] = ()
    marked: Collection[int] = field(default=())


class Line(NamedTuple):
    """A printed line, and rich's style of it."""

    text: str
    style: str = ""


def add_form_arguments(parser: argparse.ArgumentParser, json: str = "an object", latex: str | None = None) -> None:
    """``--json``, which prints ``json`` and nothing else on the standard output, ``--markdown`` or, where its help
    ``latex`` is given, ``--latex``."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=f"print {json} in JSON")
    form.add_argument("--markdown", action="store_true", help="print Markdown")
    if latex is not None:
        form.add_argument("--latex", action="store_true", help=latex)


def print_tables(
    tables: Sequence[Table], line: str = "", *, in_markdown: bool = False, out: "Console | None" = None
) -> None:
    """Print them one below the other, for the terminal's width or, where there is none, whole; ``line`` stands above.

    The line is never wrapped, so that a path in it can be copied.
    """
    if in_markdown:
        say("\n\n".join([*([line] if line else []), *map(markdown, tables)]))
        return
    from rich.text import Text

    if line:
        say(line)
    out = out or line_console()
    width = out.width if out.file.isatty() else None
    for number, table in enumerate(tables):
        if number:
            out.print()
        for text, style in lines(table, width):
            out.print(Text(text, style))


def lines(table: Table, width: int | None) -> list[Line]:
    """The table as lines, none longer than ``width`` (None: any) but those that hold a single longer name."""
    widest, least = _widths(table)
    above = [Line(text, "bold") for text in _wrapped(table.title, width)] if table.title else []
    notes = [Line(text) for note in table.notes for text in _wrapped(note, width)]
    kept = _kept(table.columns, least, width)
    if not _fits(least, kept, width) and table.columns[0].kind == "name":
        least[0] = min(least[0], max(_longest_word([table.columns[0].name]), NAME))
        kept = _kept(table.columns, least, width)
    if width is not None and not _fits(least, kept, width):
        return [*above, *_records(table, width), *notes]
    dropped = [column.name for place, column in enumerate(table.columns) if place not in kept]
    if dropped:
        notes += [Line(text) for text in _wrapped(f"not shown: {'; '.join(dropped)} ({ELSEWHERE})", width)]
    widths = {place: widest[place] for place in kept} if width is None else _grown(table, kept, widest, least, width)
    return [*above, *_grid(table, widths), *notes]


def _fits(widths: Sequence[int], kept: Sequence[int], width: int | None) -> bool:
    return width is None or _total([widths[place] for place in kept]) <= width


def markdown(table: Table) -> str:
    """The whole table in Markdown, numbers on the right, with its title above and its notes below."""
    header = [printable(column.name) for column in table.columns]
    rules = ["---:" if column.kind == "number" else "---" for column in table.columns]
    rows = ["| " + " | ".join(map(_markdown_cell, row)) + " |" for row in (*table.rows, *table.totals)]
    title = [f"{printable_lines(table.title)}\n"] if table.title else []
    notes = [f"\n{printable_lines(note)}" for note in table.notes]
    return "\n".join([*title, f"| {' | '.join(header)} |", "|" + "".join(f"{rule}|" for rule in rules), *rows, *notes])


def _markdown_cell(text: str) -> str:
    return printable(text).replace("|", "\\|")


def _size(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _cells(table: Table, place: int) -> list[str]:
    return [printable(row[place]) for row in (*table.rows, *table.totals)]


def _longest_word(texts: Sequence[str]) -> int:
    return max((_size(word) for text in texts for word in BREAK.split(text)), default=0)


def _widths(table: Table) -> tuple[list[int], list[int]]:
    """Of each column the width at which nothing is wrapped, and the least one."""
    widest, least = [], []
    for place, column in enumerate(table.columns):
        cells = _cells(table, place)
        cell = max(map(_size, cells), default=0)
        widest.append(max(_size(column.name), cell))
        if column.kind == "prose":
            cell = max(_longest_word(cells), min(cell, PROSE))
        least.append(max(_longest_word([column.name]), cell))
    return widest, least


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _kept(columns: Sequence[Column], least: Sequence[int], width: int | None) -> list[int]:
    """Places of the columns that fit, or of those that have to stay."""
    kept = list(range(len(columns)))
    while not _fits(least, kept, width):
        last = max(kept, key=lambda place: (columns[place].rank, place))
        if not columns[last].rank or len(kept) == 1:
            break
        kept.remove(last)
    return kept


def _grown(
    table: Table, kept: Sequence[int], widest: Sequence[int], least: Sequence[int], width: int
) -> dict[int, int]:
    """Place of each kept column -> its width: the room that is left goes to headings first, then to prose, and last to
    the names of the first column."""
    widths = {place: least[place] for place in kept}
    for place in sorted(kept, key=lambda place: (place == 0, table.columns[place].kind == "prose")):
        widths[place] += min(widest[place] - widths[place], width - _total(list(widths.values())))
    return widths


def _wrapped(text: str, width: int | None) -> list[str]:
    """Lines of at most ``width``, broken at spaces only; a line of the text begins its own."""
    texts = printable_lines(text).split("\n")
    if width is None:
        return texts
    broken: list[str] = []
    for line in texts:
        indent = line[: len(line) - len(line.lstrip(" "))]
        current, *words = BREAK.split(line[len(indent) :])
        for word in words:
            if _size(f"{indent}{current} {word}") <= width:
                current = f"{current} {word}"
            else:
                broken.append(indent + current)
                current = word
        broken.append(indent + current)
    return broken


def _grid(table: Table, widths: dict[int, int]) -> Iterator[Line]:
    rule = _rule() * _total(list(widths.values()))
    header = {place: _wrapped(table.columns[place].name, size) for place, size in widths.items()}
    height = max(map(len, header.values()))
    raised = {place: [""] * (height - len(texts)) + texts for place, texts in header.items()}
    yield from (Line(text, "bold") for text in _aligned(table, raised, widths))
    yield Line(rule)
    for rows in filter(None, (table.rows, table.totals)):
        if rows is table.totals:
            yield Line(rule)
        for number, row in enumerate(rows):
            style = "red" if rows is table.rows and number in table.marked else ""
            yield from (Line(text, style) for text in _aligned(table, _row_lines(table, row, widths), widths))


def _row_lines(table: Table, row: Sequence[str], widths: dict[int, int]) -> dict[int, list[str]]:
    texts = {place: [printable(row[place])] for place in widths}
    for place, (text,) in texts.items():
        if table.columns[place].kind == "prose":
            texts[place] = _wrapped(text, widths[place])
    if 0 in texts and _size(texts[0][0]) > widths[0]:
        return {place: cell if place == 0 else ["", *cell] for place, cell in texts.items()}
    return texts


def _aligned(table: Table, cells: dict[int, list[str]], widths: dict[int, int]) -> Iterator[str]:
    """The printed lines of a row whose cells have several."""
    for number in range(max(map(len, cells.values()))):
        parts = []
        for place, texts in cells.items():
            text = texts[number] if number < len(texts) else ""
            space = " " * (widths[place] - _size(text))
            parts.append(space + text if table.columns[place].kind == "number" else text + space)
        yield (" " * GAP).join(parts).rstrip()


def _records(table: Table, width: int) -> Iterator[Line]:
    """Each row as lines of column and cell; a cell that does not fit behind its column's name has a line of its own."""
    names = [printable(column.name) for column in table.columns]
    label = max(map(_size, names))
    for number, row in enumerate((*table.rows, *table.totals)):
        style = "red" if number in table.marked and number < len(table.rows) else ""
        if number:
            yield Line("")
        for name, column, cell in zip(names, table.columns, map(printable, row), strict=True):
            room = width - label - GAP
            texts = _wrapped(cell, room) if column.kind == "prose" else [cell]
            if max(map(_size, texts)) > room:
                yield Line(name, style)
                yield from (Line(text, style) for text in (_wrapped(cell, width) if column.kind == "prose" else [cell]))
                continue
            for place, text in enumerate(texts):
                head = "" if place else name
                yield Line(f"{head}{' ' * (label + GAP - _size(head))}{text}".rstrip(), style)


def _rule() -> str:
    """A letter of a line that the standard output can show."""
    try:
        "─".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "-"
    return "─"
