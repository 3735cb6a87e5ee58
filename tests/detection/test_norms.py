import pytest
from torch import nn

from lit_cnn.detection.norms import make_norm


def test_each_norm_is_its_layer() -> None:
    assert isinstance(make_norm("none", 3, "pyramid"), nn.Identity)
    assert isinstance(make_norm("batch", 3, "pyramid"), nn.BatchNorm2d)
    group = make_norm("group", 64, "pyramid")
    assert isinstance(group, nn.GroupNorm)
    assert group.num_groups == 32


def test_a_width_that_groups_cannot_divide_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"group norm of model.fcos has 32 groups: .*width to a multiple of 32, got 48"
    ):
        make_norm("group", 48, "fcos")
