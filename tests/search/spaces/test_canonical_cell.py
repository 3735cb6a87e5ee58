"""Cells that compute the same have one canonical form, and their networks are equal with the weights moved over."""

import random
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.architectures.cells import Block, CellGenome, CellNetwork, plan_cells, unused_states
from lit_cnn.architectures.layers.cell_ops import OPERATIONS
from lit_cnn.search.spaces.canonical_cell import canonical_cell


def random_cell(draws: random.Random, blocks: int = 5, operations: int = len(OPERATIONS)) -> CellGenome:
    """Any states may be returned besides those that no block reads."""
    rows = [
        Block(*(choice for _ in range(2) for choice in (draws.choice(OPERATIONS[:operations]), draws.randrange(b + 2))))
        for b in range(blocks)
    ]
    more = {state for state in range(blocks + 2) if draws.random() < 0.3}
    return CellGenome(tuple(rows), tuple(sorted(more.union(unused_states(rows)))))


class Relabeled(NamedTuple):
    """Another cell that computes the same.

    Args:
        genome: The cell.
        old: The original state of each of its states.
        swapped: Of each of its blocks whether the halves changed places.
    """

    genome: CellGenome
    old: tuple[int, ...]
    swapped: tuple[bool, ...]


def relabel(genome: CellGenome, draws: random.Random) -> Relabeled:
    """Its blocks in another order that is possible, and the halves of some exchanged."""
    old, swapped, rows = [0, 1], [], []
    while len(old) < len(genome.blocks) + 2:
        ready = [
            state
            for state, block in enumerate(genome.blocks, start=2)
            if state not in old and {block.first_input, block.second_input} <= set(old)
        ]
        state = draws.choice(ready)
        first, a, second, b = genome.blocks[state - 2]
        halves = [(first, old.index(a)), (second, old.index(b))]
        swapped.append(draws.random() < 0.5)
        (first, a), (second, b) = reversed(halves) if swapped[-1] else halves
        rows.append(Block(first, a, second, b))
        old.append(state)
    concat = tuple(sorted(old.index(state) for state in genome.concat))
    return Relabeled(CellGenome(tuple(rows), concat), tuple(old), tuple(swapped))


@pytest.mark.parametrize("operations", [len(OPERATIONS), 2])
def test_all_relabelings_have_one_canonical_form(operations: int) -> None:
    """Of two operations alone, many blocks have equal rows and only their readers tell them apart."""
    draws = random.Random(operations)
    for _ in range(60):
        genome = random_cell(draws, operations=operations)
        canonical = canonical_cell(genome)
        assert canonical_cell(canonical) == canonical
        for _ in range(4):
            assert canonical_cell(relabel(genome, draws).genome) == canonical


def test_the_canonical_form_is_the_smallest_of_all_orders() -> None:
    """Rows compare by their states first, so a block of earlier inputs stands before one of later inputs."""
    blocks = (Block("conv_1x1", 1, "identity", 0), Block("max_pool_3x3", 0, "identity", 0))
    genome = CellGenome(blocks, (2, 3))
    assert canonical_cell(genome).blocks == (
        Block("identity", 0, "max_pool_3x3", 0),
        Block("identity", 0, "conv_1x1", 1),
    )


def test_different_cells_have_different_forms() -> None:
    draws = random.Random(1)
    genome = random_cell(draws)
    first = genome.blocks[0]
    other = first._replace(first_op="conv_3x3" if first.first_op != "conv_3x3" else "identity")
    changed = CellGenome((other, *genome.blocks[1:]), genome.concat)
    assert canonical_cell(changed) != canonical_cell(genome)


def network_of(normal: CellGenome, reduction: CellGenome) -> CellNetwork:
    rows = plan_cells(normal, reduction, 1, 4, stem="small")
    return CellNetwork(rows, stem="small", stem_width=12, num_classes=5).double().eval()


def channels_of(cell: Relabeled, original: CellGenome, width: int) -> Tensor:
    """For each channel that the relabeled cell returns, the original's channel."""
    places = [original.concat.index(cell.old[state]) for state in cell.genome.concat]
    return torch.cat([torch.arange(place * width, (place + 1) * width) for place in places])


def copied(layer: nn.Module, channels: Tensor) -> dict[str, Tensor]:
    """The weights of a layer whose input's channels are in another order; batch norm comes after the convolutions."""
    return {
        name: value[:, channels] if value.dim() == 4 else value for name, value in layer.state_dict().items()
    }  # fmt: skip


def move_weights(source: CellNetwork, target: CellNetwork, cells: list[tuple[Relabeled, CellGenome, int]]) -> None:
    """From the original's network to the relabeled one's."""
    stem, *rest = source.features
    new_stem, *new_rest = target.features
    new_stem.load_state_dict(stem.state_dict())
    outputs = [torch.arange(12)]
    for old, new, back, (cell, original, width) in zip(rest, new_rest, source.features.back, cells, strict=True):
        new.base.load_state_dict(copied(old.base, outputs[-1]))
        new.adapt.load_state_dict(copied(old.adapt, outputs[-1 - back]) if back else {})
        new.fit.load_state_dict(old.fit.state_dict())
        for number, (state, swapped) in enumerate(zip(cell.old[2:], cell.swapped, strict=True)):
            for half in (0, 1):
                path = old.paths[2 * (state - 2) + (1 - half if swapped else half)]
                new.paths[2 * number + half].load_state_dict(path.state_dict())
        outputs.append(channels_of(cell, original, width))
    target.head.classifier.weight.data = source.head.classifier.weight.data[:, outputs[-1]]
    target.head.classifier.bias.data = source.head.classifier.bias.data


@torch.no_grad()
@pytest.mark.parametrize("seed", range(2))
def test_isomorphic_cells_build_equal_networks(seed: int) -> None:
    torch.manual_seed(seed)
    draws = random.Random(seed)
    originals = random_cell(draws, 4), random_cell(draws, 4)
    normal, reduction = (relabel(genome, draws) for genome in originals)
    source, target = network_of(*originals), network_of(normal.genome, reduction.genome)
    assert sum(p.numel() for p in source.parameters()) == sum(p.numel() for p in target.parameters())
    first, second = (normal, originals[0]), (reduction, originals[1])
    cells = [(*first, 4), (*second, 8), (*first, 8), (*second, 16), (*first, 16)]
    move_weights(source, target, cells)
    images = torch.randn(2, 3, 9, 8, dtype=torch.float64)
    assert torch.allclose(source(images), target(images), rtol=1e-9, atol=1e-12)
    assert source(images).std() > 0
