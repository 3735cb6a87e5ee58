"""Help and errors of the commands' parsers."""

import pytest

from lit_cnn.cli.command_parser import CommandParser


def parser() -> CommandParser:
    text = """``lit-cnn toy X`` and
    what it does."""
    made = CommandParser("lit-cnn toy", text.replace("    what", "what"), example="lit-cnn toy 1", epilog="More.")
    made.add_argument("--per-class", action="store_true", help="a row for each")
    made.add_argument("--out", help="where")
    return made


def test_a_help_is_filled_text_with_the_example_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = parser().format_help()
    assert "\nlit-cnn toy X and what it does.\n" in text
    assert text.endswith("\nMore.\n\nexample: lit-cnn toy 1\n")


def test_indented_lines_of_a_docstring_stay_as_they_are() -> None:
    made = CommandParser("lit-cnn toy", "Does it.\n\n    lit-cnn toy A     one\n    lit-cnn toy B     two\n")
    assert "\n    lit-cnn toy A     one\n    lit-cnn toy B     two\n" in made.format_help()


@pytest.mark.parametrize(
    ("flag", "hint"), [("--perclass", "did you mean --per-class?"), ("--per", "did you mean --per-class?"), ("--x", "")]
)
def test_an_unknown_flag_gets_the_nearest(flag: str, hint: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        parser().parse_args([flag])
    assert stop.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"lit-cnn toy: error: unrecognized arguments: {flag}" + (f"; {hint}" if hint else "")
