from dataclasses import replace
from pathlib import Path

from made_choice import make_choice

from lit_cnn.choosing.explaining import by_reason
from lit_cnn.choosing.page import choice_html


def test_a_busy_machine_and_an_overrun_are_warned_of(tmp_path: Path) -> None:
    chosen = replace(make_choice(tmp_path), busy=1e6, spent=9999.0)
    html = choice_html(chosen)
    assert "The machine was busy" in html
    assert "More time was spent than the budget has" in html
    quiet = choice_html(replace(chosen, busy=0.0, spent=1.0))
    assert "The machine was busy" not in quiet
    assert "More time was spent" not in quiet


def test_what_was_not_tried_is_told_by_reason() -> None:
    untried = {"a-224": "no time", "others": "a short list", "b-224": "no time"}
    assert by_reason(untried) == {"no time": "a-224, b-224", "a short list": "others"}
