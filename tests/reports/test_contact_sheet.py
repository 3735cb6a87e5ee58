"""Contact sheets: captions of hard and soft targets, and images that arrive unchanged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.reports.contact_sheet import caption, draw_contact_sheet

NAMES = ["cat", "dog", "emu"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (1, "dog"),
        (torch.tensor(2), "emu"),
        (torch.tensor([0.7, 0.3, 0.0]), "cat 0.7 / dog 0.3"),
        (torch.tensor([0.2, 0.3, 0.5]), "emu 0.5 / dog 0.3 / cat 0.2"),
        (torch.tensor([0.0, 1.0, 0.0]), "dog"),
        (torch.tensor([0.03, 0.97, 0.0]), "dog 0.97"),
    ],
)
def test_captions_read_as_words(target: int | torch.Tensor, text: str) -> None:
    assert caption(target, NAMES) == text


def test_targets_that_do_not_fit_the_names_are_refused() -> None:
    with pytest.raises(ValueError, match="class 3 has no name"):
        caption(3, NAMES)
    with pytest.raises(ValueError, match="needs 3 shares"):
        caption(torch.tensor([0.5, 0.5]), NAMES)


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_keep_their_exact_colors_when_enlarged(tmp_path: Path, channels: int) -> None:
    """Without smoothing, a sheet of a two-color image holds no color between the two inside the image."""
    image = torch.zeros(1, channels, 4, 4, dtype=torch.uint8)
    image[..., 2:] = 200
    out = draw_contact_sheet(image, ["x"], tmp_path / "deep" / "sheet.png")
    with Image.open(out) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    middle = pixels[pixels.shape[0] // 3, 30:-30]
    assert set(map(tuple, middle.tolist())) <= {(0, 0, 0), (200, 200, 200)}
    assert len(set(map(tuple, middle.tolist()))) == 2


def test_the_sheet_grows_by_rows(tmp_path: Path) -> None:
    sizes = []
    for count in (8, 16):
        images = torch.zeros(count, 3, 8, 8, dtype=torch.uint8)
        with Image.open(draw_contact_sheet(images, ["x"] * count, tmp_path / f"{count}.png", title="t")) as picture:
            sizes.append(picture.size)
    assert sizes[0][0] == sizes[1][0]
    assert sizes[1][1] > 1.6 * sizes[0][1]


def test_captions_and_images_must_be_equally_many(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 2 and 1"):
        draw_contact_sheet(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), ["x"], tmp_path / "sheet.png")


def test_other_channel_counts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1, 3 or 4 channels, got 2"):
        draw_contact_sheet(torch.zeros(1, 2, 8, 8, dtype=torch.uint8), ["x"], tmp_path / "sheet.png")
