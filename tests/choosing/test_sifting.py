import json
from pathlib import Path

import pytest
from made_choice import make_images

from lit_cnn.choosing import sifting
from lit_cnn.choosing.budget import BudgetTooSmall
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.limits import Limits
from lit_cnn.choosing.sifting import LOAD, SECONDS, Sifting
from lit_cnn.choosing.wishes import Wishes

CANDIDATES = [Candidate(f"net{number}", "cifar_resnet8", 16) for number in range(4)]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is measured: 5 ms each, on a busy machine."""
    names: list[str] = []

    def measure(candidate: Candidate, *_: object) -> dict[str, float]:
        names.append(candidate.name)
        return {"latency_ms": 5.0, "step_ms": 20.0, "image_ms": 1.0}

    monkeypatch.setattr(sifting, "measure_candidate", measure)
    monkeypatch.setattr(sifting, "load_average", lambda: 1e3)
    return names


def sift(folder: Path, budget: float = 100.0, **limits: float) -> tuple[Sifting, list[Candidate]]:
    """Count the candidates."""
    images = open_images(make_images(folder / "images") if not (folder / "images").is_dir() else folder / "images")
    wishes = Wishes(str(images.path), budget, limits=Limits(**limits))
    made = Sifting(folder / "measured.json", images, wishes, lambda _: None)
    return made, made.count(CANDIDATES)


def test_what_a_busy_machine_rejects_is_measured_again(tmp_path: Path, measured: list[str]) -> None:
    for _ in range(2):
        made, counted = sift(tmp_path, latency_ms=2)
        with pytest.raises(
            ValueError, match=r"the machine was busy \(load average 1000.0\).*the same command measures again"
        ):
            made.measure(counted)
    assert len(measured) == 2 * len(CANDIDATES)


def test_what_was_measured_is_kept_with_its_time_and_load(tmp_path: Path, measured: list[str]) -> None:
    first, counted = sift(tmp_path)
    assert first.measure(counted) == CANDIDATES
    rows = json.loads(first.file.read_text())
    rows = {name: {**row, SECONDS: 3.0} for name, row in rows.items()}
    first.file.write_text(json.dumps(rows))
    again, counted = sift(tmp_path)
    again.measure(counted)
    assert len(measured) == len(CANDIDATES)
    assert (again.earlier, again.load) == (12.0, 1e3)
    assert {row[LOAD] for row in rows.values()} == {1e3}


def test_measuring_ends_after_half_of_the_budget_where_nothing_is_within_the_limits(
    tmp_path: Path, measured: list[str]
) -> None:
    made, counted = sift(tmp_path, latency_ms=2)
    made.file.write_text(json.dumps({"net0": {"latency_ms": 5.0, SECONDS: 60.0}}))
    with pytest.raises(
        BudgetTooSmall, match=r"measuring took 60s, more than half of the budget of 1.67m, and found no "
    ):
        made.measure(counted)
    assert measured == []


def test_memory_that_cannot_be_measured_cannot_be_limited(tmp_path: Path, measured: list[str]) -> None:
    made, counted = sift(tmp_path, memory_mb=50)
    with pytest.raises(ValueError, match="--max-memory-mb is 50, but this system does not report"):
        made.measure(counted)
    assert len(measured) == 1
