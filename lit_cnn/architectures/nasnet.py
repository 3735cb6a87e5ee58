"""NASNet-A: Zoph, Vasudevan, Shlens, Le, "Learning Transferable Architectures for Scalable Image Recognition", 2017,
arXiv:1707.07012.

A controller trained by reinforcement learning searches two small cells on CIFAR-10; stacked more often and wider, the
same cells transfer to ImageNet. "N @ P" is N normal cells per stack and P = 24 F channels in the last map.

ImageNet nets, input (N, in_channels, 331, 331) for 6 @ 4032 (224 px and 4 @ 1056 in brackets):

    stem    3x3, 96 (32), stride 2, no padding        96 x 165 x 165   (32 x 111 x 111)
            reduction cell, F/4                      168 x 83 x 83     (44 x 56 x 56)
            reduction cell, F/2                      336 x 42 x 42     (88 x 28 x 28)
    stack1  N normal cells, F                       1008 x 42 x 42    (264 x 28 x 28)
    stack2  reduction cell, N normal cells, 2F      2016 x 21 x 21    (528 x 14 x 14)
    stack3  reduction cell, N normal cells, 4F      4032 x 11 x 11   (1056 x 7 x 7)
    head    ReLU, global average pool, dropout, linear         num_classes

CIFAR nets, input (N, in_channels, 32, 32): 3x3 stem of 3F channels, then the three stacks at 32, 16 and 8 px.
"""

from lit_cnn.architectures.cells import Block, CellGenome, CellNetwork, plan_cells
from lit_cnn.architectures.entry import Paper
from lit_cnn.architectures.layers.cell_ops import AuxiliarySpec
from lit_cnn.architectures.network import Stem

PAPER = Paper("NASNet", "Zoph et al.", 2017, "arXiv:1707.07012")

NORMAL_CELL = CellGenome(
    blocks=(
        Block("separable_5x5", 0, "separable_3x3", 1),
        Block("separable_5x5", 1, "separable_3x3", 1),
        Block("avg_pool_3x3", 0, "identity", 1),
        Block("avg_pool_3x3", 1, "avg_pool_3x3", 1),
        Block("separable_3x3", 0, "identity", 0),
    ),
    concat=(1, 2, 3, 4, 5, 6),
)
"""Figure 4, left: 6F channels, the previous input among them."""

REDUCTION_CELL = CellGenome(
    blocks=(
        Block("separable_5x5", 0, "separable_7x7", 1),
        Block("max_pool_3x3", 0, "separable_7x7", 1),
        Block("avg_pool_3x3", 0, "separable_5x5", 1),
        Block("identity", 3, "avg_pool_3x3", 2),
        Block("separable_3x3", 2, "max_pool_3x3", 0),
    ),
    concat=(3, 4, 5, 6),
)
"""Figure 4, right: 4F channels."""


def nasnet_a(
    repeats: int,
    penultimate: int,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    drop_path: float = 0.0,
    aux_head: bool = False,
    stem: Stem = "imagenet",
    stem_width: int = 96,
    skip_reduction: bool = True,
    aux_kernel: int = 6,
    count_padding: bool = False,
) -> CellNetwork:
    """NASNet-A ``repeats`` @ ``penultimate``; the other defaults are those of 6 @ 4032.

    Args:
        repeats: N, normal cells per stack.
        penultimate: P, channels of the last map; a multiple of 24.
        num_classes: Outputs.
        in_channels: Channels of the image.
        dropout: Rate before the classifier.
        drop_path: Scheduled drop path's rate in the last cell at the end of training; the recipes have the paper's.
        aux_head: Train a second classifier on stack 2; the net then returns ``AuxiliaryOutput`` in training.
        stem: "imagenet", or "small" for images of about 32 to 64 px: the CIFAR nets' 3x3 of 3F channels.
        stem_width: Channels of the ImageNet stem's convolution.
        skip_reduction: See :func:`plan_cells`; true in the large net only.
        aux_kernel: Side of the auxiliary head's pooled map: 6 at 331 px, 4 at 224 px and for CIFAR.
        count_padding: Average as timm's net does, for its weights: strided pools count the zeros around the map.

    Raises:
        ValueError: If ``penultimate`` is not a multiple of 24.
    """
    if penultimate % 24:
        raise ValueError(f"penultimate must be a multiple of 24 (it is 6 x 4 x F), got {penultimate}")
    filters = penultimate // 24
    rows = plan_cells(NORMAL_CELL, REDUCTION_CELL, repeats, filters, stem=stem, skip_reduction=skip_reduction)
    return CellNetwork(
        rows,
        stem=stem,
        stem_width=3 * filters if stem == "small" else stem_width,
        count_padding=count_padding,
        auxiliary=AuxiliarySpec(128, 768, aux_kernel) if aux_head else None,
        dropout=dropout,
        drop_path=drop_path,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def cifar_nasnet_a(
    repeats: int,
    penultimate: int,
    *,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    aux_head: bool = False,
    stem: Stem = "small",
) -> CellNetwork:
    """NASNet-A ``repeats`` @ ``penultimate`` for 32 px; the paper trains it with drop path (see the recipes)."""
    return nasnet_a(
        repeats,
        penultimate,
        num_classes=num_classes,
        in_channels=in_channels,
        dropout=dropout,
        drop_path=drop_path,
        aux_head=aux_head,
        stem=stem,
        skip_reduction=False,
        aux_kernel=4,
    )
