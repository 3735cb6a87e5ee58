"""Tables, JSON and figures as the commands print them."""

import json
import math
from dataclasses import dataclass

import pytest

from lit_cnn.cli.console import as_json, busy_warning, console, markdown, metric, number, percent, points, span, table


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
    assert [metric("val/loss", 0.5), metric("val/acc1", 0.5)] == ["0.5000", "50.00%"]


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
