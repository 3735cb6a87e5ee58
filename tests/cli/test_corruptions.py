"""What the heat map of corruptions is drawn from."""

import torch

from lit_cnn.cli.corruptions import heat_map_rows
from lit_cnn.evaluation.robustness import CorruptionScores


def test_a_row_is_a_corruption_with_the_clean_accuracy_first_and_then_by_severity() -> None:
    scores = CorruptionScores(0.9, torch.tensor([[0.75, 0.5], [0.25, 0.125]]))
    rows = heat_map_rows(scores, ("fog", "motion_blur"))
    assert rows == {"fog": [0.9, 0.75, 0.5], "motion blur": [0.9, 0.25, 0.125]}
