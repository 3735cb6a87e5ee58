"""Calibration against torchmetrics, and temperatures that are known."""

import json
import math
from pathlib import Path

import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from lit_cnn.evaluation.calibration import (
    COLDEST,
    HOTTEST,
    THRESHOLDS,
    Calibration,
    CalibrationFigures,
    ConfidenceBins,
    abstention,
    calibrate,
    confidence_bins,
    expected_calibration_error,
    fit_temperature,
    read_temperature,
    scaled,
)
from lit_cnn.evaluation.scores import log_loss


def drawn(temperature: float, count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities whose labels were drawn from the softmax of their logits / ``temperature``."""
    draws = torch.Generator().manual_seed(3)
    logits = 2 * torch.randn((count, 5), generator=draws, dtype=torch.float64)
    labels = torch.multinomial((logits / temperature).softmax(1), 1, generator=draws)[:, 0]
    return logits.softmax(1), labels


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_ece_is_that_of_torchmetrics(bins: int) -> None:
    probabilities, labels = drawn(2.0)
    theirs = multiclass_calibration_error(probabilities, labels, num_classes=5, n_bins=bins, norm="l1")
    assert expected_calibration_error(probabilities, labels, bins) == pytest.approx(float(theirs), abs=1e-6)


def test_bins_hold_every_image_once() -> None:
    probabilities = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.4, 0.6], [0.3, 0.7]])
    binned = confidence_bins(probabilities, torch.tensor([0, 1, 1, 0]), 2)
    assert binned.counts.tolist() == [1, 3]
    assert binned.confidence.tolist() == pytest.approx([0.5, 2.3 / 3])
    assert binned.accuracy.tolist() == pytest.approx([0, 2 / 3])
    assert confidence_bins(probabilities[:1], torch.tensor([0]), 3).accuracy.tolist() == [0, 0, 1]


def test_scaling_is_softmax_of_the_divided_logits() -> None:
    logits = torch.randn((6, 4), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(scaled(logits.softmax(1), 2.5), (logits / 2.5).softmax(1))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    probabilities, labels = drawn(temperature)
    found = fit_temperature(probabilities, labels)
    assert found == pytest.approx(temperature, rel=0.1)
    best = log_loss(scaled(probabilities, found), labels)
    assert all(best <= log_loss(scaled(probabilities, found * factor), labels) for factor in (0.9, 0.99, 1.01, 1.1))


def test_the_limits_are_told() -> None:
    labels = torch.tensor([0, 1] * 10)
    sure = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).repeat(10, 1)
    result = calibrate(sure, labels)
    assert result.temperature == pytest.approx(COLDEST)
    assert result.at_limit
    assert calibrate(sure.flip(1), labels).temperature == pytest.approx(HOTTEST)
    assert not calibrate(*drawn(2.0)).at_limit


def test_fitting_and_measuring_share_no_image() -> None:
    """Labels of the measured half do not move the temperature, those of the fitted half do."""
    from lit_cnn.data.sources.holdout import stratified_rows

    probabilities, labels = drawn(2.0, 400)
    fit, measure = stratified_rows(labels, 0.5)
    result = calibrate(probabilities, labels)
    assert (result.fitted_on, result.measured_on) == (len(fit), len(measure))
    assert int(result.bins_after.counts.sum()) == len(measure)
    assert result.temperature == fit_temperature(probabilities[fit], labels[fit])
    assert result.before.log_loss == log_loss(probabilities[measure], labels[measure])
    assert result.before.accuracy == result.after.accuracy


def test_overconfidence_is_repaired() -> None:
    result = calibrate(*drawn(3.0))
    assert result.before.confidence > result.before.accuracy
    assert result.after.ece < result.before.ece
    assert result.after.log_loss < result.before.log_loss


def test_too_few_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two images of some class"):
        calibrate(torch.eye(2), torch.tensor([0, 1]))


def test_the_first_diagram_is_of_the_network_as_trained_and_the_second_at_the_temperature() -> None:
    before, after = (
        ConfidenceBins(torch.tensor(counts), torch.tensor(confidence), torch.tensor(accuracy))
        for counts, confidence, accuracy in (([1, 3], [0.25, 0.75], [0.0, 0.5]), ([2, 2], [0.5, 1.0], [0.25, 0.125]))
    )
    sure, modest = (CalibrationFigures(0.5, 0.75, ece, 1.0, 1.0) for ece in (0.25, 0.0625))
    trained, scaled = Calibration(2.0, 4, 4, sure, modest, before, after, [], []).panels()
    assert (trained.title, scaled.title) == ("as trained: ECE 25.00 %", "temperature 2.00: ECE 6.25 %")
    assert (trained.counts, trained.confidence, trained.accuracy) == ([1, 3], [0.25, 0.75], [0.0, 0.5])
    assert (scaled.counts, scaled.confidence, scaled.accuracy) == ([2, 2], [0.5, 1.0], [0.25, 0.125])


def test_abstention_counts_the_answers_from_a_confidence_on() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.45, 0.55], [0.3, 0.7]], dtype=torch.float64)
    found = {row.threshold: row for row in abstention(probabilities, torch.tensor([0, 1, 1, 0]))}
    assert list(found) == list(THRESHOLDS)
    assert [found[at].answered for at in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)] == [1, 1, 0.75, 0.75, 0.5, 0.25, 0]
    assert [found[at].accuracy for at in (0.0, 0.6, 0.8, 0.9)] == pytest.approx([1 / 2, 1 / 3, 1 / 2, 1])
    assert math.isnan(found[0.95].accuracy)


def test_a_temperature_is_read_from_a_number_or_from_a_report(tmp_path: Path) -> None:
    probabilities, labels = drawn(2.0, 200)
    result = calibrate(probabilities, labels)
    (tmp_path / "calibration.json").write_text(json.dumps(result.report()))
    assert read_temperature(str(tmp_path / "calibration.json")) == result.temperature
    assert read_temperature("1.75") == 1.75


@pytest.mark.parametrize("content", ["", "[]", "{}", "2", '{"temperature": "warm"}', '{"temperature": -1}'])
def test_another_file_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"--temperature .*calibration\.json"):
        read_temperature(str(path))


@pytest.mark.parametrize("text", ["0", "-2", "nan", "inf", "gone.json", ""])
def test_an_impossible_temperature_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"--temperature {text}"):
        read_temperature(text)


def test_the_report_is_made_of_built_in_types() -> None:
    probabilities, labels = drawn(2.0, 200)
    result = calibrate(probabilities, labels, bins=4)
    report = json.loads(json.dumps(result.report()))
    assert report["after"]["ece"] == result.after.ece
    assert report["abstention"]["after"][0] == {"threshold": 0, "answered": 1, "accuracy": result.after.accuracy}
    assert len(report["abstention"]["before"]) == len(THRESHOLDS)
    assert report["bins"]["before"] == {
        "counts": result.bins_before.counts.tolist(),
        "confidence": result.bins_before.confidence.tolist(),
        "accuracy": result.bins_before.accuracy.tolist(),
    }
