"""Tables in LaTeX, with the rules of the package booktabs."""

from collections.abc import Sequence

from lit_cnn.cli.tables import Table
from lit_cnn.printable import printable

REPLACED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
}
"""Characters that LaTeX reads as something else, or that not every font of it has."""


def latex_text(text: str) -> str:
    """A text on one line that LaTeX sets as it is.

    >>> latex_text("width_multiplier=50%")
    'width\\\\_multiplier=50\\\\%'
    """
    return "".join(REPLACED.get(character, character) for character in printable(text))


def latex(table: Table) -> str:
    """The whole table as a ``table`` environment, its title as the caption and its notes as comments."""
    columns = "".join("r" if column.kind == "number" else "l" for column in table.columns)
    header = _row([column.name for column in table.columns])
    caption = [f"\\caption{{{latex_text(table.title)}}}"] if table.title else []
    totals = [r"\midrule", *map(_row, table.totals)] if table.totals else []
    notes = [f"% {printable(line)}" for note in table.notes for line in note.split("\n")]
    return "\n".join(
        [
            *notes,
            r"\begin{table}",
            r"\centering",
            *caption,
            f"\\begin{{tabular}}{{{columns}}}",
            *(r"\toprule", header, r"\midrule"),
            *map(_row, table.rows),
            *totals,
            *(r"\bottomrule", r"\end{tabular}", r"\end{table}"),
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(latex_text, cells)) + r" \\"
