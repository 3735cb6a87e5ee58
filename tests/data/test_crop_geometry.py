"""Boxes and maps between a file and the evaluation's crop, against what the evaluation's own transform shows."""

import pytest
import torch
from torch import Tensor

from lit_cnn.data.crop_geometry import CropGeometry
from lit_cnn.data.preprocessing import Preprocessing, evaluate_images

SIZES = [(60, 100), (100, 60), (48, 48), (37, 91)]


def preprocessing(
    image_size: tuple[int, int] = (32, 32), resize: int = 40, resize_mode: str = "shorter_side"
) -> Preprocessing:
    return Preprocessing(image_size, resize, resize_mode, "bilinear", (0.0,), (1.0,), 1)  # type: ignore[arg-type]


def painted(file: tuple[int, int], box: list[int]) -> Tensor:
    """(1, H, W) uint8, white within the box."""
    image = torch.zeros(1, *file, dtype=torch.uint8)
    left, top, right, bottom = box
    image[:, top:bottom, left:right] = 255
    return image


def edges(levels: Tensor) -> list[float]:
    """Left, top, right, bottom of a white rectangle (H, W) on black to fractions of a pixel: at half of white along the
    two lines through its brightest point."""
    shares = levels.double() / 255
    columns, rows = shares.amax(dim=0), shares.amax(dim=1)
    found = []
    for line in (columns, rows):
        inside = (line > 0.5).nonzero().flatten()
        first, last = int(inside[0]), int(inside[-1])
        before, after = float(line[first - 1]), float(line[first])
        start = first - 0.5 + (0.5 - before) / (after - before)
        before, after = float(line[last]), float(line[last + 1])
        end = last + 0.5 + (before - 0.5) / (before - after)
        found.append((start, end))
    return [found[0][0], found[1][0], found[0][1], found[1][1]]


@pytest.mark.parametrize("file", SIZES)
@pytest.mark.parametrize(
    "settings",
    [
        preprocessing(),
        preprocessing((24, 36), 28),
        preprocessing(resize_mode="squash"),
        preprocessing((32, 32), 200),
        preprocessing((64, 64), 40),
    ],
    ids=["shorter side", "not square", "squash", "enlarged", "crop larger than the image"],
)
def test_a_painted_rectangle_is_where_its_box_is_moved_to(file: tuple[int, int], settings: Preprocessing) -> None:
    geometry = CropGeometry.of(file, settings)
    left, top, right, bottom = (
        round(each) for each in geometry.to_file(torch.tensor([[9.0, 8.0, 22.0, 19.0]]))[0].tolist()
    )
    box = [left, top, max(right, left + 3), max(bottom, top + 3)]
    crop = evaluate_images(painted(file, box), settings)[0]
    expected = geometry.to_crop(torch.tensor([box], dtype=torch.float64))[0]
    assert torch.tensor(edges(crop), dtype=torch.float64) == pytest.approx(expected, abs=0.35)


@pytest.mark.parametrize("file", SIZES)
@pytest.mark.parametrize("mode", ["shorter_side", "squash"])
def test_a_box_within_the_crop_comes_back_exactly(file: tuple[int, int], mode: str) -> None:
    geometry = CropGeometry.of(file, preprocessing(resize_mode=mode))
    boxes = torch.tensor([[0.0, 0.0, 32.0, 32.0], [3.5, 2.0, 7.25, 30.0]], dtype=torch.float64)
    torch.testing.assert_close(geometry.to_crop(geometry.to_file(boxes)), boxes, rtol=0, atol=1e-9)


def test_numbers_by_hand() -> None:
    geometry = CropGeometry.of((60, 100), preprocessing())  # at 40x66 the crop begins at row 4 and column 17
    assert geometry == CropGeometry((60, 100), (40, 66), 4, 17, (32, 32))
    found = geometry.to_file(torch.tensor([[0.0, 0.0, 32.0, 32.0]], dtype=torch.float64))
    assert found[0].tolist() == pytest.approx([17 * 100 / 66, 6, 49 * 100 / 66, 54])


def test_what_lies_outside_is_cut_off() -> None:
    geometry = CropGeometry.of((60, 100), preprocessing())
    assert geometry.to_crop(torch.tensor([[0.0, 0.0, 100.0, 60.0]]))[0].tolist() == [0, 0, 32, 32]
    assert geometry.to_crop(torch.tensor([[0.0, 0.0, 10.0, 60.0]]))[0].tolist() == [0, 0, 0, 32]
    larger = CropGeometry.of((20, 20), preprocessing((32, 32), 20))
    assert larger.to_file(torch.tensor([[0.0, 0.0, 32.0, 32.0]]))[0].tolist() == [0, 0, 20, 20]


@pytest.mark.parametrize("file", SIZES)
def test_a_map_comes_back_to_where_its_crop_was(file: tuple[int, int]) -> None:
    geometry = CropGeometry.of(file, preprocessing())
    crop_map = torch.zeros(32, 32)
    crop_map[8:20, 10:26] = 1.0
    found = geometry.map_to_file(crop_map)
    assert found.shape == file
    box = geometry.to_file(torch.tensor([[10.0, 8.0, 26.0, 20.0]], dtype=torch.float64))[0]
    rows, columns = (torch.arange(side, dtype=torch.float64) + 0.5 for side in file)
    margin = file[0] / geometry.resized[0], file[1] / geometry.resized[1]  # a pixel of the crop, in pixels of the file
    for reach, level in ((-1.0, 1.0), (1.0, 0.0)):
        high, wide = reach * margin[0], reach * margin[1]
        inside = (rows[:, None] > box[1] - high) & (rows[:, None] < box[3] + high)
        inside = inside & (columns > box[0] - wide) & (columns < box[2] + wide)
        assert (found[inside if level else ~inside] == level).all()


def test_a_map_is_zero_where_the_crop_shows_nothing() -> None:
    geometry = CropGeometry.of((60, 100), preprocessing())
    shown = geometry.map_to_file(torch.ones(4, 4)) > 0
    assert shown.any(dim=0).nonzero().flatten().tolist() == list(range(26, 74))  # 25.8 to 74.2
    assert shown.any(dim=1).nonzero().flatten().tolist() == list(range(6, 54))
    half = geometry.map_to_file(torch.ones(4, 4), (30, 50))
    assert float(half.sum()) == pytest.approx(float(shown.sum()) / 4, rel=0.05)
