"""Wrong values of mixup, cutmix and mixing are refused in a sentence that names the key."""

import pytest

from lit_cnn.data import mixing_settings


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Mixup", {"alpha": -1}, r"data\.mixup\.alpha"),
        ("CutMix", {"probability": 2}, r"data\.cutmix\.probability"),
        ("Mixing", {"switch_probability": 2}, r"data\.mixing\.switch_probability"),
        ("Mixing", {"stop_epoch": -3}, r"data\.mixing\.stop_epoch"),
    ],
)
def test_wrong_values_are_named(name, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        getattr(mixing_settings, name)(**values)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
