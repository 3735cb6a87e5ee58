"""NASNet's space of cells (arXiv:1707.07012, section 3): B blocks in a normal and in a reduction cell.

Each block adds two operations on two earlier states; a cell concatenates the states that no block reads. AmoebaNet
(arXiv:1802.01548) searches the same space with 8 operations. Adding is the only combination here: no released cell
concatenates within a block.
"""

import difflib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lit_cnn.architectures import amoebanet, nasnet
from lit_cnn.architectures.cell_text import format_cell, parse_cell
from lit_cnn.architectures.cells import Block, CellGenome, unused_states
from lit_cnn.architectures.entry import Value
from lit_cnn.architectures.layers.cell_ops import OPERATIONS, Operation
from lit_cnn.search.spaces.canonical_cell import canonical_cell
from lit_cnn.search.spaces.space import Candidate, Decision, Point

NASNET_OPERATIONS: tuple[Operation, ...] = tuple(name for name in OPERATIONS if name != "dilated_separable_3x3")
"""Section 3 of NASNet's paper: thirteen."""

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
"""Section 3 of AmoebaNet's paper: eight."""

CELLS = ("normal", "reduction")
PAIR = " | "  # between the two cells of an encoding


@dataclass(frozen=True)
class CellSpace:
    """Pairs of cells, and the network of the search in which they are trained.

    Args:
        blocks: B, the blocks of each cell; 5 in the papers.
        operations: What a block chooses from; NASNet's thirteen or AmoebaNet's eight.
        repeats: N, normal cells per stack.
        filters: F, channels per state in the first stack.
        returns: Which states a cell returns: "unused", those that no block reads, as in the papers; or "any", which
            adds a decision per state whether it is returned although blocks read it, as the released cells of NASNet-A
            and AmoebaNet-A do.

    Raises:
        ValueError: If there is no block, or fewer than two operations, or an unknown one.
    """

    blocks: int = 5
    operations: tuple[Operation, ...] = AMOEBANET_OPERATIONS
    repeats: int = 2
    filters: int = 24
    returns: Literal["unused", "any"] = "unused"

    def __post_init__(self) -> None:
        if self.blocks < 1 or len(set(self.operations)) < max(2, len(self.operations)):
            raise ValueError(
                f"a space of cells needs blocks >= 1 and at least two different operations, got blocks={self.blocks}, "
                f"operations={', '.join(self.operations)}"
            )
        for operation in self.operations:
            if operation not in OPERATIONS:
                near = difflib.get_close_matches(operation, OPERATIONS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(OPERATIONS)}"
                raise ValueError(f"a space of cells has the unknown operation {operation!r}; {hint}")

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Of each block the two states, then the two operations, as NASNet's controller predicts them; behind a cell's
        blocks, with ``returns`` "any", its states."""
        found = []
        for cell in CELLS:
            for block in range(self.blocks):
                states = tuple(str(state) for state in range(block + 2))
                for half in ("first", "second"):
                    found.append(Decision(f"{cell} {block + 1}: {half} state", states, "state"))
                for half in ("first", "second"):
                    found.append(Decision(f"{cell} {block + 1}: {half} operation", self.operations, "operation"))
            if self.returns == "any":
                for state in range(self.blocks + 2):
                    found.append(Decision(f"{cell}: return state {state}", ("no", "yes"), "return"))
        return tuple(found)

    def cells(self, point: Point) -> tuple[CellGenome, CellGenome]:
        """The normal and the reduction cell of a point."""
        half = len(self.decisions) // 2
        return self._cell(point[:half]), self._cell(point[half:])

    def point(self, normal: CellGenome, reduction: CellGenome) -> Point:
        """The canonical point of two cells.

        Raises:
            ValueError: If one of them is not in the space.
        """
        cells = zip(CELLS, (normal, reduction), strict=True)
        return tuple(itertools.chain.from_iterable(self._choices(name, cell) for name, cell in cells))

    def canonical(self, point: Point) -> Point:
        """The point of the same network whose cells are the smallest, see :func:`canonical_cell`."""
        return self.point(*self.cells(point))

    def encode(self, point: Point) -> str:
        """Both canonical cells as text (:mod:`lit_cnn.architectures.cell_text`), the normal one first, with ``|``
        between them."""
        return PAIR.join(format_cell(canonical_cell(cell)) for cell in self.cells(point))

    def decode(self, text: str) -> Point:
        """The canonical point of an encoding; any cells are read, whether they are in canonical form or not.

        Raises:
            ValueError: If the text names no point of this space.
        """
        cells = text.split(PAIR.strip())
        if len(cells) != 2:
            raise ValueError(f"a pair of cells must be written as 'normal | reduction', got {text!r}")
        normal, reduction = (parse_cell(cell) for cell in cells)
        return self.point(normal, reduction)

    def candidate(self, point: Point) -> Candidate:
        """The network in which the canonical cells are trained in the search."""
        return self._network(*self.encode(point).split(PAIR))

    def published(self) -> dict[str, Candidate]:
        """The released cells of NASNet-A and AmoebaNet-A, returned states included, in the network of the search."""
        return {
            name: self._network(format_cell(paper.NORMAL_CELL), format_cell(paper.REDUCTION_CELL))
            for name, paper in (("NASNet-A", nasnet), ("AmoebaNet-A", amoebanet))
        }

    def _network(self, normal: str, reduction: str) -> Candidate:
        size: dict[str, Value] = {"repeats": self.repeats, "filters": self.filters, "stem": "small"}
        return Candidate("cell_network", {"normal": normal, "reduction": reduction, **size})

    def _cell(self, choices: Point) -> CellGenome:
        end = 4 * self.blocks
        rows = [choices[start : start + 4] for start in range(0, end, 4)]
        blocks = tuple(Block(self.operations[c], a, self.operations[d], b) for a, b, c, d in rows)
        chosen = {state for state, returned in enumerate(choices[end:]) if returned}
        return CellGenome(blocks, tuple(sorted(chosen.union(unused_states(blocks)))))

    def _choices(self, name: str, genome: CellGenome) -> Point:
        cell = canonical_cell(genome)
        unused = unused_states(cell.blocks)
        if len(cell.blocks) != self.blocks:
            raise ValueError(f"the {name} cell must have {self.blocks} blocks, got {len(cell.blocks)}")
        if self.returns == "unused" and cell.concat != unused:
            raise ValueError(
                f"the {name} cell must return the states that no block reads, {_listed(unused)}, got "
                f"{_listed(cell.concat)}: only a space with returns 'any' has it"
            )
        choices: list[int] = []
        for first_op, first_input, second_op, second_input in cell.blocks:
            choices += [first_input, second_input, self._number(name, first_op), self._number(name, second_op)]
        if self.returns == "any":
            choices += [int(state in cell.concat and state not in unused) for state in range(self.blocks + 2)]
        return tuple(choices)

    def _number(self, name: str, operation: Operation) -> int:
        if operation not in self.operations:
            raise ValueError(
                f"the {name} cell has {operation}, which is not an operation of the space: {', '.join(self.operations)}"
            )
        return self.operations.index(operation)


def _listed(states: Sequence[int]) -> str:
    return " ".join(str(state) for state in states)
