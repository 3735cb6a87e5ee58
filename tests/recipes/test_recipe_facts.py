"""Every recipe is compared, key by key, with the facts of its paper; what differs is said in the recipe."""

from collections.abc import Iterator
from typing import Any

import pytest
from classic_facts import CLASSIC
from conversions import Key
from left_out_facts import DIFFERENT, EVERYWHERE, NO_KEY, NO_RECIPE, UNVERIFIED
from modern_facts import MODERN
from resolving import at, resolved
from stored_facts import stored_facts

COMPARED = {**CLASSIC, **MODERN}
FACTS: dict[str, Any] = stored_facts("recipes")
ROWS = [(block, recipe) for block, recipes in COMPARED.items() for recipe in recipes]


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
