"""Figures of the images are those of the other commands, and every judged image is the file that it names."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from colors import NAMES, color_network
from fitted_run import FittedRun
from PIL import Image

from lit_cnn.cli.main import main
from lit_cnn.evaluation.recorded_data import load_network
from lit_cnn.evaluation.scores import wilson_interval
from lit_cnn.handover.results import Results, Share, evaluate


@pytest.fixture(scope="module")
def results(fitted: FittedRun) -> Results:
    return evaluate(load_network(str(fitted.best), "ema", ()), None, "val")[0]


def test_figures_are_those_of_validate(results: Results, fitted: FittedRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(fitted.folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert results.images == said["images"] == 12
    assert results.accuracies[1].value == pytest.approx(said["val/acc1"])
    assert results.accuracies[3].value == said["val/acc3"] == 1.0
    assert results.loss == said["val/loss"]
    assert results.split == "val"
    assert "12 validation images" in results.line


def test_all_figures_count_the_same_answers(results: Results) -> None:
    right = results.accuracies[1].right
    assert int(np.trace(results.matrix)) == right
    assert results.calibration.accuracy == pytest.approx(right / 12)
    assert int(results.bins.counts.sum()) == 12
    assert sum(round(score.recall * score.images) for score in results.classes) == right
    assert sum(pair.images for pair in results.pairs) == 12 - right


def test_the_worst_images_come_by_falling_loss_with_their_pixels(results: Results) -> None:
    losses = [image.loss for image in results.worst]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 12
    for image in results.worst:
        assert Path(image.place).parent.name == image.true
        with Image.open(image.place) as file:
            assert image.pixels is not None
            np.testing.assert_array_equal(image.pixels.transpose(1, 2, 0), np.asarray(file.convert("RGB")))


def test_a_pair_names_images_of_its_true_class(results: Results) -> None:
    for pair in results.pairs:
        assert {Path(place).parent.name for place in pair.places} == {pair.true}
        assert len(pair.places) == min(pair.images, 3)


def test_broken_files_are_left_out_and_said(fitted: FittedRun, tmp_path: Path) -> None:
    for name in ("red", "blue"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes((fitted.images / "val" / name / "0.png").read_bytes())
    (tmp_path / "red" / "b.png").write_bytes(b"no image")
    trained = load_network(str(fitted.best), "ema", ())
    results, _ = evaluate(trained, str(tmp_path), "val", with_pixels=False)
    assert results.images == 2
    assert any(text.startswith("1 of 3 images cannot be read and are left out: ") for text in results.warnings)
    assert all(image.pixels is None for image in results.worst)


def test_the_loss_of_a_very_sure_network_is_that_of_its_logits(tmp_path: Path) -> None:
    images, labels = np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1])
    images[..., 0] = 255  # red, and once labeled green
    np.savez(tmp_path / "a.npz", test_images=images, test_labels=labels, class_names=NAMES)
    results, _ = evaluate(replace(color_network(), temperature=0.005), str(tmp_path / "a.npz"), "test")
    assert [results.loss, results.calibration.log_loss] == pytest.approx([100, 100])
    assert results.worst[0].loss == pytest.approx(200)


def test_a_share_has_wilsons_interval() -> None:
    assert Share(9, 10).interval == wilson_interval(9, 10)
    assert Share(9, 10).value == 0.9
