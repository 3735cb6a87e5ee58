"""What commands offer by name is what the modules that do the work have."""

from typing import get_args

from lit_cnn.evaluation.choices import CORRUPTION_KINDS, SEVERITIES, VIEW_KINDS, ViewKind
from lit_cnn.evaluation.corruptions import CORRUPTIONS


def test_the_corruptions_are_those_that_exist() -> None:
    assert tuple(CORRUPTIONS) == CORRUPTION_KINDS
    assert SEVERITIES == (1, 2, 3, 4, 5)


def test_the_views_are_the_type_of_views() -> None:
    assert get_args(ViewKind) == VIEW_KINDS
