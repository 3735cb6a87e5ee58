"""Confusion pictures and the table of the most frequent mistakes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.reports.confusion import confusion_figure, draw_confusion, most_confused

NAMES = ["cat", "dog", "emu"]
MATRIX = torch.tensor([[8, 2, 0], [4, 6, 0], [0, 2, 2]])


def test_mistakes_fall_by_images_and_then_by_share() -> None:
    assert most_confused(MATRIX, NAMES, 9) == [("dog", "cat", 4, 0.4), ("emu", "dog", 2, 0.5), ("cat", "dog", 2, 0.2)]
    assert most_confused(MATRIX, NAMES, 1) == [("dog", "cat", 4, 0.4)]
    assert most_confused(torch.eye(3, dtype=torch.int64), NAMES, 3) == []


@pytest.mark.parametrize("classes", [2, 20, 21])
def test_a_picture_is_drawn_for_few_and_for_many_classes(tmp_path: Path, classes: int) -> None:
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    matrix[0, 1] = 3  # a class without images leaves an empty row
    out = draw_confusion(matrix, [f"class {i}" for i in range(classes)], tmp_path / "deep" / "confusion.png")
    with Image.open(out) as picture:
        assert min(picture.size) > 300


def test_color_is_the_share_of_the_row(tmp_path: Path) -> None:
    """The same shares with other counts give the same colors."""
    big = torch.diag(torch.full((25,), 7)) + 1
    pictures = []
    for number, matrix in enumerate((big, big * 10, big + torch.eye(25, dtype=torch.int64))):
        with Image.open(draw_confusion(matrix, ["c"] * 25, tmp_path / f"{number}.png")) as picture:
            width, height = picture.size
            pictures.append(picture.crop((0, height // 10, width, height)).tobytes())
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


def test_a_matrix_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"of 2 classes has the shape \(2, 2\), got \(3, 3\)"):
        draw_confusion(MATRIX, ["a", "b"], tmp_path / "confusion.png")


def test_a_row_is_a_true_class_and_a_column_what_it_was_called() -> None:
    figure = confusion_figure(MATRIX, NAMES)
    axes, _ = figure.axes
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.8, 0.2, 0], [0.4, 0.6, 0], [0, 0.5, 0.5]])
    written = {(round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "8", (0, 1): "2", (1, 0): "4", (1, 1): "6", (2, 1): "2", (2, 2): "2"}
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == NAMES
    below, beside = (next(text for text in figure.texts if text.get_text() == word) for word in ("predicted", "true"))
    assert (below.get_rotation(), beside.get_rotation()) == (0, 90)


def test_the_heading_is_the_accuracy() -> None:
    assert "24 images, 66.7 % correct" in [text.get_text() for text in confusion_figure(MATRIX, NAMES).texts]
