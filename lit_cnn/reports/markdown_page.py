"""A page of ``html_page.py`` as Markdown: the same words and tables; a picture is given by its numbers."""

import re
from collections.abc import Sequence

from lit_cnn.printable import printable, printable_lines
from lit_cnn.reports.html_page import Block, Code, Figure, HtmlTable, Images, Page, Text


def render_markdown(page: Page) -> str:
    """The page as GitHub shows it.

    Raises:
        ValueError: If it has images, which Markdown cannot hold.
    """
    parts = [f"# {_text(page.title)}", _text(page.lead)]
    for section in page.sections:
        parts.append(f"{'#' * section.level} {_text(section.heading)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    match block:
        case Text():
            return f"> {_text(block.text)}" if block.warning else _text(block.text)
        case HtmlTable():
            return _table(block)
        case Figure():
            return f"{_text(block.caption)}\n\n{_table(block.table)}"
        case Code():
            fenced = f"```\n{printable_lines(block.text)}\n```"
            return _folded(block.caption, fenced) if block.folded else f"{_text(block.caption)}\n\n{fenced}".strip()
        case Images():
            raise ValueError("a Markdown page holds no images")


def _table(table: HtmlTable) -> str:
    columns = table.columns or [""] * max((len(row) for row in table.rows), default=1)
    rules = [":--" if place in table.words else "--:" for place in range(len(columns))]
    lines = [_row(columns), _row(rules, escaped=False), *map(_row, table.rows)]
    rows = "\n".join(lines)
    return _folded(table.caption, rows) if table.folded else f"{_text(table.caption)}:\n\n{rows}"


def _row(cells: Sequence[str], *, escaped: bool = True) -> str:
    return f"| {' | '.join(_text(cell) if escaped else cell for cell in cells)} |"


def _folded(caption: str, inside: str) -> str:
    return f"<details>\n<summary>{_text(caption)}</summary>\n\n{inside}\n\n</details>"


def _text(text: str) -> str:
    """Without characters that would begin markup."""
    return re.sub(r"([\\|*`]|\](?=\()|(?<!\w)_|_(?!\w))", r"\\\1", printable(text)).replace("<", "&lt;")
