"""Lines, JSON and figures as the commands print them."""

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
    line_console,
    number,
    percent,
    points,
    say,
    span,
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
    assert [percent(0.91254), percent(math.nan)] == ["91.25 %", "–"]
    assert points(0.004) == "+0.40"
    assert points(-0.004, (-0.01, 0.002)) == "-0.40 [-1.00, +0.20]"
    assert [metric_text("val/loss", 0.5), metric_text("val/acc1", 0.5)] == ["0.5000", "50.00 %"]


def test_json_holds_dataclasses_and_null_for_nan() -> None:
    text = as_json({"inner": [Figures(math.nan, (1.0, math.nan))], "text": "nan"})
    assert json.loads(text) == {"inner": [{"accuracy": None, "parts": [1.0, None]}], "text": "nan"}


def test_a_load_above_half_of_the_cores_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert busy_warning(None) == busy_warning(2.0) == ""
    assert "load average 2.5 on 4 cores" in busy_warning(2.5)


@pytest.mark.parametrize(("name", "shown"), [*ESCAPED.items(), *((name, name) for name in SHOWN_AS_THEY_ARE)])
def test_names_are_plain_text_wherever_they_are_printed(
    name: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line_console().print(f"run folder: {name}/x")
    say(f"wrote {name}")
    out = capsys.readouterr().out
    broken = shown.replace(r"\n", "\n")  # lines stay lines outside of cells
    for text in (f"run folder: {broken}/x", f"wrote {broken}"):
        assert text in out
    assert "\x1b" not in out


def test_names_in_json_come_back() -> None:
    out = as_json({name: [name] for name in NASTY})
    assert out.isascii()
    assert json.loads(out) == {name: [name] for name in NASTY}


PRINTED = ("as_json(", "usage()", "versions()", "cli.dump()", "shtab.complete(")
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
