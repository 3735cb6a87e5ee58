import pytest
import torch
from torch import nn

from lit_cnn.detection.norms import make_norm


def test_each_norm_is_its_layer() -> None:
    assert isinstance(make_norm("none", 3, "pyramid"), nn.Identity)
    assert isinstance(make_norm("batch", 3, "pyramid"), nn.BatchNorm2d)
    group = make_norm("group", 64, "pyramid")
    assert isinstance(group, nn.GroupNorm)
    assert group.num_groups == 32


@pytest.mark.parametrize("channels", [2, 32, 48, 64])
def test_group_norm_takes_the_smallest_map_of_one_image(channels: int) -> None:
    x = make_norm("group", channels, "fcos")(torch.arange(float(channels)).view(1, channels, 1, 1))
    assert x.flatten()[:2].tolist() == pytest.approx([-1, 1], abs=1e-4)


@pytest.mark.parametrize("channels", [1, 80])
def test_a_width_that_groups_cannot_divide_is_refused(channels: int) -> None:
    expected = f"group norm of model.fcos has 32 groups: set model.pyramid.width to a multiple of 32, got {channels}"
    with pytest.raises(ValueError, match=expected):
        make_norm("group", channels, "fcos")
