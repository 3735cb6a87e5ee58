"""Wrong values of cutout and random_erasing are refused in a sentence that names the key."""

import pytest

from lit_cnn.data import erasing_settings


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Cutout", {"size": -2}, r"data\.cutout\.size"),
        ("Cutout", {"probability": 1.1}, r"data\.cutout\.probability"),
        ("RandomErasing", {"probability": 7}, r"data\.random_erasing\.probability"),
        ("RandomErasing", {"scale": (0, 1)}, r"data\.random_erasing\.scale"),
    ],
)
def test_wrong_values_are_named(name, values, words):
    with pytest.raises(ValueError, match=words) as caught:
        getattr(erasing_settings, name)(**values)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
