"""A recipe's regularization and a network that cannot do it."""

from pathlib import Path

import pytest

import lit_cnn
from lit_cnn.architectures.catalog import create_model, find_entry, list_models
from lit_cnn.experiment.inherited import REGULARIZING, options_of, place
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

PLAIN = "left out of the recipe for {}: model.options.drop_path 0.1, stochastic_depth.ramp_epochs 5.0 ({})"
REASON = "stochastic depth needs shortcuts"


def parsed(*words: str) -> RecipeCLI:
    return RecipeCLI(resolve_configs(["--config", "folder", *words]))


@pytest.mark.slow
@pytest.mark.parametrize("network", ["mobilenet_v1", "vgg16_bn", "alexnet", "plain18", "googlenet_bn"])
def test_the_folder_recipe_needs_no_more_flags_for_a_network_without_shortcuts(network: str) -> None:
    cli = parsed("--model.architecture", network)
    assert cli.notices == [PLAIN.format(network, REASON)]
    options = cli.config.model.options
    assert (options.drop_path, options.dropout, cli.config.stochastic_depth.ramp_epochs) == (None, 0.1, 0.0)
    create_model(network, num_classes=2, dropout=options.dropout)


def test_a_network_without_dropout_leaves_that_out_too() -> None:
    (notice,) = parsed("--model.architecture=cifar_vgg8").notices
    assert "model.options.dropout 0.1" in notice
    assert notice.endswith("(stochastic depth needs shortcuts and it has no dropout)")


def test_a_shortcut_of_none_counts_as_a_network_without() -> None:
    assert parsed("--model.options.shortcut", "none").notices == [PLAIN.format("resnet18", REASON)]


@pytest.mark.parametrize("words", [(), ("--model.architecture", "resnet50"), ("--model.architecture", "nfnet_f0")])
def test_nothing_is_left_out_for_a_network_that_takes_it(words: tuple[str, ...]) -> None:
    cli = parsed(*words)
    assert cli.notices == []
    assert (cli.config.model.options.drop_path, cli.config.stochastic_depth.ramp_epochs) == (0.1, 5.0)


@pytest.mark.slow
def test_what_is_stated_with_the_network_or_after_it_is_not_left_out(tmp_path: Path) -> None:
    cli = parsed("--model.architecture=mobilenet_v1", "--model.options.drop_path=0.2")
    assert cli.config.model.options.drop_path == 0.2
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("model: {architecture: mobilenet_v1, options: {drop_path: 0.2}}\n")
    assert parsed("--config", str(overlay)).config.model.options.drop_path == 0.2
    model = lit_cnn.Recipe.load("folder", overlay).model
    model.num_classes = model.in_channels = 3
    with pytest.raises(ValueError, match="mobilenet_v1 has no shortcuts"):
        model.configure_model()


def test_a_wrong_name_is_refused_as_ever() -> None:
    with pytest.raises(ValueError, match="there is no architecture 'mobilenet_v9'"):
        lit_cnn.Recipe.load("folder", overrides={"model.architecture": "mobilenet_v9"})


def test_the_later_of_two_places_counts() -> None:
    recipes = [{"model": {"options": {"drop_path": 1}}}, {"model": {"architecture": "a"}}]
    assert place("model.options.drop_path", recipes, ()) == 0
    assert place("model.architecture", recipes, ()) == 1
    assert place("model.options.drop_path", recipes, ("model.options",)) == 2
    assert place("data.path", recipes, ("data.pathology",)) == -1


def test_options_are_known_for_every_network() -> None:
    for name in list_models():
        taken = options_of(name, None)
        assert set(taken) <= set(find_entry(name).options())
    assert options_of("no such network", None) == tuple(REGULARIZING)
