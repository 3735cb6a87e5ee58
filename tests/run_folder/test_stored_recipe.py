from typing import Any

import pytest

from lit_cnn.run_folder import stored_recipe
from lit_cnn.run_folder.stored_recipe import completed, legacy_values


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_recipe, "LEGACY", {"data.order": "rows", "data.crop.mode": "all"})


@pytest.mark.usefixtures("legacy")
def test_an_older_recipe_gets_what_its_version_did_and_stays_itself() -> None:
    stored: dict[str, Any] = {"data": {"source": "digits", "crop": {"size": 4}}, "seed_everything": 3}
    data = {"source": "digits", "crop": {"size": 4, "mode": "all"}, "order": "rows"}
    assert completed(stored) == {"data": data, "seed_everything": 3}
    assert stored["data"] == {"source": "digits", "crop": {"size": 4}}


@pytest.mark.usefixtures("legacy")
def test_what_a_recipe_states_is_kept_and_a_missing_section_adds_nothing() -> None:
    assert legacy_values({"data": {"order": "hash"}}) == {}
    assert legacy_values({"data": {"order": "hash", "crop": None}}) == {}
    assert completed({}) == {}


def test_files_become_in_older_runs_what_they_became_then() -> None:
    kept = {"hold_out": "rows", "levels": "clip", "background": None, "color_profile": "ignore"}
    assert completed({"data": {"source": "imagefolder"}}) == {"data": {"source": "imagefolder", **kept}}


def test_a_recipe_that_is_older_than_tasks_is_of_classification() -> None:
    assert completed({"model": {"architecture": "resnet18"}})["task"] == "classification"
    assert legacy_values({"task": "classification", "model": {}}) == {}


def test_a_recipe_of_another_task_is_younger_than_the_keys_of_older_ones() -> None:
    assert legacy_values({"task": "detection", "model": {}, "data": {}, "ema": {}}) == {}


def test_older_runs_validated_the_raw_weights_always() -> None:
    assert completed({"ema": {"decay": 0.9}}) == {"ema": {"decay": 0.9, "validate_raw": True}}
    assert legacy_values({"ema": {"validate_raw": False}}) == {}
