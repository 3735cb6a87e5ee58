"""AmoebaNet-A: Real, Aggarwal, Huang, Le, "Regularized Evolution for Image Classifier Architecture Search", 2018,
arXiv:1802.01548.

Evolution that removes the oldest instead of the worst finds cells as good as the controller's of NASNet, in the same
space. N normal cells per stack, F channels per state of the first.

ImageNet nets, input (N, in_channels, 331, 331), sizes for F = 190:

    stem    3x3, 32, stride 2, no padding              32 x 165 x 165
            reduction cell, F/4                       235 x 83 x 83
            reduction cell, F/2                       475 x 42 x 42
    stack1  N normal cells, F                         760 x 42 x 42
    stack2  reduction cell, N normal cells, 2F       1520 x 21 x 21
    stack3  reduction cell, N normal cells, 4F       3040 x 11 x 11
    head    ReLU, global average pool, dropout, linear       num_classes

CIFAR nets, input (N, in_channels, 32, 32): 3x3 stem of 3F channels, then the three stacks at 32, 16 and 8 px.
"""

from lit_cnn.architectures.cells import Block, CellGenome, CellNetwork, plan_cells
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.cell_ops import AuxiliarySpec
from lit_cnn.architectures.network import Stem

PAPER = Paper("AmoebaNet", "Real et al.", 2018, "arXiv:1802.01548")
DEVIATIONS = ("the reduction cell returns states 2 to 6 as the released code does, though it uses 2 and 4 itself",)
CIFAR_DEVIATIONS = ("the stem's 3F channels are NASNet's CIFAR code; the released AmoebaNet code has no CIFAR network",)

NORMAL_CELL = CellGenome(
    blocks=(
        Block("avg_pool_3x3", 0, "max_pool_3x3", 0),
        Block("separable_3x3", 1, "identity", 1),
        Block("identity", 0, "avg_pool_3x3", 1),
        Block("separable_3x3", 0, "separable_5x5", 2),
        Block("avg_pool_3x3", 5, "separable_3x3", 0),
    ),
    concat=(1, 3, 4, 6),
)
"""4F channels; state 1 is concatenated although blocks read it, as in the released code."""

REDUCTION_CELL = CellGenome(
    blocks=(
        Block("separable_3x3", 1, "avg_pool_3x3", 0),
        Block("max_pool_3x3", 0, "separable_7x7", 2),
        Block("max_pool_3x3", 1, "max_pool_3x3", 0),
        Block("separable_3x3", 4, "conv_1x7_7x1", 0),
        Block("avg_pool_3x3", 1, "separable_7x7", 0),
    ),
    concat=(2, 3, 4, 5, 6),
)
"""5F channels; states 2 and 4 are concatenated although blocks read them, which gives the paper's parameter count."""

STEM_WIDTH = 32


def amoebanet_a(
    repeats: int,
    filters: int,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    drop_path: float = 0.0,
    aux_head: bool = False,
    stem: Stem = "imagenet",
    aux_kernel: int = 6,
) -> CellNetwork:
    """AmoebaNet-A with N = ``repeats`` and F = ``filters``.

    Args:
        repeats: N, normal cells per stack.
        filters: F, channels per state in the first stack.
        num_classes: Outputs.
        in_channels: Channels of the image.
        dropout: Rate before the classifier.
        drop_path: Scheduled drop path's rate in the last cell at the end of training; the recipes have the paper's.
        aux_head: Train a second classifier on stack 2; the net then returns ``AuxiliaryOutput`` in training.
        stem: "imagenet", or "small" for images of about 32 to 64 px: the CIFAR nets' 3x3 of 3F channels.
        aux_kernel: Side of the auxiliary head's pooled map: 6 at 331 px, 5 at 299 px, 4 for CIFAR.
    """
    return CellNetwork(
        plan_cells(NORMAL_CELL, REDUCTION_CELL, repeats, filters, stem=stem),
        stem=stem,
        stem_width=3 * filters if stem == "small" else STEM_WIDTH,
        auxiliary=AuxiliarySpec(51, 307, aux_kernel) if aux_head else None,  # 0.4 of NASNet's 128 and 768
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def cifar_amoebanet_a(
    repeats: int,
    filters: int,
    *,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    aux_head: bool = False,
    stem: Stem = "small",
) -> CellNetwork:
    """AmoebaNet-A for 32 px; N = 3 and F = 24 is the network in which the search trains its candidates."""
    return amoebanet_a(
        repeats,
        filters,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        drop_path=drop_path,
        aux_head=aux_head,
        stem=stem,
        aux_kernel=4,
    )
