"""A mutated child takes over what it has in common with its parent, and nothing else."""

import pytest
import torch
from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.cells import Block, CellGenome, CellNetwork, plan_cells
from lit_cnn.search.estimators.inheritance import equal_operations, inherit

PARENT = (
    Block("separable_3x3", 0, "separable_5x5", 1),
    Block("separable_3x3", 1, "max_pool_3x3", 2),
    Block("dilated_separable_3x3", 0, "identity", 3),
)
IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def network(blocks: tuple[Block, ...], seed: int) -> CellNetwork:
    torch.manual_seed(seed)
    used = {state for block in blocks for state in (block.first_input, block.second_input)}
    genome = CellGenome(blocks, tuple(state for state in range(len(blocks) + 2) if state not in used))
    made = CellNetwork(plan_cells(genome, genome, 1, 4, stem="small"), stem="small", stem_width=12, num_classes=10)
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_var, 0.1, 1.0)
            nn.init.uniform_(layer.bias)
    return made.eval()


def test_an_equal_child_becomes_its_parent() -> None:
    parent, child = network(PARENT, 0), network(PARENT, 1)
    assert not torch.equal(child(IMAGES), parent(IMAGES))
    taken = inherit(child, parent)
    assert taken.share == 1
    assert taken.tensors == len(child.state_dict())
    assert torch.equal(child(IMAGES), parent(IMAGES))


def test_blocks_in_another_order_with_their_halves_swapped_become_the_parent_too() -> None:
    blocks = (
        Block("separable_3x3", 0, "separable_5x5", 1),
        Block("dilated_separable_3x3", 0, "max_pool_3x3", 1),
        Block("identity", 2, "separable_3x3", 3),
    )
    renumbered = (
        Block("max_pool_3x3", 1, "dilated_separable_3x3", 0),
        Block("separable_5x5", 1, "separable_3x3", 0),
        Block("separable_3x3", 2, "identity", 3),
    )
    parent, child = network(blocks, 0), network(renumbered, 1)
    found = equal_operations(child.features.cell1, parent.features.cell1)
    assert found == {0: 3, 1: 2, 2: 1, 3: 0, 4: 5, 5: 4}
    assert inherit(child, parent).share == 1
    assert torch.allclose(child(IMAGES), parent(IMAGES), atol=1e-5)


@pytest.mark.slow
def test_a_mutated_operation_stays_fresh_and_all_others_are_copied() -> None:
    parent = network(PARENT, 0)
    child = network((*PARENT[:2], Block("separable_3x3", 0, "identity", 3)), 1)  # same shapes, not the same operation
    before = {name: value.clone() for name, value in child.state_dict().items()}
    taken = inherit(child, parent)
    mutated = tuple(f"features.cell{number}.paths.4." for number in range(1, 6))
    for name, value in child.state_dict().items():
        expected = before[name] if name.startswith(mutated) else parent.state_dict()[name]
        assert torch.equal(value, expected), name
    counts = {name: parameter.numel() for name, parameter in child.named_parameters()}
    assert taken.parameters == sum(count for name, count in counts.items() if not name.startswith(mutated))
    assert taken.share == taken.parameters / sum(counts.values()) < 1


def test_the_parent_is_left_as_it_is_and_shares_no_memory() -> None:
    parent, child = network(PARENT, 0), network(PARENT, 1)
    before = {name: value.clone() for name, value in parent.state_dict().items()}
    inherit(child, parent)
    with torch.no_grad():
        for value in child.parameters():
            value += 1
    assert all(torch.equal(value, before[name]) for name, value in parent.state_dict().items())


def test_other_networks_take_layers_of_equal_name_and_settings() -> None:
    child, parent = create_model("cifar_resnet20", num_classes=10), create_model("cifar_resnet20", num_classes=3)
    taken = inherit(child, parent)
    own = sum(parameter.numel() for parameter in child.parameters())
    assert taken.parameters == own - sum(parameter.numel() for parameter in child.classifier.parameters())
    plain, dilated = nn.Sequential(nn.Conv2d(3, 3, 3)), nn.Sequential(nn.Conv2d(3, 3, 3, dilation=2))
    with pytest.raises(ValueError, match="the Sequential has no layer in common with the Sequential"):
        inherit(plain, dilated)
