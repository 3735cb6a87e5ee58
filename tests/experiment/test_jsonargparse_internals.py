"""jsonargparse still says what is looked for in its messages; every message here is its own."""

import re
from pathlib import Path

import pytest
from jsonargparse import ArgumentError

from lit_cnn.experiment.jsonargparse_internals import (
    MISSING,
    SECTION_HELP,
    UNION,
    UNKNOWN,
    described_keys,
    keys_of,
    missing_key,
    plain,
    unknown_key,
)
from lit_cnn.experiment.parser import RecipeParser, recipe_parser

WORDS = "jsonargparse says it in other words, {!r}: adapt {} in lit_cnn/experiment/jsonargparse_internals.py"
RECIPE = ["--model.architecture=resnet50", "--data.source=digits"]


class Said(Exception):
    """What jsonargparse said before any of it was rewritten."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A function from arguments, or the text of a recipe, to jsonargparse's own message about them."""

    def raise_it(_parser: RecipeParser, message: str, _error: Exception | None = None) -> None:
        raise Said(message)

    monkeypatch.setattr(RecipeParser, "error", raise_it)

    def parse(wrong: str) -> str:
        (tmp_path / "recipe.yaml").write_text(wrong)
        arguments = [*RECIPE, wrong] if wrong.startswith("--") else ["--config", str(tmp_path / "recipe.yaml")]
        try:
            recipe_parser().parse_args(arguments)
        except (Said, ArgumentError) as error:
            return str(error)
        raise AssertionError(f"jsonargparse accepts {wrong!r}")

    return parse


@pytest.mark.parametrize(
    ("wrong", "key", "pattern"),
    [
        ("data: {batch_sise: 8}", "data.batch_sise", 0),
        ("model: {architecture: resnet50, optimizer: {learning_rat: 1}}", "model.optimizer.learning_rat", 0),
        ("augmentation: {flip: true}", "augmentation.flip", 1),
        ("--data.batch_sise=8", "data.batch_sise", 2),
        ("--data.batch_sise 8", "data.batch_sise", 2),
        ("--zzz", "zzz", 2),
    ],
)
def test_an_unknown_key_is_found_in_the_message(said, wrong: str, key: str, pattern: int) -> None:
    message = said(wrong)
    assert UNKNOWN[pattern].search(message), WORDS.format(message, f"UNKNOWN[{pattern}]")
    assert unknown_key(message) == key


def test_a_missing_key_is_found_in_the_message(said) -> None:
    message = said("data: {source: digits}")
    assert MISSING.search(message), WORDS.format(message, "MISSING")
    assert missing_key(message) == "model.architecture"
    assert missing_key(said("--data.batch_size=many")) is None


@pytest.mark.parametrize("wrong", ["--data.batch_size=many", "--data.workers=many", "--model.loss.name=hinge"])
def test_a_wrong_value_is_no_unknown_key(said, wrong: str) -> None:
    assert unknown_key(said(wrong)) is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("--data.batch_size=many", 'recipe key "data.batch_size": expected int. Got value: many'),
        ("--model.compile=maybe", 'recipe key "model.compile": expected bool. Got value: maybe'),
        (
            "--model.loss.name=hinge",
            "recipe key \"model.loss.name\": expected one of ['cross_entropy', 'binary_cross_entropy']. "
            "Got value: hinge",
        ),
    ],
)
def test_a_wrong_value_is_told_without_types_of_python(said, wrong: str, sentence: str) -> None:
    message = said(wrong)
    assert plain(message) == sentence, WORDS.format(message, "TYPE or plain")


def test_a_wrong_value_of_a_union_names_its_types_in_one_sentence(said) -> None:
    message = said("--data.workers=many")
    assert UNION.search(" ".join(message.split())), WORDS.format(message, "UNION")
    sentence = plain(message)
    found = re.fullmatch(r'recipe key "data\.workers": expected (.*)\. Got value: many', sentence)
    assert found, WORDS.format(sentence, "UNION or plain")
    assert set(found[1].split(" or ")) == {"int", "null"}, WORDS.format(sentence, "TYPE")


def test_the_keys_of_a_recipe_are_found() -> None:
    parser = recipe_parser()
    assert hasattr(parser, "_actions"), "the parser keeps its options elsewhere: adapt keys_of and described_keys"
    assert {"data", "data.batch_size", "model.optimizer.learning_rate", "trainer.max_epochs"} <= set(keys_of(parser))


def test_every_key_that_holds_a_value_is_described_and_no_section() -> None:
    parser = recipe_parser()
    helps = {action.dest: str(action.help) for action in parser._actions}
    assert helps["data"].startswith(SECTION_HELP), WORDS.format(helps["data"], "SECTION_HELP")
    found = {key.name: key for key in described_keys(parser)}
    assert found["monitor"].default == "val/acc1"
    assert found["monitor"].meaning == "Metric of the best epoch: its maximum or, of a loss, its minimum."
    assert found["data.seed"].default == ""
    assert found.keys().isdisjoint({"help", "config", "data", "model", "model.optimizer", "trainer"})
    assert found.keys() >= {"data.batch_size", "model.optimizer.learning_rate", "ema.decay", "about.title"}
