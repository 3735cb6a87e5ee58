"""A painted rectangle stays in its box under every operation, and the box stays tight."""

import math

import pytest
import torch

from lit_cnn.data.augmentation.magnitudes import paper_value, side_along
from lit_cnn.data.augmentation.operations import RELEASED_OPERATIONS, Step, apply
from lit_cnn.detection.box_operations import BoxStep, Scene, apply_box_steps, flip_boxes, forward_matrix, hulls

HEIGHT, WIDTH = 96, 128
GEOMETRY = ["Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY"]
# Left, top, right, bottom: in the middle, near corners, thin, and the whole image.
RECTANGLES = [(40, 30, 80, 60), (0, 0, 30, 20), (90, 50, 128, 96), (20, 70, 110, 74), (0, 0, WIDTH, HEIGHT)]


def _scene(*rectangles, level=255):
    """A black image with painted rectangles, and their boxes."""
    image = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8)
    for left, top, right, bottom in rectangles:
        image[:, top:bottom, left:right] = level
    return Scene.of(image, torch.tensor(rectangles, dtype=torch.float32).view(-1, 4))


def extent(image):
    """Left, top, right, bottom of the painted pixels; None without any."""
    rows, columns = ((image.amax(0) > 127).any(dim).nonzero()[:, 0] for dim in (1, 0))
    return torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) if len(rows) else None


def _overhang(painted, box):
    """Pixels by which the painted extent leaves the box, most of the four sides."""
    return torch.cat([box[:2] - painted[:2], painted[2:] - box[2:]]).max().item()


def _value(name, magnitude, sign):
    return paper_value(name, magnitude, side_along(name, HEIGHT, WIDTH), sign)


@pytest.mark.parametrize("magnitude", [1, 5, 10])
@pytest.mark.parametrize("name", GEOMETRY)
def test_a_painted_rectangle_stays_in_its_box_and_fills_it(name, magnitude):
    for rectangle in RECTANGLES:
        for sign in (-1, 1):
            step = Step(name, _value(name, magnitude, sign))
            moved = apply_box_steps(_scene(rectangle), [BoxStep(step)])
            painted, box = extent(moved.image), moved.boxes[0]
            if painted is None:
                assert moved.visible.item() < 0.05
                continue
            assert _overhang(painted, box) <= 1, (rectangle, sign)
            if moved.visible.item() == 1:  # a cut hull may have lost the corner that made it
                assert (painted - box).abs().max() <= 1.5, (rectangle, sign)


@pytest.mark.parametrize("dim", [1, 2])
def test_a_mirrored_rectangle_fills_its_box_exactly(dim):
    for rectangle in RECTANGLES:
        moved = flip_boxes(_scene(rectangle), dim)
        assert torch.equal(extent(moved.image).float(), moved.boxes[0])
        twice = flip_boxes(moved, dim)
        assert torch.equal(twice.boxes, _scene(rectangle).boxes)


def test_operations_in_turn_keep_the_rectangle_in_its_box():
    for number in range(30):
        names = [GEOMETRY[number % 5], GEOMETRY[number // 5 % 5], GEOMETRY[(number * 7 + 3) % 5]]
        steps = [BoxStep(Step(name, _value(name, 2 + number % 4, (-1) ** number))) for name in names]
        moved = apply_box_steps(_scene((50, 30, 90, 60)), steps)
        assert _overhang(extent(moved.image), moved.boxes[0]) <= 1, names


@pytest.mark.parametrize("name", ["Identity", *sorted(set(RELEASED_OPERATIONS) - set(GEOMETRY))])
def test_operations_on_colors_and_cutout_leave_the_boxes(name):
    scene = _scene((40, 30, 80, 60), (0, 0, 30, 20), level=200)
    step = Step(name, _value(name, 4, 1), (0.5, 0.5))
    changed = apply_box_steps(scene, [BoxStep(step)], 128)
    assert torch.equal(changed.boxes, scene.boxes)
    assert torch.equal(changed.visible, torch.ones(2))
    assert changed.image.shape == scene.image.shape
    assert torch.equal(changed.image, apply(scene.image, step, 128)) or name in ("Sharpness", "Contrast", "Color")


@pytest.mark.parametrize("name", [*GEOMETRY, "Equalize", "Invert", "Cutout"])
def test_an_operation_inside_boxes_changes_the_chosen_ones_alone(name):
    chosen, other = (40, 30, 80, 60), (90, 60, 120, 90)
    scene = _scene(chosen, other)
    scene.image[:, 40:55, 45:75] = 70  # so that the inside has something to move
    step = Step(name, {"Rotate": 20.0, "Cutout": 10.0}.get(name, 0.2 if "Shear" in name else 6.0), (0.5, 0.5))
    changed = apply_box_steps(scene, [BoxStep(step, torch.tensor([True, False]))], 90)
    assert torch.equal(changed.boxes, scene.boxes)
    different = (changed.image != scene.image).any(0)
    assert different[30:60, 40:80].any()
    different[30:60, 40:80] = False
    assert not different.any()
    assert torch.equal(scene.image[:, 60:90, 90:120], torch.full((3, 30, 30), 255, dtype=torch.uint8))


def test_a_box_that_has_left_the_image_is_passed_over_by_an_operation_inside_boxes():
    out = apply_box_steps(_scene((0, 40, 20, 60)), [BoxStep(Step("TranslateX", -30.0))])
    inside = BoxStep(Step("TranslateY", 5.0), torch.tensor([True]))
    assert torch.equal(apply_box_steps(out, [inside]).image, out.image)


def test_the_hull_of_a_box_that_turns_by_90_degrees_exchanges_its_sides():
    matrix = forward_matrix(Step("Rotate", 90.0), 100, 100)
    turned = hulls(torch.tensor([[10.0, 20.0, 40.0, 30.0]]), matrix)  # against the clock: the top goes left
    torch.testing.assert_close(turned, torch.tensor([[20.0, 60.0, 30.0, 90.0]]))


def test_the_visible_share_is_the_part_of_the_moved_box_that_remains():
    quarter = apply_box_steps(_scene((0, 20, 40, 60)), [BoxStep(Step("TranslateX", -30.0))])
    assert quarter.visible.tolist() == [0.25]
    assert quarter.boxes.tolist() == [[0.0, 20.0, 10.0, 60.0]]
    eighth = apply_box_steps(quarter, [BoxStep(Step("TranslateX", -5.0))])
    assert eighth.visible.tolist() == [0.125]
    back = apply_box_steps(eighth, [BoxStep(Step("TranslateX", 60.0))])  # what was lost stays lost
    assert back.visible.tolist() == [0.125]
    assert back.boxes.tolist() == [[60.0, 20.0, 65.0, 60.0]]


def test_a_box_outside_becomes_a_line_without_area_and_is_never_kept():
    gone = apply_box_steps(_scene((0, 20, 20, 60)), [BoxStep(Step("TranslateX", -30.0))])
    assert gone.boxes.tolist() == [[0.0, 20.0, 0.0, 60.0]]
    assert gone.visible.tolist() == [0.0]
    assert not gone.kept(0.0, 0.0).item()


def test_the_visibility_rule_by_hand():
    boxes = torch.tensor(
        [[-30.0, 0.0, 10.0, 10.0], [-90.0, 0.0, 9.0, 10.0], [5.0, 5.0, 7.5, 50.0], [3.0, 3.0, 3.0, 9.0]]
    )
    scene = Scene.of(torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8), boxes)
    torch.testing.assert_close(scene.visible, torch.tensor([0.25, 1 / 11, 1.0, 0.0]))
    assert scene.kept(0.1, 1.0).tolist() == [True, False, True, False]
    assert scene.kept(0.25, 2.5).tolist() == [True, False, True, False]
    assert scene.kept(0.0, 3.0).tolist() == [True, True, False, False]


@pytest.mark.parametrize("name", [*GEOMETRY, "Equalize"])
def test_an_image_without_boxes_has_none_afterwards(name):
    moved = apply_box_steps(_scene(), [BoxStep(Step(name, 0.3)), BoxStep(Step(name, 0.3), torch.zeros(0).bool())])
    assert moved.boxes.shape == (0, 4)
    assert moved.visible.shape == (0,)


def test_boxes_stay_float32_with_sides_that_are_not_negative():
    scene = _scene(*RECTANGLES)
    for name in GEOMETRY:
        for sign in (-1, 1):
            scene = apply_box_steps(scene, [BoxStep(Step(name, _value(name, 10, sign)))])
            assert scene.boxes.dtype == torch.float32
            assert (scene.boxes[:, 2:] >= scene.boxes[:, :2]).all()
            assert ((scene.visible >= 0) & (scene.visible <= 1)).all()


def test_the_matrix_of_a_rotation_keeps_the_center_and_lengths():
    matrix = forward_matrix(Step("Rotate", 25.0), HEIGHT, WIDTH)
    center = torch.tensor([WIDTH / 2, HEIGHT / 2, 1.0])
    torch.testing.assert_close(matrix @ center, center[:2])
    assert torch.linalg.det(matrix[:, :2]).item() == pytest.approx(1.0)
    assert matrix[0, 0].item() == pytest.approx(math.cos(math.radians(25)))
