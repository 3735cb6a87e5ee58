"""Every recipe says what it is, parses to itself, fits on a page, and its network takes its options."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from resolving import parsed, resolved

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.experiment.files import About, configs_of, find_recipe, list_recipes, read_yaml, recipe_id
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

OWN = [recipe_id(path) for path in list_recipes()]
TWINS = [recipe_id(path) for path in list_recipes("small")]
OVERLAYS = [recipe_id(path) for path in list_recipes("overlays")]
IMAGENET = [name for name in OWN if read_yaml(find_recipe(name))["data"].get("path") == "imagenet"]
FOR_USERS = {"quickstart", "folder"}
"""Recipes that repeat no paper."""


@pytest.mark.parametrize("name", [*OWN, *TWINS, *OVERLAYS])
def test_a_recipe_fits_on_a_page_and_says_how_it_is_run(name: str) -> None:
    path = find_recipe(name)
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("# ")
    assert len(configs_of(path)) == (2 if name in OVERLAYS else 1)


@pytest.mark.parametrize("name", [*OWN, *(pytest.param(name, marks=pytest.mark.slow) for name in TWINS)])
def test_a_recipe_resolves_to_itself(name: str, tmp_path: Path) -> None:
    dumped = parsed(name).dump()
    (tmp_path / "config.yaml").write_text(dumped)
    again = RecipeCLI(resolve_configs(["--config", str(tmp_path / "config.yaml")])).dump()
    assert yaml.safe_load(again) == yaml.safe_load(dumped)  # an integer stated for a number comes back as 9.0


@pytest.mark.parametrize("name", [*OWN, *TWINS])
def test_a_recipe_says_what_it_is(name: str) -> None:
    about = read_yaml(find_recipe(name))["about"]
    assert set(about) <= {field.name for field in dataclasses.fields(About)}
    assert {"title", "paper", "metric"} <= set(about)
    if name not in FOR_USERS:
        assert {"source", "deviations"} <= set(about)
    if about.get("measured"):
        assert set(about["measured"]) == {"value", "machine", "date"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlays_values_win(name: str) -> None:
    assert_contains(resolved(name), read_yaml(find_recipe(name)))


@pytest.mark.parametrize("name", [*OWN, *TWINS, *OVERLAYS])
def test_a_paper_s_average_is_compared_with_the_raw_weights(name: str) -> None:
    ema = resolved(name)["ema"]
    if ema["decay"] > 0:
        assert ema["validate_raw"] == (name not in FOR_USERS)


def assert_contains(found: dict[str, Any], stated: dict[str, Any]) -> None:
    assert stated
    for key, value in stated.items():
        if isinstance(value, dict):
            assert_contains(found[key], value)
        else:
            assert found[key] == value, key


@pytest.mark.parametrize("name", [*OWN, *TWINS, *OVERLAYS])
def test_the_network_has_the_options(name: str) -> None:
    model = resolved(name)["model"]
    stated = {key for key, value in model["options"].items() if value is not None}
    assert stated <= set(find_entry(model["architecture"]).options())


@pytest.mark.slow
@pytest.mark.parametrize("name", [*OWN, *TWINS, *OVERLAYS])
def test_the_network_builds_with_the_options(name: str) -> None:
    model = resolved(name)["model"]
    options = {key: value for key, value in model["options"].items() if value is not None}
    with torch.device("meta"):
        network = create_model(model["architecture"], **options)
    assert all(parameter.is_meta for parameter in network.parameters())


@pytest.mark.parametrize("name", IMAGENET)
def test_a_recipe_on_imagenet_has_a_twin_with_the_same_components(name: str) -> None:
    assert components(resolved(f"small/{name}")) == components(resolved(name))


def components(recipe: dict[str, Any]) -> dict[str, Any]:
    """What is switched on, and the strengths that do not depend on the images or on the length of the run."""
    model, data = recipe["model"], recipe["data"]
    optimizer = {key: value for key, value in model["optimizer"].items() if key != "base_batch_size"}
    schedule = {key: model["schedule"][key] for key in ("name", "step_factor", "decay_rate", "staircase", "power")}
    same = ("flip", "color_jitter", "auto_augment", "rand_augment", "random_erasing", "mixup", "cutmix", "mixing")
    return {
        "optimizer": optimizer,
        "schedule": schedule | {"warm-up": model["schedule"]["warmup_epochs"] > 0},
        "crop": (data["crop"]["kind"], data["crop"]["central"], data["crop"]["interpolation"]),
        "cutout": data["cutout"]["size"] > 0,
        "EMA": recipe["ema"]["decay"] > 0,
        "stochastic depth": (recipe["stochastic_depth"]["gate"], recipe["stochastic_depth"]["ramp_epochs"] > 0),
        "drop path": model["options"]["drop_path"],
        "progressive learning": recipe["progressive_learning"]["stages"],
        "precision": recipe["trainer"]["precision"],
        "repeats": data["repeats"],
        **{key: model[key] for key in ("loss", "clipping", "sam")},
        **{key: data[key] for key in same},
    }


def test_a_twin_belongs_to_a_recipe() -> None:
    assert {name.removeprefix("small/") for name in TWINS} <= set(OWN)


def test_the_wheel_takes_every_folder_of_recipes() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    section = project.partition("[tool.hatch.build.targets.wheel.force-include]")[2].partition("\n[")[0]
    assert '"recipes" = "lit_cnn/recipes"' in section
    assert yaml.safe_load(find_recipe("small/resnet_rs").read_text())["about"]["source"] == "recipes/resnet_rs.yaml"


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_says_whether_it_trains_the_papers_network(name: str) -> None:
    twin, recipe = (read_yaml(find_recipe(each)) for each in (name, name.removeprefix("small/")))
    networks = [(each["model"]["architecture"], each["model"].get("options")) for each in (twin, recipe)]
    assert twin["about"]["deviations"].startswith("the paper's net,") == (networks[0] == networks[1])
