"""The worst images: the order and the words."""

import csv
import os
from pathlib import Path

import pytest
import torch

from lit_cnn.reports import worst_images
from lit_cnn.reports.worst_images import draw_worst


def test_images_are_sorted_by_falling_loss_and_say_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    def remember(images: torch.Tensor, captions: list[str], out_png: Path, title: str, framed: list[int]) -> Path:
        seen.update(images=images, captions=captions, title=title, framed=framed)
        return out_png

    monkeypatch.setattr(worst_images, "draw_contact_sheet", remember)
    images = torch.arange(3, dtype=torch.uint8)[:, None, None, None].expand(3, 1, 8, 8)
    draw_worst(
        images, torch.tensor([0.5, 7.25, 3.0]), torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1]),
        torch.tensor([0.4, 0.93, 0.9999]), ["cat", "dog"], tmp_path / "worst.png", files=["d/a", "d/b", "row 3"],
    )  # fmt: skip
    assert seen["images"][:, 0, 0, 0].tolist() == [1, 2, 0]
    assert seen["captions"] == [
        "true dog\nsaid cat 93 %\nloss 7.25\nb",
        "true cat\nsaid dog >99 %\nloss 3.00\nrow 3",
        "true cat\nsaid cat 40 %\nloss 0.50\na",
    ]
    assert seen["framed"] == [0, 1]


def test_a_table_next_to_the_picture_has_the_whole_names(tmp_path: Path) -> None:
    images, bad = torch.zeros(2, 1, 8, 8, dtype=torch.uint8), os.fsdecode(b"photos/caf\xe9, 2.png")
    losses, shares = torch.tensor([0.25, 2.0]), torch.tensor([0.75, 0.5])
    classes = ["cat" * 9, "dog"]
    draw_worst(
        images, losses, torch.tensor([0, 1]), torch.tensor([0, 0]), shares, classes, tmp_path / "w.png",
        files=["photos/a.png", bad],
    )  # fmt: skip
    with (tmp_path / "w.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "true", "said", "probability", "loss", "right"]
    assert rows == [[bad, "dog", "cat" * 9, "0.5", "2.0", "0"], ["photos/a.png", *classes[:1] * 2, "0.75", "0.25", "1"]]


def test_a_picture_is_written(tmp_path: Path) -> None:
    one = torch.zeros(1, dtype=torch.int64)
    out = tmp_path / "deep" / "worst.png"
    assert draw_worst(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), one.float(), one, one, one.float(), ["a"], out) == out
    assert out.stat().st_size > 1000


def test_different_lengths_are_refused(tmp_path: Path) -> None:
    one = torch.zeros(1, dtype=torch.int64)
    with pytest.raises(ValueError, match="one loss, label and prediction for each image"):
        draw_worst(torch.zeros(2, 1, 8, 8), one.float(), one, one, one.float(), ["a"], tmp_path / "worst.png")
