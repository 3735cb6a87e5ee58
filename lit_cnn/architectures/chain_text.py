"""A chain of MBConv, Fused-MBConv and identity stages as one line of text, such as three stages of EfficientNetV2-S::

    fused e1 k3 s1 c24 n2; fused e4 k3 s2 c48 n4; mbconv e4 k3 s2 c128 n6 se0.25

e is the expansion, k the kernel, s the stride of the first block (1 where it is left out), c the output channels, n the
number of blocks (1), se the hidden channels of squeeze-and-excitation over the input channels of a block (0); skip=none
leaves the shortcuts out, skip=pool averages on them.
"""

from typing import get_args

from lit_cnn.architectures.layers.mbconv import Skip, Stage
from lit_cnn.architectures.stage_text import Letters, TextRow, split_rows, whole_number

LETTERS = {
    "mbconv": Letters(("e", "k", "c"), ("s", "n", "se", "skip")),
    "fused": Letters(("e", "k", "c"), ("s", "n", "skip")),
    "identity": Letters(("c",), ("s", "n")),
}


def format_chain(stages: tuple[Stage, ...]) -> str:
    """The text of a chain; :func:`parse_chain` reads it back to an equal chain, except that an identity has neither
    expansion nor kernel, and only MBConv has squeeze-and-excitation."""
    return "; ".join(_format(row) for row in stages)


def _format(row: Stage) -> str:
    convolution = "" if row.block == "identity" else f" e{row.expansion} k{row.kernel}"
    text = f"{row.block}{convolution} s{row.stride} c{row.width} n{row.depth}"
    if row.block == "mbconv" and row.squeeze > 0:
        text += f" se{row.squeeze:g}"
    return text if row.skip == "identity" or row.block == "identity" else f"{text} skip={row.skip}"


def parse_chain(text: str) -> tuple[Stage, ...]:
    """The chain of a text.

    Raises:
        ValueError: In one sentence that names the stage, and for an unknown block the nearest.
    """
    return tuple(_parse(number, row) for number, row in enumerate(split_rows(text, LETTERS), start=1))


def _parse(number: int, row: TextRow) -> Stage:
    width, stride, depth = (whole_number(number, row, letter) for letter in ("c", "s", "n"))
    if row.block == "identity":
        return Stage("identity", 1, 1, stride, width, depth, 0.0)
    expansion, kernel = whole_number(number, row, "e"), whole_number(number, row, "k")
    if kernel % 2 == 0:
        raise ValueError(f"stage {number} ({row.block}) must have an odd kernel, got k{kernel}")
    skip, squeeze = row.values.get("skip", "identity"), row.values.get("se", "0")
    if skip not in get_args(Skip):
        raise ValueError(f"stage {number} ({row.block}) must have a skip of {', '.join(get_args(Skip))}, got {skip}")
    if squeeze.isalpha() or float(squeeze) > 1:
        raise ValueError(f"stage {number} ({row.block}) must have an se from 0 to 1, got {squeeze}")
    return Stage(row.block, expansion, kernel, stride, width, depth, float(squeeze), skip)  # type: ignore[arg-type]
