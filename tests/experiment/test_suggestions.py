"""Words that are no key of a recipe, and the keys that were meant."""

import pytest

from lit_cnn.experiment.jsonargparse_internals import keys_of
from lit_cnn.experiment.parser import recipe_parser
from lit_cnn.experiment.suggestions import DERIVED, WORDS, explain, nearest_key, value_for_section

KEYS = keys_of(recipe_parser())


def test_every_word_stands_for_a_key_of_recipes() -> None:
    announced = {"model.initial.freeze_epochs"}  # suggested where the recipe has it
    assert set(WORDS) - announced <= set(KEYS)
    assert set(DERIVED) <= set(KEYS)
    words = [word for group in WORDS.values() for word in group]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("epoch", "trainer.max_epochs"),
        ("num-epochs", "trainer.max_epochs"),
        ("trainer.epochs", "trainer.max_epochs"),
        ("lr", "model.optimizer.learning_rate"),
        ("model.optimizer.lr", "model.optimizer.learning_rate"),
        ("model.lr", "model.optimizer.learning_rate"),
        ("optimizer.lr", None),
        ("momentum", "model.optimizer.momentum"),
        ("imgsz", "data.image_size"),
        ("image-size", "data.image_size"),
        ("data.imgsz", "data.image_size"),
        ("pretrained", "model.initial.checkpoint"),
        ("model.pretrained", "model.initial.checkpoint"),
        ("batchsize", "data.batch_size"),
        ("label-smoothng", "model.loss.label_smoothing"),
        ("model.optimizer.weight_decai", "model.optimizer.weight_decay"),
        ("trainer.gpus", "trainer.devices"),
        ("model.freeze", None),
        ("seeds", "seed_everything"),
        ("about.titel", "about.title"),
        ("xyzzy", None),
    ],
)
def test_the_key_that_was_meant(typed: str, meant: str | None) -> None:
    if "freeze" in typed:
        meant = "model.initial.freeze_epochs" if "model.initial.freeze_epochs" in KEYS else None
    assert nearest_key(typed, KEYS) == meant


def test_a_value_for_a_section_names_the_key_that_takes_it() -> None:
    text = value_for_section("data.mixup", "0.2", KEYS)
    assert text.endswith("not a value (0.2); did you mean --data.mixup.alpha 0.2?")
    text = value_for_section("data", "photos", KEYS)
    assert text.endswith("did you mean --data.path photos?")
    assert " more, not a value" in text
    assert len(text) < 250
    assert "--model.optimizer.name adam" in value_for_section("model.optimizer", "adam", KEYS)


def test_a_message_without_a_key_stays() -> None:
    assert explain("something else", KEYS) == "something else"
    assert explain("Option 'batch_sise' is not accepted", KEYS).endswith("did you mean 'data.batch_size'?")


FEW = ["seed", "data.crop", "data.batch_size", "model.crop", "model.optimizer.learning_rate", "trainer.max_epochs"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("data.crob", "data.crop"),
        ("model.crob", "model.crop"),  # as near to data.crop, but that is no sibling
        ("model.batch_size", "data.batch_size"),
        ("learning_rat", "model.optimizer.learning_rate"),  # by its last part alone
        ("zzz", None),
    ],
)
def test_the_nearest_key(name: str, nearest: str | None) -> None:
    assert nearest_key(name, FEW) == nearest


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    message = "Option 'data.batch_sise' is not accepted"
    assert explain(message, FEW) == "the recipe has no key 'data.batch_sise'; did you mean 'data.batch_size'?"
    assert explain("Option 'zzz' is not accepted", FEW) == "the recipe has no key 'zzz'"
