"""The tables, and reading the name of the failed test out of pytest's output."""

from dataclasses import replace

from reporting import Result, shortened, table, totals
from running import failed_test

KILLED = Result(
    identity="1",
    room="data",
    place="lit_cnn/data/a.py:7",
    line="return a | b",
    kind="comparison",
    original="a | b",
    mutant="None",
    verdict="killed",
    test="tests/data/test_a.py::test_a",
    seconds=3.0,
)
SURVIVED = replace(KILLED, room="training", verdict="survived", test="")


def test_survivors_stand_first_and_bars_are_escaped() -> None:
    rows = table([KILLED, SURVIVED]).splitlines()[2:]
    assert rows == [
        r"| training | lit_cnn/data/a.py:7 | `return a \| b` | `a \| b` → `None` | **survived** |",
        r"| data | lit_cnn/data/a.py:7 | `return a \| b` | `a \| b` → `None` | killed: tests/data/test_a.py::test_a |",
    ]


def test_totals_count_a_timeout_as_killed() -> None:
    rows = totals([KILLED, SURVIVED, replace(SURVIVED, verdict="timeout")]).splitlines()[2:]
    assert rows == ["| data | 1 | 1 | 0 |", "| training | 2 | 1 | 1 |", "| all | 3 | 2 | 1 |"]


def test_long_code_is_one_short_line() -> None:
    assert shortened("a\n  + b") == "a + b"
    assert shortened("abcdef", 4) == "abc…"


def test_the_failed_test_is_read_from_the_summary() -> None:
    assert failed_test("..F\nFAILED tests/a.py::test_b[c d] - a - b\n1 failed") == "tests/a.py::test_b[c d]"
    assert failed_test("ERROR tests/a.py\n1 error") == "tests/a.py"
    assert failed_test("Segmentation fault") == "?"
