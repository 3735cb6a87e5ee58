"""What the pages of several benchmarks write in the same way."""

import math
import statistics
import textwrap
from collections.abc import Sequence
from pathlib import Path


def wrapped(text: str) -> str:
    """A paragraph of Markdown in lines of 120 characters."""
    return textwrap.fill(text, 120)


def percent(values: Sequence[float]) -> str:
    """Mean of shares in percent, with its standard error where there are several; a dash for none."""
    if not values:
        return "–"
    mean = 100 * statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.1f}"
    return f"{mean:.1f} ± {100 * statistics.stdev(values) / math.sqrt(len(values)):.1f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    return [_row(header), f"|{'|'.join(['---'] * len(header))}|", *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write_page(results: Path, lines: Sequence[str]) -> None:
    """Write the page of a results file, next to it and with the ending .md."""
    page = results.with_suffix(".md")
    page.write_text("\n".join(lines).rstrip() + "\n")
    print(f"wrote {page}")
