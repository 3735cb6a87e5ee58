"""The picture of counts."""

from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.profiling.counting import count_model
from lit_cnn.profiling.picture import draw_counts


@pytest.mark.slow
def test_two_networks_with_accuracies_in_their_papers_get_a_scatter_below_their_budgets(tmp_path: Path) -> None:
    heights = []
    for number, names in enumerate((["cifar_resnet20"], ["cifar_resnet20", "cifar_resnet32"])):
        path = draw_counts([count_model(name) for name in names], tmp_path / f"{number}.png")
        with Image.open(path) as image:
            heights.append(image.height)
    assert heights[1] > heights[0] + 300
