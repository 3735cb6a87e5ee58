"""The stored facts are whole, and say of themselves what was not checked."""

import pytest
from stored_facts import stored_facts


def test_every_file_has_its_rows() -> None:
    assert len(stored_facts("architectures")) == 133
    assert len(stored_facts("recipes")) == 25 + 1  # with _meta
    assert len(stored_facts("claims")) == 26


@pytest.mark.parametrize("name", ["architectures", "claims"])
def test_an_id_stands_once(name: str) -> None:
    ids = [row["id"] for row in stored_facts(name)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("claim", stored_facts("claims"), ids=lambda claim: claim["id"])
def test_a_claim_is_verified_where_it_lists_nothing_else(claim: dict) -> None:
    assert claim["status"] in ("verified", "partly unverified")
    assert (claim["status"] == "verified") == (not claim["unverified"])
    assert claim["sources"]


def test_every_recipe_names_its_sources() -> None:
    assert all(block["sources"] for name, block in stored_facts("recipes").items() if name != "_meta")
