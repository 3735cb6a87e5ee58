"""All facts of a run are gathered; what is not at hand is said, and the rest stands."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fitted_run import FittedRun

from lit_cnn.evaluation.recorded_data import load_network
from lit_cnn.handover.facts import HeatMaps, Wanted, gather


def refuse(*_: object) -> HeatMaps:
    raise ValueError("no layer has a map\nof any size")


def test_a_whole_run_is_whole(fitted: FittedRun) -> None:
    report = gather(fitted.folder, Wanted(pixels=False))
    assert report.missing == ()
    assert report.network == "cifar_resnet8"
    assert report.checkpoint == fitted.best
    assert report.class_names == ("blue", "green", "red")
    assert report.preprocessing["image_size"] == [16, 16]
    assert [each.name for each in report.stored] == ["checkpoints/best.ckpt", "checkpoints/weights.safetensors"]
    assert report.stored[0].size == fitted.best.stat().st_size
    assert report.latency is not None
    assert report.latency.milliseconds > 0
    assert report.latency.image_size == 16
    assert report.count is not None
    assert report.count.image_size == 16
    assert report.heat_maps is None


def test_images_that_moved_are_said_and_the_network_is_still_counted(fitted: FittedRun) -> None:
    report = gather(fitted.folder, Wanted(data="/nowhere/at/all", speed=False))
    assert report.results is None
    assert report.count is not None
    assert report.latency is None
    assert len(report.missing) == 1
    assert report.missing[0].startswith("the images are not at hand")
    assert "/nowhere/at/all" in report.missing[0]


@pytest.mark.slow
def test_a_network_that_is_not_finite_is_said(fitted: FittedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(  # every logit becomes infinite or nan
        "lit_cnn.handover.facts.load_network", lambda *given: replace(load_network(*given), temperature=0.0)
    )
    report = gather(fitted.folder, Wanted(speed=False))
    assert report.results is None
    assert len(report.missing) == 1
    assert report.missing[0].startswith(f"the figures are those that the run recorded: the output of {fitted.best} is")


def test_a_run_without_a_checkpoint_still_has_its_folder(fitted: FittedRun, tmp_path: Path) -> None:
    shutil.copytree(fitted.folder, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    report = gather(tmp_path / "run")
    assert report.checkpoint is None
    assert report.files.best
    assert report.missing[0].startswith("the network cannot be asked: the folder")


@pytest.mark.slow
def test_figures_of_another_checkpoint_than_the_best_are_said_to_be_so(fitted: FittedRun, tmp_path: Path) -> None:
    shutil.copytree(fitted.folder, tmp_path / "run", ignore=shutil.ignore_patterns("best.ckpt"))
    report = gather(tmp_path / "run", Wanted(speed=False, pixels=False))
    assert report.results is not None
    assert report.missing == ("there is no best.ckpt, so the figures are of last.ckpt",)


@pytest.mark.slow
def test_a_network_that_cannot_be_counted_or_timed_is_said(fitted: FittedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the first line\nand another")

    monkeypatch.setattr("lit_cnn.handover.facts.count_network", fail)
    monkeypatch.setattr("lit_cnn.handover.facts.inference_ms", fail)
    report = gather(fitted.folder, Wanted(pixels=False, explain=refuse))
    assert report.results is not None
    assert report.missing == (
        "parameters and multiply-adds are not counted: the first line",
        "the latency is not measured: the first line",
    )


@pytest.mark.slow
def test_an_explanation_that_cannot_be_made_is_said(fitted: FittedRun) -> None:
    report = gather(fitted.folder, Wanted(speed=False, explain=refuse))
    assert report.results is not None
    assert report.missing == ("what the network looks at is not shown: no layer has a map",)
