"""What each way of pairing sees, and what it refuses."""

import torch
from torch import nn
from toys import Fused, Plain, ShortcutFirst

from lit_cnn.pretrained.order import Slot, Unit, execution_order
from lit_cnn.pretrained.pairing import by_data_flow, by_order, by_window, first_disagreement, fits, propose


def orders(source: nn.Module, target: nn.Module) -> tuple[list[Unit], list[Unit]]:
    x = torch.randn(1, 3, 8, 8)
    return execution_order(source, x), execution_order(target, x)


def names(pairs: list[tuple[Slot, Slot]] | None) -> set[tuple[str, str]]:
    assert pairs is not None
    return {(left.name, right.name) for left, right in pairs}


def test_shapes_that_fit() -> None:
    def slot(*shape: int, role: str = "weight") -> Slot:
        return Slot("x", role, shape)

    assert fits(slot(8, 2, 1, 1), slot(8, 2))
    assert fits(slot(8, 1, 1, 1), slot(8))
    assert fits(slot(), slot(1))
    assert fits(slot(10, 4, 3, 3), slot(10, 36))
    assert not fits(slot(8, 2), slot(2, 8))
    assert not fits(slot(8), slot(8, role="bias"))
    assert not fits(slot(10, 4, 3, 3), slot(10, 12, 3))


def test_order_ignores_where_a_module_ends() -> None:
    pairs = names(by_order(*orders(Plain(), Fused())))
    assert len(pairs) == len(list(Plain().parameters())) + 6
    assert {("stem.1.running_var", "entry.moving_variance"), ("reduce.weight", "squeeze.fc1.weight")} <= pairs
    assert by_data_flow(*orders(Plain(), Fused())) is None


def test_data_flow_tells_branches_apart() -> None:
    source, target = orders(Plain(), ShortcutFirst())
    assert by_order(source, target) is None
    same = {(slot.name, slot.name) for unit in source for slot in unit.slots}
    assert names(by_data_flow(source, target)) == same
    assert names(by_window(source, target)) != same


def test_window_keeps_a_norm_with_its_convolution() -> None:
    def unit(name: str, *shape: int) -> Unit:
        return Unit(name, "Layer", (Slot(f"{name}.weight", "weight", shape),))

    source = [unit("a", 8, 3, 3, 3), unit("a_norm", 8), unit("b", 8, 4, 3, 3), unit("b_norm", 8)]
    target = [unit("d", 8, 4, 3, 3), unit("d_norm", 8), unit("c", 8, 3, 3, 3), unit("c_norm", 8)]
    pairs = names(by_window(source, target))
    assert ("a_norm.weight", "c_norm.weight") in pairs
    assert ("b_norm.weight", "d_norm.weight") in pairs


def test_proposals_are_complete_and_different() -> None:
    source, target = orders(Plain(), Plain())
    assert [proposal.method for proposal in propose(source, target)] == ["order"]
    assert next(propose(*orders(Plain(), ShortcutFirst()))).method == "data flow"
    assert list(propose(source, target[:-1])) == []


def test_first_disagreement_names_both_sides() -> None:
    source, target = orders(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1)), nn.Sequential(nn.Conv2d(3, 4, 1)))
    assert first_disagreement(source, source) is None
    assert first_disagreement(source, target) == (
        "the source has 1 (Conv2d: weight 5x4x1x1, bias 5) where the target has no module left"
    )
    text = first_disagreement(target, execution_order(nn.Linear(8, 6), torch.randn(1, 8)))
    assert text == (
        "the source has 0 (Conv2d: weight 4x3x1x1, bias 4) where the target has the root (Linear: weight 6x8, bias 6)"
    )
