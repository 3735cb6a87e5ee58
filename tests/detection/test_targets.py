import pytest
import torch

from lit_cnn.detection.boxes import BoxBatch
from lit_cnn.detection.targets import BACKGROUND, IGNORED, ImageBoxes, assign, image_factors, split_images


def batch() -> BoxBatch:
    """Two boxes in the first image, none in the second, one in a third that does not count."""
    boxes = torch.tensor([[0.0, 0, 9, 9], [1, 1, 5, 5], [2, 2, 8, 8]])
    return BoxBatch(
        images=torch.zeros(3, 3, 16, 16),
        boxes=boxes,
        labels=torch.tensor([2, 0, 1]),
        rows=torch.tensor([0, 0, 2]),
        shares=torch.tensor([0.25, 0.75, 1.0]),
        scales=torch.ones(3),
        offsets=torch.zeros(3, 2),
        index=torch.tensor([4, 0, -1]),
        position=torch.arange(3),
        weight=torch.tensor(1.0),
    )


def test_boxes_go_to_their_images_but_not_to_those_that_do_not_count() -> None:
    images = split_images(batch(), first_label=1)
    assert [len(image.boxes) for image in images] == [2, 0, 0]
    assert images[0].labels.tolist() == [3, 1]
    assert images[0].shares.tolist() == [0.25, 0.75]
    assert images[1].boxes.shape == (0, 4)


def test_each_anchor_gets_its_box_and_weight() -> None:
    matches = [torch.tensor([1, BACKGROUND, IGNORED, 0]), torch.full((4,), BACKGROUND), torch.full((4,), BACKGROUND)]
    found = assign(matches, split_images(batch(), 0), torch.tensor([True, True, False]))
    assert found.positive.tolist() == [[True, False, False, True], [False] * 4, [False] * 4]
    assert found.weights.tolist() == [[0.75, 1, 0, 0.25], [1] * 4, [0] * 4]
    assert found.labels[0].tolist() == [0, 0, 0, 2]
    assert found.boxes[0, 0].tolist() == [1, 1, 5, 5]
    assert found.classes(torch.zeros(3, 4, 3)).nonzero().tolist() == [[0, 0, 0], [0, 3, 2]]


def factors(normalizer: str, valid: tuple[bool, ...] = (True, True, False)) -> list[float]:
    """Of images with 4 matched anchors that weigh 2 in all, with none, and (unless it does not count) with one."""
    images = [ImageBoxes(torch.zeros(1, 4), torch.zeros(1).long(), torch.tensor([share])) for share in (0.5, 1.0, 1.0)]
    matches = [torch.tensor([0, 0, 0, 0]), torch.full((4,), BACKGROUND), torch.tensor([0, -1, -1, -1])]
    assignment = assign(matches, images, torch.tensor(valid))
    found = image_factors(assignment, torch.tensor(valid), normalizer, synchronize=True)  # type: ignore[arg-type]
    return found.tolist()


def test_the_divisor_is_that_of_the_image_or_of_the_batch() -> None:
    assert factors("image") == pytest.approx([1 / 2 / 2, 1 / 2, 0])
    assert factors("image", (True, True, True)) == pytest.approx([1 / 2 / 3, 1 / 3, 1 / 3])
    assert factors("batch") == pytest.approx([1 / 2, 1 / 2, 0])
    assert factors("batch", (True, True, True)) == pytest.approx([1 / 3] * 3)
    assert factors("global") == factors("batch")
    assert factors("batch", (False, True, False)) == [0, 1, 0]
    assert factors("image", (False, False, False)) == factors("batch", (False, False, False)) == [0, 0, 0]
