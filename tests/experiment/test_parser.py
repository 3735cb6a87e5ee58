"""What is said about a wrong key: the nearest right one, looked for among its siblings first."""

import os
import threading
from pathlib import Path

import pytest

from lit_cnn.experiment.files import find_recipe
from lit_cnn.experiment.parser import RecipeCLI, explain, nearest_key, resolve_configs

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


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["--config", "quickstart"], "ResNet-20 on handwritten digits"),
        (["--config", "quickstart", "--model.architecture", "cifar_resnet8"], "cifar_resnet8 on digits"),
        (["--config", "folder", "--data.path", "my/photos"], "ResNet-18 on a folder of images"),
        (["--config", "folder", "--data.path", "my/photos", "--model.architecture=resnet50"], "resnet50 on photos"),
        (["--config", "quickstart", "--model.architecture=cifar_resnet8", "--about.title=mine"], "mine"),
        (["--config", "efficientnet_b0", "--config", "overlays/efficientnet_b1"], "EfficientNet-B1 on ImageNet"),
    ],
)
def test_the_title_is_of_the_network_and_data_that_are_trained(arguments: list[str], title: str) -> None:
    assert RecipeCLI(resolve_configs(arguments)).config.about.title == title


def test_a_recipe_is_read_from_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = find_recipe("quickstart").read_text()
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    cli = RecipeCLI(resolve_configs(["--config", str(pipe)]))
    writer.join()
    assert cli.config.model.architecture == "cifar_resnet20"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--epochs", "2"], "did you mean 'trainer.max_epochs'?"),
        (["--model.optimizer.lr", "0.1"], "did you mean 'model.optimizer.learning_rate'?"),
        (["--model.pretrained", "true"], "did you mean 'model.initial.checkpoint'?"),
        (["--model.freeze", "5"], "the recipe has no key 'model.freeze'"),
        (
            ["--data.mixup", "0.2"],
            "data.mixup is a section with the keys alpha, .*; did you mean --data.mixup.alpha 0.2?",
        ),
        (["--model.architecure", "x"], "did you mean 'model.architecture'?"),
    ],
)
def test_a_key_of_other_programs_is_answered_with_ours(arguments: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("?", r"\?") + ("$" if "freeze" in says else "")):
        RecipeCLI([*resolve_configs(["--config", "quickstart"]), *arguments])
