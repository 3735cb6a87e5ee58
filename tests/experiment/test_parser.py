"""What is said about a wrong key: the nearest right one, looked for among its siblings first."""

import pytest

from lit_cnn.experiment.parser import explain, nearest_key

KEYS = ["seed", "data.crop", "data.batch_size", "model.crop", "model.optimizer.learning_rate", "trainer.max_epochs"]


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
    assert nearest_key(name, KEYS) == nearest


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    message = "Option 'data.batch_sise' is not accepted"
    assert explain(message, KEYS) == "the recipe has no key 'data.batch_sise'; did you mean 'data.batch_size'?"
    assert explain("Option 'zzz' is not accepted", KEYS) == "the recipe has no key 'zzz'"
