"""A cell as one line of text, which a recipe, a command line and a database can hold.

Blocks are separated by ``;``, and each adds two ``operation@state``; behind ``>`` stand the states that the cell
returns, where they are not exactly those that no block reads::

    separable_5x5@0 + separable_3x3@1; avg_pool_3x3@0 + identity@1 > 1 2 3
"""

import re

from lit_cnn.architectures.cells import Block, CellGenome, unused_states

_HALF = r"(\w+)\s*@\s*(\d+)"
_BLOCK = re.compile(rf"{_HALF}\s*\+\s*{_HALF}")


def format_cell(genome: CellGenome) -> str:
    """The text of a cell; :func:`parse_cell` reads it back to an equal genome."""
    text = "; ".join(
        f"{first}@{first_input} + {second}@{second_input}" for first, first_input, second, second_input in genome.blocks
    )
    if genome.concat == unused_states(genome.blocks):
        return text
    return f"{text} > {' '.join(str(state) for state in genome.concat)}"


def parse_cell(text: str) -> CellGenome:
    """The cell of a text; spaces around its signs do not matter.

    Raises:
        ValueError: In one sentence that names the block, and for an unknown operation the nearest.
    """
    rows, arrow, returned = text.partition(">")
    blocks = tuple(_parse_block(number, row) for number, row in enumerate(rows.split(";")))
    if not arrow:
        return CellGenome(blocks, unused_states(blocks))
    states = returned.split()
    if not states or not all(state.isdecimal() for state in states):
        raise ValueError(f"the states that a cell returns must be written as '> 2 4 5', got '>{returned}'")
    return CellGenome(blocks, tuple(int(state) for state in states))


def _parse_block(number: int, text: str) -> Block:
    found = _BLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"block {number} must be written as 'separable_3x3@0 + identity@1', an operation and the state that it "
            f"reads, twice, got {text.strip()!r}"
        )
    first, first_input, second, second_input = found.groups()
    return Block(first, int(first_input), second, int(second_input))  # type: ignore[arg-type]  # CellGenome checks it
