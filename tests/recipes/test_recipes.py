"""Every recipe says what it is, parses to itself, fits on a page, and has its paper's values key by key.

In one file, so that one test process resolves each recipe once.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from classic_facts import CLASSIC
from conversions import Key
from left_out_facts import DIFFERENT, EVERYWHERE, NO_KEY, NO_RECIPE, UNVERIFIED
from modern_facts import MODERN
from one_in import one_in
from resolving import at, parsed, resolved
from stored_facts import stored_facts

from lit_cnn.architectures.catalog import create_model, find_entry
from lit_cnn.architectures.meta import on_meta
from lit_cnn.experiment.files import About, SafeLoader, configs_of, find_recipe, list_recipes, read_yaml, recipe_id
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs

OWN = [recipe_id(path) for path in list_recipes()]
TWINS = [recipe_id(path) for path in list_recipes("small")]
OVERLAYS = [recipe_id(path) for path in list_recipes("overlays")]
IMAGENET = [name for name in OWN if read_yaml(find_recipe(name))["data"].get("path") == "imagenet"]
FOR_USERS = {"quickstart", "folder"}
"""Recipes that repeat no paper."""
COMPARED = {**CLASSIC, **MODERN}
FACTS: dict[str, Any] = stored_facts("recipes")
ROWS = [(block, recipe) for block, recipes in COMPARED.items() for recipe in recipes]


@pytest.mark.parametrize("name", [*OWN, *TWINS, *OVERLAYS])
def test_a_recipe_fits_on_a_page_and_says_how_it_is_run(name: str) -> None:
    path = find_recipe(name)
    lines = path.read_text().splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("# ")
    assert len(configs_of(path)) == (2 if name in OVERLAYS else 1)


@pytest.mark.parametrize(
    "name",
    one_in(8, [*OWN, *TWINS]),
)
def test_a_recipe_resolves_to_itself(name: str, tmp_path: Path) -> None:
    dumped = parsed(name).dump()
    (tmp_path / "config.yaml").write_text(dumped)
    again = RecipeCLI(resolve_configs(["--config", str(tmp_path / "config.yaml")])).values()
    assert again == parsed(name).values() == yaml.load(dumped, SafeLoader)  # 9 stated for a float comes back as 9.0


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
    with on_meta():
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


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of all that are not mappings."""
    if not isinstance(value, dict):
        yield path
        return
    for key, inner in value.items():
        yield from leaves(inner, f"{path}.{key}" if path else key)


def expected(fact: Any, key: Key) -> tuple[str, Any]:
    return (key, fact) if isinstance(key, str) else (key[0], key[1](fact))


@pytest.mark.parametrize(("block", "recipe"), ROWS, ids=lambda value: value.replace("/", "."))
def test_the_recipe_has_its_papers_values(block: str, recipe: str) -> None:
    config, wrong = resolved(recipe), []
    for path, key in COMPARED[block][recipe].items():
        place, wanted = expected(at(FACTS[block], path), key)
        found = at(config, place)
        if isinstance(wanted, dict):
            found = {name: found[name] for name in wanted}
        number = isinstance(wanted, (int, float, list)) and not isinstance(wanted, bool)
        if found != (pytest.approx(wanted) if number else wanted):
            wrong.append(f"{place} is {found!r}; {block}.{path} says {wanted!r}")
    assert not wrong


@pytest.mark.parametrize(("block", "recipe"), list(DIFFERENT), ids=lambda value: value.replace("/", "."))
def test_a_difference_is_stated_in_the_recipe(block: str, recipe: str) -> None:
    said = " ".join(resolved(recipe)["about"]["deviations"].split())
    for path, words in DIFFERENT[block, recipe].items():
        at(FACTS[block], path)
        assert words in said, f"{recipe}'s about.deviations must say why it leaves {path}"


@pytest.mark.parametrize("block", list(COMPARED))
def test_every_fact_is_compared_or_left_out_for_a_reason(block: str) -> None:
    compared = {path for keys in COMPARED[block].values() for path in keys}
    different = {path for (of, _), paths in DIFFERENT.items() if of == block for path in paths}
    prefixes = (*EVERYWHERE, *UNVERIFIED.get(block, ()), *(p for rest in NO_KEY.values() for p in rest.get(block, ())))
    silent = [
        path
        for path in leaves(FACTS[block])
        if path not in compared | different
        and not path.startswith(prefixes)
        and not any(listed.startswith(f"{path}.") for listed in compared)
    ]
    assert not silent


def test_every_block_has_a_recipe() -> None:
    assert set(FACTS) == set(COMPARED) | set(NO_RECIPE)


def test_nothing_rests_on_unverified_facts() -> None:
    resting = [
        f"{block}.{path}"
        for block, recipes in COMPARED.items()
        for keys in recipes.values()
        for path in keys
        if path.startswith(UNVERIFIED.get(block, ()) or "-")
    ]
    assert not resting


def test_facts_marked_unverified_are_listed() -> None:
    marked = {block for block, content in FACTS.items() if block not in NO_RECIPE and content.get("unverified")}
    assert marked == set(UNVERIFIED)
