"""Tables in LaTeX."""

import shutil
import subprocess
from pathlib import Path

import pytest
from nasty_names import NASTY

from lit_cnn.cli.latex import latex, latex_text
from lit_cnn.cli.tables import Column, Table


def test_a_table_has_booktabs_rules_and_columns_by_kind() -> None:
    columns = [Column("name", "name"), Column("top-1 (%)")]
    table = Table(columns, [["a_b", "1 ± 2"]], title="50 %", notes=["x\ny"], totals=[["c", "−"]])
    assert latex(table).splitlines() == [
        "% x",
        "% y",
        r"\begin{table}",
        r"\centering",
        r"\caption{50 \%}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"name & top-1 (\%) \\",
        r"\midrule",
        r"a\_b & 1 $\pm$ 2 \\",
        r"\midrule",
        r"c & $-$ \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


@pytest.mark.parametrize("name", NASTY)
def test_no_name_ends_a_cell_a_row_or_a_note(name: str) -> None:
    text = latex(Table([Column("name", "name"), Column("n")], [[name, "1"]], notes=[name]))
    assert text.count(" & ") == 2
    assert all(line.startswith("%") for line in text.split("\\begin{table}")[0].splitlines())


def test_characters_that_latex_reads_are_escaped() -> None:
    assert latex_text("a_b^c\\d") == r"a\_b\textasciicircum{}c\textbackslash{}d"
    assert latex_text("$5 & #1 {~}") == r"\$5 \& \#1 \{\textasciitilde{}\}"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_sets_it(tmp_path: Path) -> None:
    names = [name for name in NASTY if name.isascii() and name.isprintable()]
    table = latex(Table([Column("name", "name"), Column("n")], [[name, "1 ± 2"] for name in names]))
    (tmp_path / "a.tex").write_text(
        f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{table}\\end{{document}}"
    )
    subprocess.run(["pdflatex", "-halt-on-error", "a.tex"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "a.pdf").stat().st_size > 1000
