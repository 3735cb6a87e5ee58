"""Tables, JSON and figures as the commands print them."""

import ast
import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from nasty_names import ESCAPED, NASTY, SHOWN_AS_THEY_ARE

from lit_cnn.cli import console as console_module
from lit_cnn.cli.console import (
    as_json,
    busy_warning,
    console,
    line_console,
    markdown,
    number,
    percent,
    points,
    say,
    span,
    table,
)
from lit_cnn.training.monitor import metric_text


@dataclass
class Figures:
    accuracy: float
    parts: tuple[float, ...]


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (None, 0.01234, 12.34, 1234.5)] == ["–", "0.0123", "12.3", "1,234"]


def test_several_counts_are_a_span() -> None:
    assert [span([7, 7]), span([1200, 7, 9])] == ["7", "7 to 1,200"]


def test_shares_and_losses() -> None:
    assert [percent(0.91254), percent(math.nan)] == ["91.25 %", "-"]
    assert points(0.004) == "+0.40"
    assert points(-0.004, (-0.01, 0.002)) == "-0.40 [-1.00, +0.20]"
    assert [metric_text("val/loss", 0.5), metric_text("val/acc1", 0.5)] == ["0.5000", "50.00%"]


def test_json_holds_dataclasses_and_null_for_nan() -> None:
    text = as_json({"inner": [Figures(math.nan, (1.0, math.nan))], "text": "nan"})
    assert json.loads(text) == {"inner": [{"accuracy": None, "parts": [1.0, None]}], "text": "nan"}


def test_a_markdown_table_has_numbers_on_the_right() -> None:
    rows = [["a", "1"], ["b", "2"]]
    assert markdown(["name", "px"], rows, left=["name"]) == "| name | px |\n|---|---:|\n| a | 1 |\n| b | 2 |"
    assert markdown(["name", "px"], rows).splitlines()[1] == "|---|---|"


def test_a_table_has_numbers_on_the_right_and_words_on_the_left(capsys: pytest.CaptureFixture[str]) -> None:
    console(40).print(table(["name", "px"], [["a", "1"], ["long", "224"]], left=["name"], title="sizes"))
    lines = capsys.readouterr().out.splitlines()
    assert "sizes" in lines[0]
    assert "│ a    │   1 │" in lines
    assert "│ long │ 224 │" in lines


def test_a_load_above_half_of_the_cores_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert busy_warning(None) == busy_warning(2.0) == ""
    assert "load average 2.5 on 4 cores" in busy_warning(2.5)


@pytest.mark.parametrize(("name", "shown"), [*ESCAPED.items(), *((name, name) for name in SHOWN_AS_THEY_ARE)])
def test_names_are_plain_text_wherever_they_are_printed(
    name: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console(400).print(table(["name", "images"], [[name, "1"]], title=f"of {name}", caption=f"in {name}"))
    line_console().print(f"run folder: {name}/x")
    say(f"wrote {name}")
    out = capsys.readouterr().out
    assert f"│ {shown} " in out
    broken = shown.replace(r"\n", "\n")  # lines stay lines outside of cells
    for text in (f"run folder: {broken}/x", f"wrote {broken}"):
        assert text in out
    for text in (f"of {broken}", f"in {broken}"):
        assert all(line in out for line in text.split("\n"))
    assert "\x1b" not in out


def test_a_name_wider_than_its_column_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    names = [name for name in NASTY if len(name) > 150]
    console(60).print(table(["class", "images"], [[name, "1"] for name in names], left=["class"]))
    cells = [line.split("│")[1].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert "".join(cells) == "".join(names)


def test_names_in_json_come_back() -> None:
    out = as_json({name: [name] for name in NASTY})
    assert out.isascii()
    assert json.loads(out) == {name: [name] for name in NASTY}


def test_a_markdown_cell_stays_in_its_cell() -> None:
    assert markdown(["name"], [["a | b\nc"]]).splitlines()[-1] == r"| a \| b\nc |"


PRINTED = ("as_json(", "usage()", "cli.dump()")
"""What commands print with Python's own function: no names, or names that are escaped."""


def test_commands_print_names_through_say_or_a_console() -> None:
    folder = Path(console_module.__file__).parent
    calls = [
        (file.name, ast.unparse(node))
        for file in sorted(folder.glob("*.py"))
        if file.name != "console.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "Console")
    ]
    assert [call for call in calls if not call[1].startswith(tuple(f"print({text}" for text in PRINTED))] == []
