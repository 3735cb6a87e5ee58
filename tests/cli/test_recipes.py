"""Every recipe parses, says what it is, and fits on a page."""

from pathlib import Path

import pytest
import yaml

from lit_cnn.cli.recipe import RecipeCLI, find_recipe, resolve_configs

FOLDER = Path(__file__).parents[2] / "recipes"
RECIPES = sorted(FOLDER.glob("*.yaml"))
OVERLAYS = sorted((FOLDER / "overlays").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith("# ")
    assert f"--config recipes/{path.name}" in "\n".join(lines[:6])
    cli = RecipeCLI(resolve_configs(["--config", str(path)]))
    assert cli.config.about.title
    assert cli.config.about.paper
    again = yaml.safe_load(cli.dump())
    assert again["model"]["architecture"] == cli.config.model.architecture


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_overlay(path: Path) -> None:
    base = path.stem.split("_")[0]
    recipe = next(candidate for candidate in RECIPES if candidate.stem.startswith(base))
    cli = RecipeCLI(resolve_configs(["--config", str(recipe), "--config", str(path)]))
    resolved, stated = yaml.safe_load(cli.dump()), yaml.safe_load(path.read_text())
    assert stated
    for section, values in stated.items():
        for key, value in values.items():
            if isinstance(value, dict):
                assert value.items() <= resolved[section][key].items()
            else:
                assert resolved[section][key] == value


def test_the_resolved_recipe_resolves_to_itself(tmp_path: Path) -> None:
    first = RecipeCLI(resolve_configs(["--config", "resnet_rs"])).dump()
    (tmp_path / "config.yaml").write_text(first)
    assert RecipeCLI(resolve_configs(["--config", str(tmp_path / "config.yaml")])).dump() == first


def test_resnet_rs_is_the_papers_row() -> None:
    """Bello et al., 2021: section 4 and the row of ResNet-RS-50 at 160 px."""
    config = RecipeCLI(resolve_configs(["--config", "resnet_rs"])).config
    assert config.trainer.max_epochs == 350
    assert (config.model.architecture, config.data.image_size, config.data.batch_size) == ("resnet_rs_50", 160, 4096)
    optimizer, schedule = config.model.optimizer, config.model.schedule
    assert (optimizer.name, optimizer.learning_rate, optimizer.base_batch_size) == ("sgd", 0.1, 256)
    assert (optimizer.momentum, optimizer.weight_decay, optimizer.decay_excluded) == (0.9, 4e-5, "norm")
    assert (schedule.name, schedule.warmup_epochs) == ("cosine", 5)
    assert (config.model.loss.label_smoothing, config.ema.decay) == (0.1, 0.9999)
    assert (config.model.options.dropout, config.model.options.drop_path) == (0.25, 0.0)
    assert (config.data.rand_augment.layers, config.data.rand_augment.magnitude) == (2, 10)


def test_cifar_resnet20_is_the_papers_recipe() -> None:
    """He et al., 2015, section 4.2: 64,000 iterations, the rate divided by 10 at 32,000 and 48,000."""
    config = RecipeCLI(resolve_configs(["--config", "cifar10_resnet20"])).config
    steps = 45_000 // config.data.batch_size
    assert config.trainer.max_epochs * steps == pytest.approx(64_000, rel=0.005)
    milestones = [epoch * steps for epoch in config.model.schedule.step_epochs]
    assert milestones == pytest.approx([32_000, 48_000], rel=0.001)
    optimizer = config.model.optimizer
    assert (optimizer.learning_rate, optimizer.weight_decay, optimizer.nesterov) == (0.1, 1e-4, False)


def test_a_recipe_is_found_by_name_and_by_path() -> None:
    assert find_recipe("quickstart").name == "quickstart.yaml"
    assert find_recipe(str(RECIPES[0])) == RECIPES[0]
