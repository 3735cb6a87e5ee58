"""Self-contained HTML pages from plain data: text, tables, pictures and images in sections; no script, no request.

A page is one file that opens from a mail or an archive: its pictures are inline SVG and ``data:`` images, its Content
Security Policy allows nothing else, and it reads on a phone, in dark mode and on paper. Every text is taken as text,
whatever names of classes and files hold.
"""

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lit_cnn.printable import printable, printable_lines

if TYPE_CHECKING:  # a page is rendered at the end; jinja2 need not be there for the data alone
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What the page may load: nothing but images within it."""


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Args:
        text: Its words.
        warning: Set off from the others, for what is missing or doubtful.
    """

    kind: ClassVar[str] = "text"
    text: str
    warning: bool = False


@dataclass(frozen=True)
class HtmlTable:
    """Rows of text below columns; the first cell of a row is its heading.

    Args:
        caption: What the table holds.
        columns: Headings; none for a table of names and values.
        rows: A cell for each column.
        words: Places of the columns whose cells are words, on the left; others are numbers, on the right.
        bars: Place of a column -> share in [0, 1] of each row, drawn behind its cell.
        shades: Share in [0, 1] of each cell after the first of each row, which colors it; None colors none.
        upright: Headings of columns are written upwards, as of a matrix.
        folded: Shown when it is opened.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Collection[int] = (0,)
    bars: Mapping[int, Sequence[float]] = field(default_factory=dict)
    shades: Sequence[Sequence[float]] | None = None
    upright: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """Pictures next to each other, and below each other on a phone, with the numbers in them.

    Args:
        caption: What they show.
        pictures: SVG of ``inline_svg``, which names and describes each.
        table: Their numbers, which open below.
    """

    kind: ClassVar[str] = "figure"
    caption: str
    pictures: Sequence[str]
    table: HtmlTable


@dataclass(frozen=True)
class Image:
    """An image within the page.

    Args:
        uri: ``data:`` URI (see ``thumbnails.py``).
        alt: What it shows.
        lines: Texts below it.
        framed: In red, as a wrong answer.
        coarse: Enlarged without smoothing, since it has few pixels.
    """

    uri: str
    alt: str
    lines: Sequence[str] = ()
    framed: bool = False
    coarse: bool = False


@dataclass(frozen=True)
class Images:
    """Images in rows; ``wide`` gives each the whole width."""

    kind: ClassVar[str] = "images"
    caption: str
    images: Sequence[Image]
    wide: bool = False


@dataclass(frozen=True)
class Code:
    """Lines as they are, such as commands or a recipe.

    Args:
        text: The lines.
        caption: What they are; of a folded block its only visible line.
        folded: Shown when it is opened.
    """

    kind: ClassVar[str] = "code"
    text: str
    caption: str = ""
    folded: bool = False


Block = Text | HtmlTable | Figure | Images | Code


@dataclass(frozen=True)
class Section:
    """Blocks below a heading.

    Args:
        heading: Its words.
        blocks: In order.
        level: 2 for a part of the page, 3 for a part of that.
    """

    heading: str
    blocks: Sequence[Block]
    level: int = 2


@dataclass(frozen=True)
class Page:
    """A whole page.

    Args:
        title: Its heading.
        lead: A line below it.
        sections: In order; the first of level 3 has one of level 2 before it.
    """

    title: str
    lead: str
    sections: Sequence[Section]


def render(page: Page) -> str:
    """The page as HTML.

    Raises:
        ValueError: If a row has not a cell for each column.
    """
    for section in page.sections:
        for block in section.blocks:
            _check(block.table if isinstance(block, Figure) else block)
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    anchors = anchors_of([section.heading for section in page.sections])
    sections = list(zip(anchors, page.sections, strict=True))
    return _environment().get_template("page.html.j2").render(page=page, sections=sections, style=style, policy=POLICY)


def _check(block: Block) -> None:
    if isinstance(block, HtmlTable) and block.columns and any(len(row) != len(block.columns) for row in block.rows):
        raise ValueError(f"each row of the table {block.caption!r} needs {len(block.columns)} cells")


def anchors_of(headings: Sequence[str]) -> list[str]:
    """An id for each heading, all different: its letters and digits.

    >>> anchors_of(["Worst images", "Worst images", "猫"])
    ['worst-images', 'worst-images-2', 'part']
    """
    anchors: list[str] = []
    for heading in headings:
        name = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "part"
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        anchors.append(next(each for each in itertools.chain([name], numbered) if each not in anchors))
    return anchors


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"lines": _lines, "breakable": _breakable}
    return environment


def _shown(value: Any) -> Any:
    """A text of anyone's on one line, with escapes for what cannot be shown; the template's own markup as it is."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else printable(value)


def _lines(text: str) -> Any:
    """Several lines, each as ``_shown`` shows it."""
    from markupsafe import escape

    return escape(printable_lines(text))


def _breakable(text: str) -> Any:
    """A text that may be broken after the separators of paths and keys, but not within a number."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([/_]|\.(?!\d))(?=\w)", r"\1<wbr>", str(escape(printable(text)))))
