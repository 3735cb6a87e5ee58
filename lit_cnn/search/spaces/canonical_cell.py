"""One form for all cells that are the same network: the order of a block's halves and of the blocks changes nothing."""

from collections.abc import Iterator

from lit_cnn.architectures.cells import Block, CellGenome
from lit_cnn.architectures.layers.cell_ops import OPERATIONS

Row = tuple[int, int, int, int]  # first state, its operation's number, second state, its operation's number


def canonical_cell(genome: CellGenome) -> CellGenome:
    """The smallest of all cells that compute the same.

    In each block the half that reads the earlier state comes first, or of one state the operation that is listed first.
    Of all orders in which blocks read earlier states only, the blocks have the one whose rows are lexicographically
    smallest; where several orders have equal rows, the one whose returned states are smallest.
    """
    rows, numbers = min(_orders(genome), key=lambda found: (found[0], _returned(genome, found[1])))
    blocks = tuple(Block(OPERATIONS[c], a, OPERATIONS[d], b) for a, c, b, d in rows)
    return CellGenome(blocks, _returned(genome, numbers))


def _returned(genome: CellGenome, numbers: dict[int, int]) -> tuple[int, ...]:
    return tuple(sorted(numbers[state] for state in genome.concat))


def _orders(genome: CellGenome) -> Iterator[tuple[tuple[Row, ...], dict[int, int]]]:
    """Orders of the blocks that can be the smallest: their rows, and the new number of each state.

    Of the blocks that can follow, only those of the smallest row are tried; several may have it, as equal blocks do.
    """
    frontier: list[tuple[tuple[Row, ...], dict[int, int]]] = [((), {0: 0, 1: 1})]
    for _ in genome.blocks:
        longer = []
        for rows, numbers in frontier:
            ready = {
                state: _row(block, numbers)
                for state, block in enumerate(genome.blocks, start=2)
                if state not in numbers and block.first_input in numbers and block.second_input in numbers
            }
            smallest = min(ready.values())
            longer += [
                ((*rows, row), {**numbers, state: len(numbers)}) for state, row in ready.items() if row == smallest
            ]
        best = min(rows for rows, _ in longer)
        frontier = [(rows, numbers) for rows, numbers in longer if rows == best]
    yield from frontier


def _row(block: Block, numbers: dict[int, int]) -> Row:
    halves = sorted(
        (numbers[state], OPERATIONS.index(operation))
        for operation, state in ((block.first_op, block.first_input), (block.second_op, block.second_input))
    )
    (a, c), (b, d) = halves
    return a, c, b, d
