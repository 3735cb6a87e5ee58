"""Whether a network's confidence can be believed, and temperature scaling (Guo et al. 2017, arXiv:1706.04599).

A temperature T divides the logits, which changes no prediction. It is fitted on one half of the images and judged on
the other: on the images it was fitted on, any figure would flatter it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lit_cnn.data.sources.holdout import stratified_rows
from lit_cnn.evaluation.choices import BINS
from lit_cnn.evaluation.scores import brier_score, hits, log_loss
from lit_cnn.reports.reliability import ReliabilityPanel

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Least confidences of ``abstention``."""
COLDEST, HOTTEST = 0.05, 20.0
"""Limits of the fitted temperature; it ends at one where no finite temperature is best."""


@dataclass(frozen=True)
class ConfidenceBins:
    """Images by confidence, the probability of the predicted class, in bins of equal width.

    Attributes:
        counts: int64 (B,), images.
        confidence: float64 (B,), mean confidence; 0 in an empty bin.
        accuracy: float64 (B,), share of right predictions; 0 in an empty bin.
    """

    counts: Tensor
    confidence: Tensor
    accuracy: Tensor


def confidence_bins(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> ConfidenceBins:
    """Bin b holds the confidences in (b / bins, (b + 1) / bins]."""
    confidence = probabilities.double().amax(dim=1)
    number = ((confidence * bins).ceil().long() - 1).clamp(0, bins - 1)
    counts = torch.bincount(number, minlength=bins)
    correct = hits(probabilities, labels).double()
    present = counts.clamp(min=1)
    sums = (torch.bincount(number, weights=values, minlength=bins) for values in (confidence, correct))
    return ConfidenceBins(counts, *(total / present for total in sums))


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> float:
    """Mean over images of |accuracy - confidence| of their bin (Guo et al. 2017, equation 3)."""
    binned = confidence_bins(probabilities, labels, bins)
    gaps = (binned.accuracy - binned.confidence).abs()
    return float((gaps * binned.counts).sum() / binned.counts.sum())


def scaled(probabilities: Tensor, temperature: float) -> Tensor:
    """softmax(logits / temperature) float64 (M, K), from softmax(logits): the logits are known up to a constant."""
    return (_logs(probabilities) / temperature).softmax(dim=1)


def _logs(probabilities: Tensor) -> Tensor:
    return probabilities.double().clamp(min=torch.finfo(torch.float64).tiny).log()


def fit_temperature(probabilities: Tensor, labels: Tensor) -> float:
    """The temperature between 0.05 and 20 with the least negative log-likelihood.

    The likelihood is concave in 1 / T, so its slope, E_p[z] - z_label averaged over the images, is bisected.
    """
    logits = _logs(probabilities)
    target = logits.gather(1, labels[:, None])[:, 0]
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(60):
        middle = (low + high) / 2
        expected = (logits * (logits * middle).softmax(dim=1)).sum(dim=1)
        if float((expected - target).mean()) > 0:
            high = middle
        else:
            low = middle
    return 2 / (low + high)


@dataclass(frozen=True)
class Abstention:
    """What answering only from a confidence on leaves: ``lit-cnn predict --min-probability``.

    Attributes:
        threshold: Least confidence, the probability of the predicted class, of an answer.
        answered: Share of the images that are answered.
        accuracy: Share of right answers among them; nan where none is answered.
    """

    threshold: float
    answered: float
    accuracy: float


def abstention(probabilities: Tensor, labels: Tensor) -> list[Abstention]:
    """One row for each of ``THRESHOLDS``."""
    confidence, right = probabilities.double().amax(dim=1), hits(probabilities, labels).double()
    rows = []
    for threshold in THRESHOLDS:
        chosen = confidence >= threshold
        rows.append(Abstention(threshold, float(chosen.double().mean()), float(right[chosen].mean())))
    return rows


def read_temperature(text: str) -> float:
    """A temperature as a number, or as the JSON file that ``lit-cnn calibrate --out`` has written.

    Raises:
        ValueError: If it is neither, or not a positive number.
    """
    try:
        value: Any = float(text)
    except ValueError:
        value = _stored_temperature(text)
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"--temperature {text} gives {value!r}, but a temperature is a number above 0")
    return float(value)


def _stored_temperature(path: str) -> Any:
    try:
        return json.loads(Path(path).expanduser().read_text())["temperature"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"--temperature {path} is neither a number nor a file with a temperature: write one with "
            "lit-cnn calibrate CKPT --out calibration.json"
        ) from None


@dataclass(frozen=True)
class CalibrationFigures:
    """Of M images: accuracy, mean confidence, ECE, negative log-likelihood in nats, Brier score."""

    accuracy: float
    confidence: float
    ece: float
    log_loss: float
    brier: float


def calibration_figures(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> CalibrationFigures:
    """All figures of (probabilities (M, K), labels (M,))."""
    return CalibrationFigures(
        float(hits(probabilities, labels).double().mean()),
        float(probabilities.double().amax(dim=1).mean()),
        expected_calibration_error(probabilities, labels, bins),
        log_loss(probabilities, labels),
        brier_score(probabilities, labels),
    )


@dataclass(frozen=True)
class Calibration:
    """Temperature scaling, fitted on one half and measured on the other.

    Attributes:
        temperature: The fitted one; above 1 the network was too sure.
        fitted_on: Images of the half it was fitted on.
        measured_on: Images of the other half, which all that follows is about.
        before: Figures as the network is.
        after: Figures at the temperature.
        bins_before: Reliability as the network is.
        bins_after: Reliability at the temperature.
        abstention_before: Answers above thresholds as the network is.
        abstention_after: Answers above thresholds at the temperature.
    """

    temperature: float
    fitted_on: int
    measured_on: int
    before: CalibrationFigures
    after: CalibrationFigures
    bins_before: ConfidenceBins
    bins_after: ConfidenceBins
    abstention_before: list[Abstention]
    abstention_after: list[Abstention]

    @property
    def at_limit(self) -> bool:
        """Whether no temperature between the limits was best."""
        return not COLDEST * 1.001 < self.temperature < HOTTEST / 1.001

    def report(self) -> dict[str, Any]:
        """Everything as built-in types."""
        bins = {"before": self.bins_before, "after": self.bins_after}
        return {
            "temperature": self.temperature,
            "at_limit": self.at_limit,
            "fitted_on": self.fitted_on,
            "measured_on": self.measured_on,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "bins": {
                when: {name: values.tolist() for name, values in vars(part).items()} for when, part in bins.items()
            },
            "abstention": {
                "before": [asdict(row) for row in self.abstention_before],
                "after": [asdict(row) for row in self.abstention_after],
            },
        }

    def panels(self) -> list[ReliabilityPanel]:
        """Reliability diagrams before and after."""
        shown = (
            ("as trained", self.before, self.bins_before),
            (f"temperature {self.temperature:.2f}", self.after, self.bins_after),
        )
        return [
            ReliabilityPanel(
                f"{title}: ECE {100 * figures.ece:.2f} %",
                bins.counts.tolist(),
                bins.confidence.tolist(),
                bins.accuracy.tolist(),
            )
            for title, figures, bins in shown
        ]


def calibrate(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> Calibration:
    """Split the images in halves, stratified by class and always the same; fit on the first, measure on the second.

    Raises:
        ValueError: If there are too few images for two halves.
    """
    fit, measure = stratified_rows(labels, 0.5)
    if not len(measure) or not len(fit):
        raise ValueError(f"calibration needs at least two images of some class, got {len(labels)} images in all")
    temperature = fit_temperature(probabilities[fit], labels[fit])
    before, truth = probabilities[measure], labels[measure]
    after = scaled(before, temperature)
    return Calibration(
        temperature,
        len(fit),
        len(measure),
        calibration_figures(before, truth, bins),
        calibration_figures(after, truth, bins),
        confidence_bins(before, truth, bins),
        confidence_bins(after, truth, bins),
        abstention(before, truth),
        abstention(after, truth),
    )
