"""Views against torchvision's crops, against the papers' counts and against validation's center crop."""

from dataclasses import replace

import pytest
import torch
from colors import noise, preprocessing
from torchvision.transforms.v2 import functional

from lit_cnn.data.preprocessing import evaluate_images
from lit_cnn.evaluation.choices import VIEW_KINDS, ViewKind
from lit_cnn.evaluation.test_time_augmentation import default_scales, make_views

ROWS = torch.arange(2)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (10, 13), (20, 9)])
@pytest.mark.parametrize("ratio", [0.7, 0.875, 1.0])
def test_center_is_what_validation_sees(height: int, width: int, ratio: float) -> None:
    images, settings = noise(2, height, width), preprocessing(8, ratio)
    (views,) = make_views("center", settings)(images, ROWS)
    assert torch.equal(views[:, 0], evaluate_images(images, settings))
    (views,) = make_views("flip", settings)(images, ROWS)
    assert torch.equal(views[:, 1], evaluate_images(images, settings).flip(-1))


def test_ten_are_the_corners_and_center_of_the_central_square_and_their_mirror_images() -> None:
    images = noise(2, 16, 20)  # 14 / 0.875 = 16: no resize
    (views,) = make_views("ten", preprocessing(14, 0.875))(images, ROWS)
    theirs = functional.ten_crop(functional.center_crop(images, [16, 16]), [14, 14])  # in another order
    for row in (0, 1):
        assert {view.numpy().tobytes() for view in views[row]} == {crop[row].numpy().tobytes() for crop in theirs}


def test_ten_makes_room_where_the_image_is_not_larger_than_the_crop() -> None:
    settings = preprocessing(32, 1.0)
    assert default_scales("ten", settings) == (37,)
    (views,) = make_views("ten", settings)(noise(2, 32, 32), ROWS)
    assert views.shape == (2, 10, 3, 32, 32)
    assert not torch.equal(views[:, 0], views[:, 4])
    assert default_scales("ten", preprocessing(224, 0.875)) == (256,)


def test_ten_are_cut_from_the_padded_image_where_training_padded() -> None:
    images, settings = noise(2, 32, 32), preprocessing(32, 1.0)
    (views,) = make_views("ten", settings, padding=4)(images, ROWS)
    assert views.shape == (2, 10, 3, 32, 32)
    assert torch.equal(views[:, 4], images)
    assert torch.equal(views[:, 0, :, 4:, 4:], images[..., :28, :28])
    assert (views[:, 0, :, :4] == 0).all()
    assert make_views("ten", settings, (40,), padding=4).padding == 0


def test_the_papers_scales_and_counts() -> None:
    settings = preprocessing(224, 0.875)
    assert default_scales("googlenet", settings) == (256, 288, 320, 352)
    assert default_scales("multi_scale", settings) == default_scales("grid", settings) == (224, 256, 288)
    settings = preprocessing(7, 0.875)
    (views,) = make_views("googlenet", settings)(noise(2, 16, 30), ROWS)
    assert views.shape[1] == 144
    (views,) = make_views("googlenet", settings)(noise(2, 16, 16), ROWS)
    assert views.shape[1] == 48  # the three squares of a square image are one
    (views,) = make_views("grid", settings)(noise(2, 16, 30), ROWS)
    assert views.shape[1] == 150


@pytest.mark.parametrize(("size", "ratio"), [(227, 0.8867), (384, 0.9231), (224, 0.95), (32, 1.0), (224, 0.7)])
def test_the_grid_has_room_for_its_crops_whatever_the_checkpoints_own_length(size: int, ratio: float) -> None:
    settings = preprocessing(size, ratio)
    scales = make_views("grid", settings).scales
    assert size <= scales[0] < scales[1] < scales[2]
    assert scales[1] == max(settings.resize, round(size / 0.875))


def test_googlenet_takes_squares_along_the_longer_side() -> None:
    settings = preprocessing(7, 0.875)
    images = noise(2, 8, 12)
    (views,) = make_views("googlenet", settings, (8,))(images, ROWS)
    squares = [images[..., :8], images[..., 2:10], images[..., 4:]]
    crops = [[*functional.five_crop(square, [7, 7]), functional.resize(square, [7, 7])] for square in squares]
    assert torch.equal(views[:, :18], torch.stack([crop for part in crops for crop in part], 1))
    assert torch.equal(views[:, 18:], views[:, :18].flip(-1))
    (tall,) = make_views("googlenet", settings, (8,))(images.transpose(2, 3), ROWS)
    torch.testing.assert_close(tall[:, :1], images.transpose(2, 3)[..., :7, :7][:, None])


def test_grid_reaches_the_edges() -> None:
    images = noise(1, 12, 20)
    (views,) = make_views("grid", preprocessing(8, 0.8), (12,))(images, ROWS[:1])
    assert torch.equal(views[0, 0], images[0, :, :8, :8])
    assert torch.equal(views[0, 24], images[0, :, 4:, 12:])
    assert torch.equal(views[0, 1], images[0, :, :8, 3:11])


@pytest.mark.parametrize("flip", [False, True])
def test_multi_scale_shows_whole_images(flip: bool) -> None:
    images = noise(2, 10, 20)
    views = make_views("multi_scale", preprocessing(8), (10, 5), flip)(images, ROWS)
    assert [tuple(view.shape) for view in views] == [(2, 1 + flip, 3, 10, 20), (2, 1 + flip, 3, 5, 10)]
    assert torch.equal(views[0][:, 0], images)
    if flip:
        assert torch.equal(views[1][:, 1], views[1][:, 0].flip(-1))


@pytest.mark.parametrize("kind", [kind for kind in VIEW_KINDS if kind != "multi_scale"])
def test_scales_below_the_crop_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"--scales 12 7 has a shorter side below the 8 px"):
        make_views(kind, preprocessing(8), (12, 7))


@pytest.mark.parametrize("mode", ["shorter_side", "squash"])
def test_views_of_another_aspect_ratio_have_the_networks_size(mode: str) -> None:
    """A constant image shows that nothing outside of it is seen."""
    settings = replace(preprocessing(8), image_size=(8, 14), resize=9, resize_mode=mode)
    counts = {"center": 1, "flip": 2, "ten": 10, "grid": 150, "googlenet": 12 * 4 * (1 if mode == "squash" else 3)}
    for height, width in ((30, 20), (12, 60)):
        images = torch.full((2, 3, height, width), 77, dtype=torch.uint8)
        for kind, count in counts.items():
            (views,) = make_views(kind, settings)(images, ROWS)
            assert views.shape == (2, count, 3, 8, 14)
            assert (views == 77).all()


def test_ten_and_googlenet_of_another_aspect_ratio_are_cut_from_boxes() -> None:
    images, settings = noise(2, 20, 36), replace(preprocessing(8), image_size=(8, 12), resize=10)
    boxed = functional.resize(images, [10, 18])
    (views,) = make_views("ten", settings)(images, ROWS)
    central = functional.center_crop(boxed, [10, 15])
    assert torch.equal(views[:, :5], torch.stack(functional.five_crop(central, [8, 12]), 1))
    (views,) = make_views("googlenet", settings, (10,))(images, ROWS)
    for number, left in enumerate((0, 1, 3)):
        box = boxed[..., left : left + 15]
        crops = [*functional.five_crop(box, [8, 12]), functional.resize(box, [8, 12])]
        assert torch.equal(views[:, 6 * number : 6 * number + 6], torch.stack(crops, 1))


@pytest.mark.parametrize("kind", [kind for kind in VIEW_KINDS if kind != "multi_scale"])
@pytest.mark.parametrize("shape", [(1, 90), (120, 2)])
def test_views_of_a_thin_image_are_those_of_the_image_resized_whole(
    kind: ViewKind, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    images, views = noise(2, *shape), make_views(kind, preprocessing(8, 0.8), padding=3)
    (parts,) = views(images, ROWS)
    monkeypatch.setattr("lit_cnn.data.resizing.EXTREME_ASPECT", 10**9)
    (whole,) = views(images, ROWS)
    assert parts.shape == whole.shape
    assert (parts.int() - whole.int()).abs().max() <= 1


def test_of_a_thin_image_multi_scale_shows_the_central_square() -> None:
    images, settings = noise(1, 1, 90), preprocessing(8)
    (views,) = make_views("multi_scale", settings, (8,))(images, ROWS[:1])
    (center,) = make_views("center", settings)(images, ROWS[:1])
    assert torch.equal(views, center)


def test_a_constant_image_looks_the_same_from_everywhere() -> None:
    images = torch.full((1, 3, 11, 17), 77, dtype=torch.uint8)
    for kind in VIEW_KINDS:
        for group in make_views(kind, preprocessing(8, 0.875))(images, ROWS[:1]):
            assert (group == 77).all()
