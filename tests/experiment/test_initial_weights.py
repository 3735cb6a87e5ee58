"""What a recipe takes from the weights that it starts from."""

from pathlib import Path
from typing import Any

import pytest
import torch

import lit_cnn
from lit_cnn.data.module import ImageData
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.experiment.initial_weights import DEFAULTS, KnownWeights, choices_of, fetch_weights
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.run_folder.checkpoint import FORMAT
from lit_cnn.training.fine_tuning import InitialWeights

MADE = Preprocessing((80, 80), 91, "squash", "bicubic", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), 3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of a ResNet of its own shortcuts and preprocessing."""
    path = tmp_path_factory.mktemp("weights") / "start.ckpt"
    options = {"shortcut": "projection", "dropout": 0.3}
    network = {"architecture": "cifar_resnet8", "options": options, "num_classes": 10, "in_channels": 3}
    state = lit_cnn.create_model("cifar_resnet8", shortcut="projection").state_dict()
    checkpoint = {"format": FORMAT, "network": network, "class_names": list("abcdefghij")}
    checkpoint |= {"preprocessing": MADE.as_dict(), "state_dict": {f"net.{key}": value for key, value in state.items()}}
    torch.save(checkpoint, path)
    return str(path)


def parsed(*arguments: str, pretrained: str | None = None) -> Any:
    return RecipeCLI(resolve_configs(list(arguments)), pretrained)


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_the_weights_bring_their_network_and_preprocessing(weights: str, tmp_path: Path) -> None:
    recipe = write(
        tmp_path / "own.yaml",
        f"model: {{initial: {{checkpoint: {weights}}}}}\ndata: {{source: imagefolder, path: photos}}\n",
    )
    cli = parsed("--config", recipe)
    config = cli.config
    assert config.model.architecture == "cifar_resnet8"
    assert config.model.options.shortcut == "projection"
    assert config.model.options.dropout is None  # how it was trained does not come along
    assert config.data.image_size == 80
    evaluation = config.data.evaluation
    assert (evaluation.resize, evaluation.resize_mode, evaluation.interpolation) == (91, "squash", "bicubic")
    assert tuple(config.data.normalize.mean) == MADE.mean
    assert "model.architecture cifar_resnet8" in cli.notices[0]


def test_the_weights_bring_the_same_to_a_recipe_from_a_pipe(weights: str) -> None:
    model, data = f"initial: {{checkpoint: {weights}}}", "source: imagefolder, path: photos, image_size: 64"
    text = f"model: {{{model}}}\ndata: {{{data}}}\n"
    for cli in (RecipeCLI(["--config", text]), RecipeCLI(["--config", text], weights)):
        config = cli.config
        assert (config.model.architecture, config.data.image_size) == ("cifar_resnet8", 64)
        assert "data.image_size 64 (theirs: 80)" in cli.notices[0]


def test_what_the_recipe_states_holds_and_the_difference_is_said(weights: str, tmp_path: Path) -> None:
    recipe = write(
        tmp_path / "own.yaml",
        f"model: {{architecture: cifar_resnet8, initial: {{checkpoint: {weights}}}}}\n"
        "data:\n  {source: imagefolder, path: photos, image_size: 40,\n"
        "   normalize: {mean: [0.1, 0.1, 0.1], std: [1, 1, 1]}}\n",
    )
    cli = parsed("--config", recipe, "--data.evaluation.interpolation", "nearest")
    data = cli.config.data
    assert data.image_size == 40
    assert data.evaluation.resize is None
    assert data.evaluation.crop_ratio == pytest.approx(80 / 91, abs=1e-6)
    assert tuple(data.normalize.mean) == (0.1, 0.1, 0.1)
    assert data.evaluation.interpolation == "nearest"
    differs = cli.notices[0].split("the recipe differs in ")[1]
    for said in ("data.image_size 40 (theirs: 80)", "data.evaluation.interpolation nearest (theirs: bicubic)"):
        assert said in differs
    assert "data.normalize.mean [0.1, 0.1, 0.1] (theirs: [0.5, 0.5, 0.5])" in differs


def test_the_defaults_of_a_recipe_are_those_of_its_data() -> None:
    data = ImageData("digits")
    assert choices_of(data.preprocessing) == DEFAULTS


def test_gray_images_take_the_mean_of_the_statistics(weights: str, tmp_path: Path) -> None:
    recipe = write(tmp_path / "own.yaml", f"model: {{initial: {{checkpoint: {weights}}}}}\ndata: {{source: digits}}\n")
    assert tuple(parsed("--config", recipe).config.data.normalize.std) == (0.25,)


def test_parts_of_another_network_bring_nothing() -> None:
    """VGG's grown networks take the layers of a smaller one, whose file need not be there to show the recipe."""
    cli = parsed("--config", "vgg16", "--config", "overlays/vgg16_grown")
    assert cli.notices == []


def test_another_network_keeps_its_own_options(weights: str, tmp_path: Path) -> None:
    """As VGG grows from a smaller one."""
    recipe = write(
        tmp_path / "own.yaml",
        f"model: {{architecture: vgg13, initial: {{checkpoint: {weights}}}}}\ndata: {{source: digits}}\n",
    )
    config = parsed("--config", recipe).config
    assert config.model.architecture == "vgg13"
    assert config.model.options.shortcut is None


def test_pretrained_puts_the_network_of_the_weights_in_the_place_of_the_recipes(weights: str) -> None:
    config = parsed("--config", "folder", pretrained=weights).config
    assert config.model.architecture == "cifar_resnet8"
    assert config.model.initial.checkpoint == weights
    assert config.data.image_size == 96  # the recipe's own
    stated = parsed("--config", "folder", "--model.architecture", "resnet34", pretrained=weights).config
    assert stated.model.architecture == "resnet34"


def test_published_weights_are_known_without_a_download() -> None:
    cli = parsed("--config", "finetune", pretrained="timm:efficientnet_b0.ra_in1k")
    assert cli.config.model.architecture == "efficientnet_b0"
    assert cli.config.model.options.padding == "symmetric"
    assert cli.config.model.initial.checkpoint == "timm:efficientnet_b0.ra_in1k"


def test_a_run_folder_stands_for_its_best_checkpoint(weights: str, tmp_path: Path) -> None:
    checkpoints = tmp_path / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / "best.ckpt").write_bytes(Path(weights).read_bytes())
    cli = parsed("--config", "folder", pretrained=str(tmp_path / "run"))
    assert cli.config.model.architecture == "cifar_resnet8"
    model = lit_cnn.Classifier("cifar_resnet8", initial=InitialWeights(str(tmp_path / "run")))
    fetch_weights(model)
    assert model.initial.checkpoint == str(checkpoints / "best.ckpt")


@pytest.mark.slow
def test_a_stored_recipe_does_not_ask_its_weights_again(tmp_path: Path) -> None:
    stored = {**parsed("--config", "finetune").config.as_dict()}
    del stored["config"]
    run = tmp_path / "run"
    run.mkdir()
    cli = parsed("--config", "finetune", "--model.initial.freeze_epochs=0")
    (run / "config.yaml").write_text(cli.dump().replace("timm:resnet50.a1_in1k", "gone.ckpt"))
    (run / "environment.json").write_text("{}")
    assert parsed("--config", str(run / "config.yaml")).config.model.initial.checkpoint == "gone.ckpt"


def test_published_weights_know_the_classes_of_imagenet() -> None:
    known = KnownWeights.of("timm:tf_efficientnet_lite0.in1k").class_names
    assert len(known) == 1000
    assert "daisy" in known
