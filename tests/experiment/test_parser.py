"""Recipes as they are read: their title, pipes, precision, and what is wrong in a file."""

import os
import threading
from pathlib import Path

import pytest

from lit_cnn.experiment.files import find_recipe
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs


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


def test_a_piped_recipe_keeps_its_title_and_is_the_first_below_single_keys() -> None:
    text = find_recipe("quickstart").read_text() + "\n"
    cli = RecipeCLI(["--config", text, "--trainer.max_epochs=2"])
    assert cli.config.about.title == "ResNet-20 on handwritten digits"
    first = cli.first_file()
    assert first is not None
    assert first["trainer"]["max_epochs"] == 20


def test_a_piped_recipe_with_a_key_that_stands_twice_is_refused_by_its_number() -> None:
    with pytest.raises(ValueError, match=r"^recipe 1, line 2: the key task stands twice"):
        RecipeCLI(["--config", "task: detection\ntask: detection\n"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--epochs", "2"], "did you mean 'trainer.max_epochs'?"),
        (["--model.optimizer.lr", "0.1"], "did you mean 'model.optimizer.learning_rate'?"),
        (["--model.pretrained", "true"], "did you mean 'model.initial.checkpoint'?"),
        (["--model.freeze", "5"], "did you mean 'model.initial.freeze_epochs'?"),
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


def test_a_wrong_value_of_the_command_line_is_not_blamed_on_the_recipe() -> None:
    with pytest.raises(ValueError, match=r"^recipe key \"trainer\.max_epochs\": expected int or null"):
        RecipeCLI(resolve_configs(["--config", "quickstart", "--trainer.max_epochs", "two"]))
