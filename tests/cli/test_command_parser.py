"""Help and errors of the commands' parsers."""

import pytest

from lit_cnn.cli.command_parser import CommandParser, recipes_first, require_recipe


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


def test_recipes_before_the_first_flag_are_configs() -> None:
    assert recipes_first(["a", "b", "--key", "c"]) == ["--config", "a", "--config", "b", "--key", "c"]
    assert recipes_first(["--config", "a"]) == ["--config", "a"]
    assert recipes_first([]) == []


@pytest.mark.parametrize("words", [[], ["--trainer.max_epochs", "1"]])
def test_without_a_recipe_the_answer_is_how_one_is_named(words: list[str]) -> None:
    with pytest.raises(ValueError, match="name a recipe, such as lit-cnn toy quickstart"):
        require_recipe(words, "lit-cnn toy")


@pytest.mark.parametrize("words", [["--config", "quickstrat"], ["-c", "quickstrat"], ["--config=quickstrat"]])
def test_a_recipe_that_does_not_exist_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"no recipe quickstrat; did you mean quickstart"):
        require_recipe(words, "lit-cnn toy")


def test_a_recipe_may_be_flags_alone() -> None:
    require_recipe(["--model.architecture=resnet18", "--data.source", "digits"], "lit-cnn toy")
