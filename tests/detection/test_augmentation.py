"""A training image and its boxes move together, as a function of the key alone."""

import pickle

import numpy as np
import pytest
import torch

from lit_cnn.data.augmentation import rand_augment
from lit_cnn.data.augmentation.flip import Flip
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.detection.augmentation import BoxAugmentation, BoxTransform, ScaleJitter, Visibility
from lit_cnn.detection.boxes import AnnotatedImage
from lit_cnn.detection.canvas import Canvas

BLACK, GRAY = Canvas(96, 128, (0, 0, 0)), Canvas(96, 128, (120, 110, 100))
STILL = Flip(horizontal=0.0)


def _annotated(*boxes, width=200, height=150, crowd=()):
    count = len(boxes)
    crowds = np.zeros(count, bool)
    crowds[list(crowd)] = True
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return AnnotatedImage(
        path="a.jpg",
        width=width,
        height=height,
        boxes=array,
        labels=np.arange(count),
        difficult=np.zeros(count, bool),
        crowd=crowds,
        areas=np.ones(count, np.float32),
        image_id="a",
    )


def _painted(left, top, right, bottom, height=150, width=200):
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    image[:, top:bottom, left:right] = 255
    return image


def _noise(height=150, width=200):
    return torch.randint(0, 256, (3, height, width), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def _difference(augmented):
    """Painted extent minus box; negative for left and top where paint is outside."""
    painted = augmented.image.amax(0) > 200
    rows, columns = painted.any(1).nonzero()[:, 0], painted.any(0).nonzero()[:, 0]
    return torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) - augmented.boxes[0]


def test_without_augmentation_the_image_is_framed_as_for_evaluation():
    augmented = BoxTransform(BoxAugmentation(flip=STILL), GRAY, 0)(_noise(), _annotated((10, 20, 60, 80)), 0, 0, 0)
    framed = GRAY.frame(_noise())
    assert torch.equal(augmented.image, framed.image)
    assert (augmented.scale, augmented.offset) == (framed.scale, framed.offset)
    expected = Canvas.boxes_to_canvas(torch.tensor([[10.0, 20.0, 60.0, 80.0]]), framed.scale, framed.offset)
    torch.testing.assert_close(augmented.boxes, expected)
    assert augmented.labels.tolist() == [0]


@pytest.mark.parametrize(
    "jitter", [(1.0, 1.0), (0.5, 0.9), (1.1, 1.6), (0.3, 2.0)], ids=["none", "smaller", "larger", "both"]
)
def test_a_painted_rectangle_stays_in_its_box_and_fills_it_under_flip_and_jitter(jitter):
    augmentation = BoxAugmentation(scale_jitter=ScaleJitter(jitter), flip=Flip(0.5, 0.5), visibility=Visibility(0.02))
    transform, image, annotated = (
        BoxTransform(augmentation, BLACK, 0),
        _painted(40, 30, 120, 90),
        _annotated((40, 30, 120, 90)),
    )
    seen = 0
    for index in range(25):
        augmented = transform(image, annotated, 0, index, 0)
        if len(augmented.boxes):
            seen += 1
            assert _difference(augmented).abs().max() <= 1, index
    assert seen > 15


@pytest.mark.parametrize("magnitude", [3, 5, 10])
def test_a_painted_rectangle_stays_in_its_box_under_all_together(magnitude, monkeypatch):
    monkeypatch.setattr(rand_augment, "OPERATIONS", ("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY"))
    augmentation = BoxAugmentation(
        scale_jitter=ScaleJitter((0.8, 1.2)),
        flip=Flip(0.5, 0.5),
        rand_augment=RandAugment(2, magnitude),
        visibility=Visibility(0.1),
    )
    transform, image, annotated = (
        BoxTransform(augmentation, BLACK, 0),
        _painted(60, 40, 140, 100),
        _annotated((60, 40, 140, 100)),
    )
    seen = 0
    for index in range(40):
        augmented = transform(image, annotated, 1, index, 0)
        if len(augmented.boxes):
            seen += 1
            outside = _difference(augmented) * torch.tensor([-1, -1, 1, 1])
            assert outside.max() <= 1, index
    assert seen > 25


def test_a_smaller_image_is_padded_right_and_below_and_a_larger_one_cut_anywhere():
    smaller = BoxTransform(BoxAugmentation(flip=STILL, scale_jitter=ScaleJitter((0.5, 0.5))), GRAY, 0)
    augmented = smaller(torch.zeros(3, 150, 200, dtype=torch.uint8), _annotated(), 0, 0, 0)
    assert (augmented.image[:, :48, :64] == 0).all()
    assert (augmented.image[:, 48:] == torch.tensor(GRAY.fill).view(3, 1, 1)).all()
    larger = BoxTransform(BoxAugmentation(flip=STILL, scale_jitter=ScaleJitter((2.0, 2.0))), GRAY, 0)
    offsets = {larger(_noise(), _annotated(), 0, index, 0).offset for index in range(30)}
    assert len({across for across, _ in offsets}) > 15
    assert len({down for _, down in offsets}) > 15
    assert all(-128 <= across <= 0 and -96 <= down <= 0 for across, down in offsets)


def test_scale_and_offset_say_where_the_file_is_on_the_canvas():
    transform = BoxTransform(BoxAugmentation(flip=STILL, scale_jitter=ScaleJitter((0.6, 1.5))), GRAY, 0)
    box = (90.0, 70.0, 110.0, 80.0)
    for index in range(20):
        augmented = transform(_noise(), _annotated(box), 0, index, 0)
        place = Canvas.boxes_to_canvas(torch.tensor([box]), augmented.scale, augmented.offset)
        if len(augmented.boxes) and ((place >= 0) & (place <= 96)).all():
            torch.testing.assert_close(augmented.boxes, place)


def test_the_visibility_rule_drops_boxes_with_their_labels():
    boxes = [(0, 0, 200, 150), (-90, 10, 10, 60), (10, 10, 11, 60), (50, 50, 50, 60), (20, 20, 40, 40)]
    augmentation = BoxAugmentation(flip=STILL, visibility=Visibility(share=0.2, side=1.0))
    augmented = BoxTransform(augmentation, GRAY, 0)(_noise(), _annotated(*boxes), 0, 0, 0)
    assert augmented.labels.tolist() == [0, 4]  # a tenth visible, 0.64 pixels wide, and no area are dropped


def test_crowds_are_not_targets():
    boxes = [(10, 10, 50, 50), (20, 20, 90, 90), (60, 60, 90, 90)]
    augmented = BoxTransform(BoxAugmentation(), GRAY, 0)(_noise(), _annotated(*boxes, crowd=[1]), 0, 0, 0)
    assert augmented.labels.tolist() == [0, 2]


ALL = BoxAugmentation(
    scale_jitter=ScaleJitter((0.5, 1.5)),
    flip=Flip(0.5, 0.2),
    auto_augment="v0",
    rand_augment=RandAugment(2, 7, operations="released"),
)


def test_images_without_boxes_work_under_everything():
    transform = BoxTransform(ALL, GRAY, 0)
    for index in range(25):
        augmented = transform(_noise(), _annotated(), 0, index, 0)
        assert augmented.boxes.shape == (0, 4)
        assert augmented.labels.shape == (0,)
        assert augmented.image.shape == (3, 96, 128)


def test_boxes_are_float32_inside_the_canvas_with_positive_sides():
    transform = BoxTransform(ALL, GRAY, 0)
    annotated = _annotated((0, 0, 60, 60), (50, 40, 200, 150), (150, 10, 199, 140))
    for index in range(40):
        augmented = transform(_noise(), annotated, 0, index, 0)
        assert augmented.boxes.dtype == torch.float32
        assert augmented.labels.dtype == torch.int64
        assert len(augmented.boxes) == len(augmented.labels)
        assert (augmented.boxes >= 0).all()
        assert (augmented.boxes <= torch.tensor([128.0, 96.0, 128.0, 96.0])).all()
        assert (augmented.boxes[:, 2:] - augmented.boxes[:, :2] >= 1).all()


def test_the_result_is_a_function_of_the_key_and_leaves_ambient_generators():
    transform, annotated = BoxTransform(ALL, GRAY, 5), _annotated((20, 20, 90, 90), (100, 50, 180, 140))
    state, image = torch.get_rng_state(), _noise()
    keys = [(epoch, index, repeat) for epoch in range(2) for index in range(6) for repeat in range(2)]
    first = [transform(image, annotated, *key) for key in keys]
    again = pickle.loads(pickle.dumps(transform))
    second = [again(image, annotated, *key) for key in reversed(keys)][::-1]
    for one, two in zip(first, second, strict=True):
        assert torch.equal(one.image, two.image)
        assert torch.equal(one.boxes, two.boxes)
        assert (one.scale, one.offset) == (two.scale, two.offset)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(image, _noise())
    assert len({each.image.sum().item() for each in first}) == len(keys)
    other = BoxTransform(ALL, GRAY, 6)(image, annotated, 0, 0, 0)
    assert not torch.equal(other.image, first[0].image)


def test_a_file_decoded_at_half_its_size_keeps_its_boxes():
    transform = BoxTransform(BoxAugmentation(flip=Flip(1.0)), BLACK, 0)
    annotated = _annotated((40, 30, 120, 90))
    half = transform(_painted(20, 15, 60, 45, 75, 100), annotated, 0, 0, 0)
    assert torch.equal(half.boxes, transform(_painted(40, 30, 120, 90), annotated, 0, 0, 0).boxes)
    assert _difference(half).abs().max() <= 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda: ScaleJitter((1.2, 0.8)),
            r"data.scale_jitter.range is \(1.2, 0.8\) but must be two positive numbers, the",
        ),
        (
            lambda: ScaleJitter((0.0, 1.0)),
            r"data.scale_jitter.range is \(0.0, 1.0\) but must be two positive numbers, the",
        ),
        (lambda: Visibility(1.5), "data.visibility.share is 1.5 but must be a probability between 0 and 1"),
        (lambda: Visibility(side=-1), "data.visibility.side is -1 but must be 0 or a positive number of pixels"),
        (
            lambda: BoxTransform(BoxAugmentation(auto_augment="imagenet"), GRAY, 0),
            "data.auto_augment is 'imagenet' but must be one of none, v0",
        ),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(wrong, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        wrong()


def test_an_alternating_flip_mirrors_image_and_boxes_in_every_other_epoch():
    image, annotated = _painted(40, 30, 120, 90), _annotated((40, 30, 120, 90))
    alternating = BoxTransform(BoxAugmentation(flip=Flip(1.0, alternating=True)), BLACK, 0)
    fixed = {0: Flip(1.0), 1: STILL}
    for epoch, flip in fixed.items():
        found = alternating(image, annotated, epoch, 0, 0)
        expected = BoxTransform(BoxAugmentation(flip=flip), BLACK, 0)(image, annotated, epoch, 0, 0)
        assert torch.equal(found.image, expected.image)
        assert torch.equal(found.boxes, expected.boxes)
