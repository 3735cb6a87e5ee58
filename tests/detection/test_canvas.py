"""Images keep their aspect ratio on the canvas, and boxes find the way back to the file."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from lit_cnn.detection.boxes import Detections
from lit_cnn.detection.canvas import Canvas, box_areas, clamp_boxes

FILL = (120, 110, 100)
sides = st.integers(1, 3000)


def _detections(*boxes):
    return Detections(torch.tensor(boxes), torch.linspace(0.9, 0.1, len(boxes)), torch.arange(len(boxes)))


@given(height=sides, width=sides, box=st.tuples(*[st.floats(0, 1, width=32)] * 4), canvas=st.tuples(sides, sides))
@settings(max_examples=60, deadline=None)
def test_a_box_comes_back_from_the_canvas_to_the_file(height, width, box, canvas):
    scale = Canvas(*canvas, FILL).fitting_scale((height, width))
    (left, right), (top, bottom) = sorted(box[:2]), sorted(box[2:])
    boxes = torch.tensor([[left * width, top * height, right * width, bottom * height]])
    moved = Canvas.boxes_to_canvas(boxes, scale, (0.2, -0.2))
    assert moved.dtype == torch.float32
    torch.testing.assert_close(
        Canvas.boxes_to_file(moved, scale, (0.2, -0.2)), boxes, rtol=1e-5, atol=1e-5 * max(1, 1 / scale)
    )


@pytest.mark.parametrize(("height", "width"), [(480, 640), (333, 500), (500, 333), (7, 5), (90, 1), (2, 300)])
def test_the_canvas_shows_the_whole_image_in_its_aspect_ratio_and_the_fill_around_it(height, width):
    canvas = Canvas(96, 128, FILL)
    framed = canvas.frame(torch.zeros(3, height, width, dtype=torch.uint8))
    assert framed.image.shape == (3, 96, 128)
    assert framed.image.dtype == torch.uint8
    shown = (framed.image == 0).all(0)
    rows, columns = shown.any(1).sum().item(), shown.any(0).sum().item()
    assert (rows, columns) == (max(round(height * framed.scale), 1), max(round(width * framed.scale), 1))
    assert rows == 96 or columns == 128
    assert shown[:rows, :columns].all()
    assert (framed.image[:, ~shown] == torch.tensor(FILL)[:, None]).all()


def test_pixels_are_those_of_the_antialiased_resize_of_the_classification_data():
    image = torch.randint(0, 256, (3, 48, 64), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    framed = Canvas(24, 32, FILL).frame(image)
    assert torch.equal(framed.image, functional.resize(image, [24, 32], antialias=True))
    assert (framed.scale, framed.offset) == (0.5, (0.0, 0.0))


def test_a_file_decoded_at_half_its_size_has_the_same_place():
    whole, half = torch.zeros(3, 50, 71, dtype=torch.uint8), torch.zeros(3, 25, 36, dtype=torch.uint8)
    canvas = Canvas(16, 24, FILL)
    first, second = canvas.frame(whole), canvas.frame(half, (50, 71))
    assert first[1:] == second[1:]
    assert torch.equal(first.image, second.image)


def test_a_painted_rectangle_is_within_a_quarter_of_a_pixel_of_its_box():
    image = torch.zeros(3, 333, 500, dtype=torch.uint8)
    image[:, 100:301, 40:471] = 255
    framed = Canvas(160, 160, FILL).frame(image)
    box = Canvas.boxes_to_canvas(torch.tensor([[40.0, 100.0, 471.0, 301.0]]), framed.scale, framed.offset)[0]
    level = framed.image[0, :107].float() / 255  # how much of a pixel is painted
    columns, rows = level[60], level[:, 80]
    left, top = columns.argmax() - columns[: columns.argmax()].sum(), rows.argmax() - rows[: rows.argmax()].sum()
    right, bottom = left + columns.sum(), top + rows.sum()
    assert torch.stack([left, top, right, bottom]).sub(box).abs().max() <= 0.25 + 0.05


def test_detections_go_back_to_the_file_and_are_clamped_to_it():
    found = _detections([-5.0, 10.0, 20.0, 30.0], [50.0, 100.0, 400.0, 300.0])
    back = Canvas.to_file(found, 0.5, (2.0, -4.0), 640, 480)
    assert torch.equal(back.boxes, torch.tensor([[0.0, 28.0, 36.0, 68.0], [96.0, 208.0, 640.0, 480.0]]))
    assert torch.equal(back.scores, found.scores)
    assert torch.equal(back.labels, found.labels)


def test_a_detection_in_the_padding_is_dropped_with_its_score_and_label():
    found = _detections([0.0, 0.0, 8.0, 8.0], [0.0, 60.0, 10.0, 70.0], [1.0, 1.0, 9.0, 9.0])
    back = Canvas.to_file(found, 1.0, torch.zeros(2), 100, 50)
    assert back.labels.tolist() == [0, 2]
    assert torch.equal(back.scores, found.scores[[0, 2]])


def test_no_detections_stay_none():
    back = Canvas.to_file(Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long()), 0.5, (0.0, 0.0), 9, 9)
    assert back.boxes.shape == (0, 4)


def test_areas_of_clamped_boxes_are_never_negative():
    boxes = clamp_boxes(torch.tensor([[-9.0, -9.0, -3.0, -3.0], [5.0, 5.0, 2.0, 9.0], [1.0, 2.0, 4.0, 9.0]]), 8, 8)
    assert box_areas(boxes).tolist() == [0.0, 0.0, 18.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 32, FILL), r"data.canvas is \(0, 32\) but must be \[height, width\], each at least 1 pixel"),
        ((32, 32, (1, 2)), r"data.canvas fill is \(1, 2\) but must be three levels from 0 to 255"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(values, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Canvas(*values)
