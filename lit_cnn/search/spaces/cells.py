"""NASNet's space of cells (arXiv:1707.07012, section 3): B blocks in a normal and in a reduction cell.

Each block adds two operations on two earlier states; a cell concatenates the states that no block reads. AmoebaNet
(arXiv:1802.01548) searches the same space with 8 operations. Adding is the only combination here: no released cell
concatenates within a block.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

from lit_cnn.architectures.cells import Block, CellGenome, unused_states
from lit_cnn.architectures.layers.cell_ops import Operation
from lit_cnn.search.spaces.space import Decision, Point

AMOEBANET_OPERATIONS: tuple[Operation, ...] = (
    "identity",
    "separable_3x3",
    "separable_5x5",
    "separable_7x7",
    "avg_pool_3x3",
    "max_pool_3x3",
    "dilated_separable_3x3",
    "conv_1x7_7x1",
)
"""Section 3 of AmoebaNet's paper."""


@dataclass(frozen=True)
class CellSpace:
    """Pairs of cells, and the network of the search in which they are trained.

    Args:
        blocks: B, the blocks of each cell; 5 in the papers.
        operations: What a block chooses from; NASNet's thirteen or AmoebaNet's eight.
        repeats: N, normal cells per stack.
        filters: F, channels per state in the first stack.
    """

    blocks: int = 5
    operations: tuple[Operation, ...] = AMOEBANET_OPERATIONS
    repeats: int = 2
    filters: int = 24

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Of each block the two states, then the two operations, as NASNet's controller predicts them."""
        found = []
        for cell, block in itertools.product(("normal", "reduction"), range(self.blocks)):
            states = tuple(str(state) for state in range(block + 2))
            for half in ("first", "second"):
                found.append(Decision(f"{cell} {block + 1}: {half} state", states, "state"))
            for half in ("first", "second"):
                found.append(Decision(f"{cell} {block + 1}: {half} operation", self.operations, "operation"))
        return tuple(found)

    def cells(self, point: Point) -> tuple[CellGenome, CellGenome]:
        """The normal and the reduction cell of a point."""
        half = 4 * self.blocks
        return self._cell(point[:half]), self._cell(point[half:])

    def _cell(self, choices: Point) -> CellGenome:
        rows = [choices[start : start + 4] for start in range(0, len(choices), 4)]
        blocks = tuple(Block(self.operations[c], a, self.operations[d], b) for a, b, c, d in rows)
        return CellGenome(blocks, unused_states(blocks))
