"""What is drawn of searches."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_search import SPACE

from lit_cnn.reports.accuracy_cost import Point
from lit_cnn.search.findings import Found
from lit_cnn.search.pictures import draw_studies
from lit_cnn.search.settings import Settings


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
    draw_studies([Shown(Settings({"name": "blocks"}, {"name": "random"}, 2, metric=metric), tmp_path)])  # type: ignore[list-item]
    assert seen == {label: drawn}
