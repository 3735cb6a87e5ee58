"""The order of execution, the flow of data, and that looking changes nothing."""

import pytest
import torch
from torch import nn
from toys import Plain, ShortcutFirst, WithHead, state_of

from lit_cnn.pretrained.order import execution_order, role, units_of_state


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("weight", "weight"),
        ("gain", "weight"),
        ("bn_bias", "bias"),
        ("beta", "bias"),
        ("running_mean", "running_mean"),
        ("moving_variance", "running_var"),
    ],
)
def test_role(name: str, expected: str) -> None:
    assert role(name) == expected


def test_order_is_that_of_the_calls() -> None:
    x = torch.randn(1, 3, 8, 8)
    names = [[unit.name for unit in execution_order(network, x)] for network in (Plain(), ShortcutFirst())]
    root = ["", "stem.0", "stem.1"]
    residual, shortcut, gate = ["residual.0", "residual.1"], ["shortcut.0", "shortcut.1"], ["reduce", "expand"]
    assert names[0] == [*root, *residual, *gate, *shortcut, "head"]
    assert names[1] == [*root, *shortcut, *residual, *gate, "head"]


def test_parents_are_the_nearest_units_upstream() -> None:
    units = {unit.name: unit.parents for unit in execution_order(Plain(), torch.randn(1, 3, 8, 8))}
    assert units["stem.0"] == set()
    assert units["residual.0"] == units["shortcut.0"] == {"stem.1"}
    assert units["reduce"] == {"residual.1"}
    assert units["head"] == {"shortcut.1", "residual.1", "expand"}


def test_nothing_is_changed() -> None:
    network = WithHead().train()
    network.stem.eval()
    before = state_of(network)
    execution_order(network, torch.randn(2, 3, 8, 8))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training
    assert not network.stem[0].training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_heads_of_training_come_last_and_idle_layers_not_at_all() -> None:
    units = execution_order(WithHead(), torch.randn(1, 3, 8, 8))
    assert units[-1].name == "auxiliary"
    assert [unit.training_only for unit in units[-2:]] == [False, True]
    assert "unused" not in {unit.name for unit in units}


def test_a_reused_module_counts_once() -> None:
    layer = nn.Linear(4, 4)
    units = execution_order(nn.Sequential(layer, nn.ReLU(), layer), torch.randn(1, 4))
    assert [unit.name for unit in units] == ["0"]


def test_units_of_a_state_dict() -> None:
    units = units_of_state(Plain().state_dict())
    assert [unit.name for unit in units][:3] == ["", "stem.0", "stem.1"]
    assert [slot.role for slot in units[2].slots] == ["weight", "bias", "running_mean", "running_var"]
