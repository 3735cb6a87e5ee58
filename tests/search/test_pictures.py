"""What is drawn of searches."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_search import SPACE

from lit_cnn.reports.accuracy_cost import Point
from lit_cnn.search.findings import Found
from lit_cnn.search.pictures import curves_by_strategy, draw_studies
from lit_cnn.search.settings import Settings
from lit_cnn.search.shown import Study
from lit_cnn.search.shown_together import by_setting


@dataclass
class Shown:
    """What is drawn of a search: a ``Study`` without its engine."""

    settings: Settings
    folder: Path
    accuracies: tuple[float, ...] = (0.5, 0.75)
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> SimpleNamespace:
        return SimpleNamespace(settings=self.settings)

    @property
    def sweep(self) -> SimpleNamespace:
        return SimpleNamespace(identity=self.recipe)

    @property
    def found(self) -> list[Found]:
        sign = self.settings.sign
        networks = [SPACE.encode(tuple(option for _ in SPACE.decisions)) for option in (0, 1)]
        return [
            Found(slot, networks[slot], sign * value, value, {"madds": 1e6, "params": 1e3}, 0, 1.0, "complete", "run")
            for slot, value in enumerate(self.accuracies)
        ]


@pytest.mark.parametrize(
    ("metric", "label", "drawn"),
    [("val/acc1", "val/acc1 (%), in the search", [75, 50]), ("val/loss", "val/loss, in the search", [0.5, 0.75])],
)
def test_a_loss_is_drawn_as_it_is_and_an_accuracy_in_percent(
    metric: str, label: str, drawn: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[float]] = {}

    def note(points: list[Point], axis: str, path: Path) -> Path:
        seen[axis] = [point.top1 for point in points]
        return path

    monkeypatch.setattr("lit_cnn.search.pictures.draw_accuracy_cost", note)
    shown = Shown(Settings({"name": "blocks"}, {"name": "random"}, 2, metric=metric), tmp_path)
    draw_studies([cast("Study", shown)])
    assert seen == {label: drawn}


def search(folder: Path, population: int, seed: int, **stated: Any) -> Study:
    strategy = {"name": "evolution", "population": population, "sample": 2}
    recipe = stated.pop("recipe", {})
    accuracies = stated.pop("accuracies", (0.5, 0.75))
    settings = Settings({"name": "blocks"}, strategy, 6, seed, metric="val/acc1", **stated)
    return cast("Study", Shown(settings, folder / f"{population}-{seed}", accuracies, recipe))


def test_strategies_of_other_settings_have_curves_of_their_own(tmp_path: Path) -> None:
    studies = [search(tmp_path, 3, 0), search(tmp_path, 3, 1, accuracies=(0.7, 0.95)), search(tmp_path, 5, 0)]
    curves = curves_by_strategy(by_setting(studies))
    assert [curve.name for curve in curves] == ["evolution (population=3) (2 searches)", "evolution (population=5)"]
    assert [list(curve.mean) for curve in curves] == [pytest.approx([0.6, 0.85]), [0.5, 0.75]]
    assert list(by_setting(studies[:2])) == ["evolution"]


def test_what_does_not_search_the_same_is_not_drawn_together(tmp_path: Path) -> None:
    first = search(tmp_path, 3, 0, recipe={"data.batch_size": 16, "seed_everything": 0})
    by_setting([first, search(tmp_path, 3, 1, recipe={"data.batch_size": 16, "seed_everything": 5})])
    other = search(tmp_path, 5, 0, recipe={"data.batch_size": 32})
    with pytest.raises(ValueError, match=r"differ in data\.batch_size \(16 and 32\): show them one by one"):
        by_setting([first, other])
    with pytest.raises(ValueError, match=r"differ in search\.limits\.params \(None and '1M'\) and 1 more"):
        by_setting([search(tmp_path, 3, 0), search(tmp_path, 5, 0, limits={"params": "1M", "madds": "9M"})])


def test_searches_of_one_seed_are_no_replicates(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"with search\.seed 1, so one does not replicate the other"):
        by_setting([search(tmp_path, 3, 0), search(tmp_path, 3, 1), search(tmp_path, 3, 1)])
