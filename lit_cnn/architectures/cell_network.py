"""A network of any two cells, which are stated as text: what architecture search finds, as a recipe can train it.

The network is that of the papers (NASNet, arXiv:1707.07012, figure 2; AmoebaNet, arXiv:1802.01548, figure 1): three
stacks of N normal cells of F, 2F and 4F channels, with a reduction cell before the second and the third. The default
cells are NASNet-A's, in its network for CIFAR-10, 6 @ 768. Input (N, in_channels, 32, 32), with P states returned by
the normal cell:

    stem    3x3, 3F                                    3F x 32 x 32
    stack1  N normal cells                             PF x 32 x 32
    stack2  reduction cell, N normal cells            2PF x 16 x 16
    stack3  reduction cell, N normal cells            4PF x 8 x 8
    head    ReLU, global average pool, dropout, linear    num_classes
"""

from lit_cnn.architectures.cell_text import format_cell, parse_cell
from lit_cnn.architectures.cells import CellGenome, CellNetwork, plan_cells
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.cell_ops import AuxiliarySpec
from lit_cnn.architectures.nasnet import NORMAL_CELL, REDUCTION_CELL
from lit_cnn.architectures.network import Stem

PAPER = Paper(
    "NASNet", "Zoph et al.", 2017, "arXiv:1707.07012", protocol="for any two cells; the default cells are NASNet-A's"
)

IMAGENET_STEM_WIDTH = 32
AUXILIARY = AuxiliarySpec(128, 768, kernel=4)


def cell_network(
    normal: str = format_cell(NORMAL_CELL),
    reduction: str = format_cell(REDUCTION_CELL),
    repeats: int = 6,
    filters: int = 32,
    *,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    aux_head: bool = False,
    stem: Stem = "small",
) -> CellNetwork:
    """The network of two cells.

    Args:
        normal: Text of the cell that keeps the resolution, see :mod:`lit_cnn.architectures.cell_text`.
        reduction: Text of the cell that halves it.
        repeats: N, normal cells per stack.
        filters: F, channels per state in the first stack.
        num_classes: Outputs.
        in_channels: Channels of the image.
        dropout: Rate before the classifier.
        drop_path: Rate in the last cell at which training drops an operation's output.
        aux_head: Train a second classifier on stack 2, NASNet's for CIFAR; the net then returns ``AuxiliaryOutput`` in
            training.
        stem: "small", a 3x3 of 3F channels, or "imagenet", a strided 3x3 of 32 channels and two reduction cells.

    Raises:
        ValueError: If a text does not state a cell, or ``repeats`` or ``filters`` is too small.
    """
    rows = plan_cells(_parse("normal", normal), _parse("reduction", reduction), repeats, filters, stem=stem)
    return CellNetwork(
        rows,
        stem=stem,
        stem_width=3 * filters if stem == "small" else IMAGENET_STEM_WIDTH,
        auxiliary=AUXILIARY if aux_head else None,
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def _parse(option: str, text: str) -> CellGenome:
    try:
        return parse_cell(text)
    except ValueError as error:
        raise ValueError(f"the {option} cell: {error}") from None
