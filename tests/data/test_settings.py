"""Wrong values are refused in a sentence that names the key; preprocessing survives a checkpoint."""

import pytest

from lit_cnn.data import settings
from lit_cnn.data.settings import Preprocessing


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Crop", {"scale": (0.5, 1.5)}, r"data\.crop\.scale is \(0\.5, 1\.5\).*at most 1"),
        ("Crop", {"ratio": (2, 1)}, r"data\.crop\.ratio .*smaller first"),
        ("Crop", {"padding": -1}, r"data\.crop\.padding is -1"),
        ("Crop", {"shorter_side": (480, 256)}, r"data\.crop\.shorter_side .*smaller first"),
        ("ColorJitter", {"lighting": -0.1}, r"data\.color_jitter\.lighting"),
        ("Flip", {"horizontal": 2}, r"data\.flip\.horizontal is 2 .*probability"),
        ("Flip", {"vertical": -0.1}, r"data\.flip\.vertical"),
        ("ColorJitter", {"contrast": -1}, r"data\.color_jitter\.contrast"),
        ("ColorJitter", {"hue": 0.6}, r"data\.color_jitter\.hue is 0\.6 .*0\.5"),
        ("Shear", {"degrees": 90}, r"data\.shear\.degrees"),
        ("RandAugment", {"layers": -1}, r"data\.rand_augment\.layers"),
        ("RandAugment", {"probability": 1.5}, r"data\.rand_augment\.probability"),
        ("RandAugment", {"magnitude_std": -1}, r"data\.rand_augment\.magnitude_std"),
        ("RandAugment", {"magnitude": -1}, r"data\.rand_augment\.magnitude"),
        ("Normalize", {"mean": (0.5,)}, r"data\.normalize\.std .*together"),
        ("Normalize", {"mean": (0.5,), "std": (1.0, 1.0)}, r"data\.normalize\.std .*as long"),
        ("Normalize", {"mean": (0.5,), "std": (0.0,)}, r"data\.normalize\.std .*positive"),
        ("Normalize", {"mean": (123.675,), "std": (1.0,)}, r"data\.normalize\.mean is \(123\.675,\) .*by 255"),
        ("Normalize", {"mean": (-0.1,), "std": (1.0,)}, r"data\.normalize\.mean .* from 0 to 1"),
        ("Normalize", {"mean": (float("nan"),), "std": (1.0,)}, r"data\.normalize\.mean .* from 0 to 1"),
        ("Normalize", {"mean": (0.485,), "std": (58.395,)}, r"data\.normalize\.std is \(58\.395,\) .*by 255"),
        ("Evaluation", {"crop_ratio": 0}, r"data\.evaluation\.crop_ratio"),
        ("Evaluation", {"image_size": 0}, r"data\.evaluation\.image_size"),
        ("Stage", {"first_epoch": -1, "image_size": 8}, r"data\.stages\.first_epoch"),
        ("Stage", {"first_epoch": 0, "image_size": 0}, r"data\.stages\.image_size"),
        ("Stage", {"first_epoch": 0, "image_size": 8, "mixup_alpha": -1}, r"data\.stages\.mixup_alpha"),
    ],
)
def test_wrong_values_are_named(name, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        getattr(settings, name)(**values)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_ends_of_the_pixels_range_are_allowed():
    """Some networks take pixels as they are (0, 1), others run from -1 to 1 (0.5, 0.5)."""
    for mean, std in ((0.0, 1.0), (1.0, 1.0), (0.5, 0.5)):
        assert settings.Normalize((mean,), (std,)).mean == (mean,)


def test_preprocessing_survives_plain_values():
    preprocessing = Preprocessing(224, 0.875, "bicubic", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 3)
    stored = preprocessing.as_dict()
    assert stored["mean"] == [0.1, 0.2, 0.3]
    assert Preprocessing.from_dict(stored) == preprocessing


def test_preprocessing_names_missing_and_unknown_entries():
    stored = Preprocessing(8, 1.0, "bilinear", (0.5,), (0.5,), 1).as_dict()
    del stored["std"]
    with pytest.raises(ValueError, match=r"entries \(other, std\)"):
        Preprocessing.from_dict({**stored, "other": 1})
