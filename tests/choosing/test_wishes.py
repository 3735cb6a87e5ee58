from dataclasses import replace
from pathlib import Path

import pytest

from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.wishes import MEASURED, PLAN, Wishes, remember

WISHES = Wishes("/images", 120.0, networks=("resnet18",), limits=Limits(params=6e6))


def test_the_same_choice_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    remember(tmp_path, WISHES)
    (tmp_path / PLAN).touch()
    remember(tmp_path, WISHES)
    with pytest.raises(ValueError, match=r"budget \(120.0 -> 240.0\), limits.params \(6000000.0 -> None\); choose"):
        remember(tmp_path, replace(WISHES, budget=240.0, limits=Limits()))


def test_other_images_in_the_same_place_are_another_choice(tmp_path: Path) -> None:
    remember(tmp_path, replace(WISHES, images="ab"))
    (tmp_path / PLAN).touch()
    with pytest.raises(ValueError, match=r"these differ: images \('ab' -> 'cd'\); choose another --out"):
        remember(tmp_path, replace(WISHES, images="cd"))


def test_before_there_is_a_plan_the_budget_may_grow_and_what_was_measured_stays(tmp_path: Path) -> None:
    remember(tmp_path, WISHES)
    (tmp_path / MEASURED).touch()
    remember(tmp_path, replace(WISHES, budget=240.0))
    assert (tmp_path / MEASURED).exists()
    remember(tmp_path, replace(WISHES, budget=240.0, data="/others"))
    assert not (tmp_path / MEASURED).exists()
