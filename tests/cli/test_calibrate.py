"""What the reliability diagrams are drawn from."""

import torch

from lit_cnn.cli.calibrate import panels
from lit_cnn.evaluation.calibration import Calibration, CalibrationFigures, ConfidenceBins


def test_the_first_diagram_is_of_the_network_as_trained_and_the_second_at_the_temperature() -> None:
    before, after = (
        ConfidenceBins(torch.tensor(counts), torch.tensor(confidence), torch.tensor(accuracy))
        for counts, confidence, accuracy in (([1, 3], [0.25, 0.75], [0.0, 0.5]), ([2, 2], [0.5, 1.0], [0.25, 0.125]))
    )
    sure, modest = (CalibrationFigures(0.5, 0.75, ece, 1.0, 1.0) for ece in (0.25, 0.0625))
    trained, scaled = panels(Calibration(2.0, 4, 4, sure, modest, before, after))
    assert (trained.title, scaled.title) == ("as trained: ECE 25.00 %", "temperature 2.00: ECE 6.25 %")
    assert (trained.counts, trained.confidence, trained.accuracy) == ([1, 3], [0.25, 0.75], [0.0, 0.5])
    assert (scaled.counts, scaled.confidence, scaled.accuracy) == ([2, 2], [0.5, 1.0], [0.25, 0.125])
