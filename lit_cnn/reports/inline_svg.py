"""Figures as SVG inside an HTML page: text stays text, colors follow the page, and ids do not meet those of others."""

import io
import re
import warnings
from html import escape

import matplotlib
from matplotlib.figure import Figure

from lit_cnn.printable import printable
from lit_cnn.reports.canvas import BLUE, GRAY, GRID, INK, RED, ROSE, take_as_plain_text
from lit_cnn.reports.reliability import LIGHT_BLUE

_COLORS = {
    INK: "currentColor",
    "#000000": "currentColor",
    GRAY: "var(--gray)",
    GRID: "var(--grid)",
    BLUE: "var(--blue)",
    LIGHT_BLUE: "var(--light-blue)",
    RED: "var(--red)",
    ROSE: "var(--rose)",
}
"""The pictures' colors -> what the page's style sheet calls them, in which a dark page has others."""
_LINES_AROUND = ("stroke: #ffffff", "stroke: var(--page)")
"""White around a mark is the page's color."""


def inline_svg(figure: Figure, name: str, title: str, description: str = "") -> str:
    """The figure as an ``<svg>`` element on a transparent ground, the same for the same figure.

    Args:
        figure: What is drawn.
        name: Begins every id in it: of letters, digits and hyphens, another for each picture of a page.
        title: What it is, for those who do not see it.
        description: What it shows.

    Raises:
        ValueError: If the name has other characters.
    """
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"the name of an inline picture has letters, digits and hyphens, got {name!r}")
    take_as_plain_text(figure)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _labeled(_with_own_ids(_colored(_element(text.getvalue())), name), title, description)


def _element(document: str) -> str:
    """The ``<svg>`` element of a document, without what belongs to a file alone."""
    svg = document[document.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = (
        re.sub(r'\s(?:xmlns(?::xlink)?|version|width|height)="[^"]*"', "", svg[: svg.index(">")])
        + svg[svg.index(">") :]
    )
    return re.sub(r"\n\s*", "\n", svg.replace("xlink:href", "href"))


def _colored(svg: str) -> str:
    for color, variable in _COLORS.items():
        svg = svg.replace(f": {color}", f": {variable}")
    return svg.replace(*_LINES_AROUND)


def _with_own_ids(svg: str, name: str) -> str:
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)


def _labeled(svg: str, title: str, description: str) -> str:
    parts = [f"<title>{escape(printable(title))}</title>"]
    parts += [f"<desc>{escape(printable(description))}</desc>"] if description else []
    end = svg.index(">")
    return f'{svg[:end]} role="img">\n{"".join(parts)}{svg[end + 1 :]}'
