"""Wrong values are refused in a sentence that names the key."""

import pytest

from lit_cnn.data.settings import Evaluation, Normalize, background_color, checked_levels


@pytest.mark.parametrize(
    ("settings", "values", "words"),
    [
        (Normalize, {"mean": (0.5,)}, r"data\.normalize\.std .*together"),
        (Normalize, {"mean": (0.5,), "std": (1.0, 1.0)}, r"data\.normalize\.std .*as long"),
        (Normalize, {"mean": (0.5,), "std": (0.0,)}, r"data\.normalize\.std .*positive"),
        (Normalize, {"mean": (123.675,), "std": (1.0,)}, r"data\.normalize\.mean is \(123\.675,\) .*by 255"),
        (Normalize, {"mean": (-0.1,), "std": (1.0,)}, r"data\.normalize\.mean .* from 0 to 1"),
        (Normalize, {"mean": (float("nan"),), "std": (1.0,)}, r"data\.normalize\.mean .* from 0 to 1"),
        (Normalize, {"mean": (0.485,), "std": (58.395,)}, r"data\.normalize\.std is \(58\.395,\) .*by 255"),
        (Evaluation, {"crop_ratio": 0}, r"data\.evaluation\.crop_ratio"),
        (Evaluation, {"image_size": 0}, r"data\.evaluation\.image_size"),
        (Evaluation, {"image_size": (8, 0)}, r"data\.evaluation\.image_size is \(8, 0\) .*\[height, width\]"),
        (Evaluation, {"image_size": (8, 8, 8)}, r"data\.evaluation\.image_size is \(8, 8, 8\)"),
        (Evaluation, {"resize_mode": "border"}, r"data\.evaluation\.resize_mode is 'border' .*shorter_side or squash"),
    ],
)
def test_wrong_values_are_named(settings, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        settings(**values)
    assert not str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("levels", [(5.0, 5.0), (9.0, 1.0), (0.0,), (0.0, 1.0, 2.0), (0.0, float("inf")), "linear"])
def test_levels_are_two_numbers_the_smaller_first(levels):
    with pytest.raises(ValueError, match=r"data\.levels is .* but must be two numbers \[low, high\]"):
        checked_levels(levels)


def test_levels_may_be_negative_fractions_or_a_list():
    assert checked_levels([-1000.5, 0.25]) == (-1000.5, 0.25)
    assert (checked_levels(None), checked_levels("clip")) == (None, "clip")


@pytest.mark.parametrize("background", ["pink", (1, 2), (1, 2, 256), (-1, 0, 0)])
def test_a_background_is_a_name_or_three_levels(background):
    with pytest.raises(ValueError, match=r"data\.background is .* but must be white, black, gray, three levels"):
        background_color(background)


def test_names_of_backgrounds_are_their_colors():
    colors = [background_color(name) for name in ("white", "black", "gray", [1, 2, 3], None)]
    assert colors == [(255, 255, 255), (0, 0, 0), (128, 128, 128), (1, 2, 3), None]


def test_the_side_before_the_crop_is_stated_or_follows_from_the_ratio_of_the_crops_shorter_side():
    assert Evaluation().resized_side((224, 224)) == 256
    assert Evaluation().resized_side((96, 64)) == 73
    assert Evaluation(resize=235).resized_side((224, 224)) == 235
    with pytest.raises(ValueError, match=r"data\.evaluation\.resize is 223 but must be null or at least 224"):
        Evaluation(resize=223).resized_side((224, 300))


def test_the_ends_of_the_pixels_range_are_allowed():
    """Some networks take pixels as they are (0, 1), others run from -1 to 1 (0.5, 0.5)."""
    for mean, std in ((0.0, 1.0), (1.0, 1.0), (0.5, 0.5)):
        assert Normalize((mean,), (std,)).mean == (mean,)
