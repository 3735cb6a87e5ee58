"""Stages of linear and multi-branch blocks as one line of text.

``plain s1 c16 n2; residual s2 c32 n3; inception s2 c64 n1``: s is the stride of the first block (1 where it is left
out), c the output channels, n the number of blocks (1).
"""

from typing import Literal, NamedTuple, get_args

from lit_cnn.architectures.stage_text import Letters, split_rows, whole_number

Kind = Literal["plain", "residual", "bottleneck", "inception", "separable"]
KINDS: tuple[Kind, ...] = get_args(Kind)

LETTERS: dict[str, Letters] = dict.fromkeys(KINDS, Letters(("c",), ("s", "n")))
DIVISORS: dict[Kind, int] = {"bottleneck": 4, "inception": 16}
"""A bottleneck's 3x3 has a quarter of the channels; the branches of an inception block have 16ths of them."""


class BlockStage(NamedTuple):
    """One row."""

    kind: Kind
    width: int  # output channels
    stride: int  # of the first block; the others use 1
    depth: int  # number of blocks


def format_blocks(stages: tuple[BlockStage, ...]) -> str:
    """The text of the stages; :func:`parse_blocks` reads it back to equal rows."""
    return "; ".join(f"{row.kind} s{row.stride} c{row.width} n{row.depth}" for row in stages)


def parse_blocks(text: str) -> tuple[BlockStage, ...]:
    """The stages of a text.

    Raises:
        ValueError: In one sentence that names the stage, and for an unknown block the nearest; also if a width cannot
            be divided among the branches.
    """
    found = []
    for number, row in enumerate(split_rows(text, LETTERS), start=1):
        width, stride, depth = (whole_number(number, row, letter) for letter in ("c", "s", "n"))
        stage = BlockStage(row.block, width, stride, depth)  # type: ignore[arg-type]  # split_rows knows the names
        divisor = DIVISORS.get(stage.kind, 1)
        if width % divisor:
            raise ValueError(f"stage {number} ({row.block}) must have a multiple of {divisor} channels, got {width}")
        found.append(stage)
    return tuple(found)
