"""What a row of the catalog says of its network."""

import pytest

from lit_cnn.architectures.catalog import find_entry


def test_differences_are_percent_of_the_papers_figure() -> None:
    figures = find_entry("resnet50").against_paper()
    assert figures["params"]["difference_percent"] is None
    assert figures["madds"]["difference_percent"] == pytest.approx(100 * (4089.184256 / 3800 - 1))


def test_options_are_what_a_caller_may_set() -> None:
    defaults = find_entry("cifar_plain20").option_defaults()
    assert "shortcut" not in defaults  # it makes this variant
    assert defaults["num_classes"] == 10
    assert list(defaults) == find_entry("cifar_plain20").options()
