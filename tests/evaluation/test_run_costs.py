"""Time follows from the recorded speeds, size from the checkpoint."""

import json
from pathlib import Path

import pytest
from made_runs import DATA, make_run

from lit_cnn.evaluation.run_costs import Cost, Size, cost_of, size_of, sizes_of
from lit_cnn.evaluation.run_records import read_run


def test_seconds_are_the_images_by_the_speed(tmp_path: Path) -> None:
    """Three epochs of two steps of 50 images, 200 each second."""
    assert cost_of(read_run(make_run(tmp_path / "a"))) == Cost(pytest.approx(1.5), pytest.approx(200.0))


def test_an_epoch_has_no_more_images_than_there_are(tmp_path: Path) -> None:
    few = {**DATA, "images": {"train": 60, "val": 20}}
    assert cost_of(read_run(make_run(tmp_path / "a", data=few))).seconds == pytest.approx(0.9)
    assert cost_of(read_run(make_run(tmp_path / "b", data=None))).seconds == pytest.approx(1.5)


def test_speeds_are_weighted_by_images(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", speed=None)
    rows = ["epoch,step,timing/images_per_second", "0,1,100.0", "1,3,300.0", ""]
    (folder / "timing.csv").write_text("\n".join(rows))
    cost = cost_of(read_run(folder))
    assert cost.seconds == pytest.approx(1.0 + 1 / 3)
    assert cost.images_per_second == pytest.approx(200 / (1.0 + 1 / 3))


def test_a_run_that_extends_another_has_the_time_of_both(tmp_path: Path) -> None:
    """Three epochs of two steps in 1.5 s, and a fourth at half the speed."""
    first, longer = make_run(tmp_path / "a"), make_run(tmp_path / "b", speed=None)
    (longer / "timing.csv").write_text("epoch,step,timing/images_per_second\n3,7,100.0\n")
    (longer / "extends.json").write_text(json.dumps({"run": str(first), "epochs": 3, "steps": 6}))
    assert cost_of(read_run(longer)) == Cost(pytest.approx(2.5), pytest.approx(400 / 2.5))
    (longer / "extends.json").write_text(json.dumps({"run": str(tmp_path / "gone"), "epochs": 3, "steps": 6}))
    assert cost_of(read_run(longer)) == Cost(None, pytest.approx(100.0))


def test_a_run_that_recorded_no_time_has_none(tmp_path: Path) -> None:
    assert cost_of(read_run(make_run(tmp_path / "a", speed=None))) == Cost()
    assert cost_of(read_run(make_run(tmp_path / "b", data__batch_size=None))) == Cost()


def test_a_network_without_a_checkpoint_or_outside_the_catalog_has_no_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert size_of(make_run(tmp_path / "a")) == Size()
    asked: list[Path] = []
    monkeypatch.setattr("lit_cnn.evaluation.run_costs.size_of", lambda folder: asked.append(folder) or Size(5, 7))
    runs = [read_run(make_run(tmp_path / name, model__architecture=network))
            for name, network in (("b", "cifar_resnet8"), ("c", "mine.Net"), ("d", "cifar_resnet8"))]  # fmt: skip
    assert sizes_of(runs) == [Size(5, 7), Size(), Size(5, 7)]
    assert asked == [tmp_path / "b"]


def test_the_size_of_a_network_is_that_on_its_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lit_cnn.evaluation.run_costs.size_of", lambda folder: Size(len(folder.name)))
    stated: list[dict[str, object]] = [{"data__in_channels": 3}, {"data__in_channels": 1}, {"data__path": "gray.npz"}]
    runs = [read_run(make_run(tmp_path / ("r" * number), **values)) for number, values in enumerate(stated, start=1)]
    assert sizes_of(runs) == [Size(1), Size(2), Size(3)]
