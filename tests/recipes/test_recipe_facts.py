"""Every recipe is compared, key by key, with the facts of its paper; what differs is said in the recipe."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classic_facts import CLASSIC
from conversions import Key
from left_out_facts import DIFFERENT, EVERYWHERE, NO_KEY, NO_RECIPE, UNVERIFIED
from modern_facts import MODERN
from resolving import at, resolved

COMPARED = {**CLASSIC, **MODERN}
ROWS = [(block, recipe) for block, recipes in COMPARED.items() for recipe in recipes]


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    folders = [Path(__file__).parents[3] / "shared"]
    if "LIT_CNN_DATA" in os.environ:
        folders.append(Path(os.environ["LIT_CNN_DATA"]).parent)
    for folder in folders:
        path = folder / "reference" / "recipes.json"
        if path.is_file():
            return json.loads(path.read_text())
    pytest.skip("there is no reference/recipes.json beside ../shared or $LIT_CNN_DATA")


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Dotted paths of what is no mapping."""
    if not isinstance(value, dict):
        yield path
        return
    for key, inner in value.items():
        yield from leaves(inner, f"{path}.{key}" if path else key)


def expected(fact: Any, key: Key) -> tuple[str, Any]:
    return (key, fact) if isinstance(key, str) else (key[0], key[1](fact))


@pytest.mark.parametrize(("block", "recipe"), ROWS, ids=lambda value: value.replace("/", "."))
def test_the_recipe_has_its_papers_values(block: str, recipe: str, facts: dict[str, Any]) -> None:
    config, wrong = resolved(recipe), []
    for path, key in COMPARED[block][recipe].items():
        place, wanted = expected(at(facts[block], path), key)
        found = at(config, place)
        if isinstance(wanted, dict):
            found = {name: found[name] for name in wanted}
        number = isinstance(wanted, (int, float, list)) and not isinstance(wanted, bool)
        if found != (pytest.approx(wanted) if number else wanted):
            wrong.append(f"{place} is {found!r}; {block}.{path} says {wanted!r}")
    assert not wrong


@pytest.mark.parametrize(("block", "recipe"), list(DIFFERENT), ids=lambda value: value.replace("/", "."))
def test_a_difference_is_stated_in_the_recipe(block: str, recipe: str, facts: dict[str, Any]) -> None:
    said = " ".join(resolved(recipe)["about"]["deviations"].split())
    for path, words in DIFFERENT[block, recipe].items():
        at(facts[block], path)
        assert words in said, f"{recipe}'s about.deviations must say why it leaves {path}"


@pytest.mark.parametrize("block", list(COMPARED))
def test_every_fact_is_compared_or_left_out_for_a_reason(block: str, facts: dict[str, Any]) -> None:
    compared = {path for keys in COMPARED[block].values() for path in keys}
    different = {path for (of, _), paths in DIFFERENT.items() if of == block for path in paths}
    prefixes = (*EVERYWHERE, *UNVERIFIED.get(block, ()), *(p for rest in NO_KEY.values() for p in rest.get(block, ())))
    silent = [
        path
        for path in leaves(facts[block])
        if path not in compared | different
        and not path.startswith(prefixes)
        and not any(listed.startswith(f"{path}.") for listed in compared)
    ]
    assert not silent


def test_every_block_has_a_recipe(facts: dict[str, Any]) -> None:
    assert set(facts) == set(COMPARED) | set(NO_RECIPE)


def test_nothing_rests_on_unverified_facts() -> None:
    resting = [
        f"{block}.{path}"
        for block, recipes in COMPARED.items()
        for keys in recipes.values()
        for path in keys
        if path.startswith(UNVERIFIED.get(block, ()) or "-")
    ]
    assert not resting


def test_facts_marked_unverified_are_listed(facts: dict[str, Any]) -> None:
    marked = {block for block, content in facts.items() if block not in NO_RECIPE and content.get("unverified")}
    rest_on_settings = {"randaugment"}  # of SVHN, for which there is no recipe
    assert marked == set(UNVERIFIED) | rest_on_settings
