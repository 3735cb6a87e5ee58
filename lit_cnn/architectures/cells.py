"""Networks of searched cells: a cell is plain data, one engine builds it for NASNet, AmoebaNet and architecture search.

State 0 of a cell is the previous cell's output and state 1 that of the cell before, both brought to F channels. Each
block adds the outputs of two operations on two earlier states and so makes the next state; the cell returns some states
concatenated. Every reader of a cell's output begins with ReLU, so a cell returns its map rectified (in place).
"""

import difflib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.layers.cell_ops import (
    OPERATIONS,
    AuxiliarySpec,
    CellAuxiliaryHead,
    FactorizedReduction,
    Operation,
    OpSettings,
    conv_norm,
    make_norm,
    make_operation,
    reads_rectified,
)
from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.init import init_he
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth, linear_rates
from lit_cnn.architectures.network import GlobalPoolHead, Network, Stem


class Block(NamedTuple):
    """first_op(state first_input) + second_op(state second_input)."""

    first_op: Operation
    first_input: int
    second_op: Operation
    second_input: int


@dataclass(frozen=True)
class CellGenome:
    """A cell as hashable data.

    Args:
        blocks: Block b makes state b + 2 from states before it; rows may be given as plain lists.
        concat: States that the cell returns, in increasing order.

    Raises:
        ValueError: If an operation is unknown, a block reads a state that is not made yet, or a state leads nowhere.
    """

    blocks: tuple[Block, ...]
    concat: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(Block(*block) for block in self.blocks))
        object.__setattr__(self, "concat", tuple(self.concat))
        for number, block in enumerate(self.blocks):
            _check_block(number, block)
        last = len(self.blocks) + 1
        if not self.concat or sorted(set(self.concat) & set(range(last + 1))) != list(self.concat):
            raise ValueError(f"concat must list states from 0 to {last} in increasing order, got {list(self.concat)}")
        lost = [state for state in unused_states(self.blocks) if state not in self.concat]
        if lost:
            raise ValueError(f"state {lost[0]} is read by no block, so add it to concat or let a block read it")


def _check_block(number: int, block: Block) -> None:
    for operation, state in ((block.first_op, block.first_input), (block.second_op, block.second_input)):
        if operation not in OPERATIONS:
            near = difflib.get_close_matches(str(operation), OPERATIONS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(OPERATIONS)}."
            raise ValueError(f"block {number} has the unknown operation {operation!r}; {hint}")
        if not 0 <= state <= number + 1:
            raise ValueError(f"block {number} reads state {state}, but it may only read states 0 to {number + 1}")


def unused_states(blocks: Sequence[Block]) -> tuple[int, ...]:
    """States that no block reads: what a cell concatenates by the papers' rule."""
    read = {state for block in blocks for state in (block.first_input, block.second_input)}
    return tuple(state for state in range(len(blocks) + 2) if state not in read)


class CellRow(NamedTuple):
    """One cell of a network."""

    genome: CellGenome
    filters: int  # channels of each state
    stride: int  # 2 in a reduction cell
    back: int  # state 1 is the output this many cells before state 0's; 0: the current input as it is


def plan_cells(
    normal: CellGenome, reduction: CellGenome, repeats: int, filters: int, *, stem: Stem, skip_reduction: bool = False
) -> tuple[CellRow, ...]:
    """The papers' network: three stacks of ``repeats`` normal cells of F, 2F and 4F channels, a reduction cell before
    the second and third; two reduction cells of F/4 and F/2 channels in front in the ImageNet stem.

    Args:
        normal: Cell that keeps the resolution.
        reduction: Cell that halves it.
        repeats: N of the papers.
        filters: F of the papers.
        stem: Whether the two stem cells are there.
        skip_reduction: The normal cell after a reduction reads, as state 1, the cell before the one that the reduction
            reads, instead of that one.

    Raises:
        ValueError: If ``repeats`` or ``filters`` is too small.
    """
    fewest = 4 if stem == "imagenet" else 1
    if repeats < 1 or filters < fewest:
        raise ValueError(
            f"a network of cells needs repeats >= 1 and filters >= {fewest}, got repeats={repeats}, filters={filters}"
        )
    rows = [CellRow(reduction, filters // share, 2, 1) for share in (4, 2)] if stem == "imagenet" else []
    for stack in range(3):
        width = filters * 2**stack
        if stack > 0:
            rows.append(CellRow(reduction, width, 2, 1))
        after_reduction = 2 if stack > 0 and skip_reduction else 1
        rows += [CellRow(normal, width, 1, after_reduction if index == 0 else 1) for index in range(repeats)]
    rows[0] = rows[0]._replace(back=0)
    return tuple(rows)


class DroppableOp(nn.Module):
    """One operation on one state, dropped at random in training unless it is an identity.

    What is dropped is computed and multiplied by 0: an operation has no shortcut that gives its output a shape.
    """

    def __init__(self, name: Operation, operation: nn.Module, drop_path: float) -> None:
        super().__init__()
        self.rectified = reads_rectified(operation)
        self.operation = operation
        self.drop_path = nn.Identity() if name == "identity" else StochasticDepth(drop_path)

    def forward(self, state: Tensor, rectified: Tensor) -> Tensor:
        return self.drop_path(self.operation(rectified if self.rectified else state))


class Cell(nn.Module):
    """One cell: maps of the two previous cells (N, C, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)).

    Args:
        row: Genome, width and stride.
        in_channels: Channels of the current input.
        previous_channels: Channels of the previous input.
        previous_stride: Size of the previous input over that of the current, 1 or 2.
        drop_path: Rate at which training drops an operation's output.
        settings: Constants of the operations.
    """

    def __init__(
        self,
        row: CellRow,
        in_channels: int,
        previous_channels: int,
        *,
        previous_stride: int,
        drop_path: float,
        settings: OpSettings,
    ) -> None:
        super().__init__()
        genome, filters, stride, back = row
        self.concat, self.out_channels = genome.concat, filters * len(genome.concat)
        self.base = conv_norm(in_channels, filters, settings)
        self.adapt: nn.Module = nn.Identity()
        if back > 0:
            adapt = FactorizedReduction if previous_stride == 2 else conv_norm
            self.adapt = adapt(previous_channels, filters, settings)
        channels = [filters, filters if back > 0 else previous_channels] + [filters] * len(genome.blocks)
        self.sources = tuple((block.first_input, block.second_input) for block in genome.blocks)
        self.rectified: set[int] = set()  # states that some operation reads after ReLU
        self.paths = nn.ModuleList()
        for block in genome.blocks:
            for name, source in ((block.first_op, block.first_input), (block.second_op, block.second_input)):
                step = stride if source < 2 else 1
                operation = make_operation(name, channels[source], filters, stride=step, settings=settings)
                path = DroppableOp(name, operation, drop_path)
                self.paths.append(path)
                self.rectified |= {source} if path.rectified else set()
        self.fit = nn.ModuleDict()
        for state in genome.concat:
            if stride == 2 and state < 2:
                self.fit[str(state)] = FactorizedReduction(channels[state], filters, settings)
            elif channels[state] != filters:
                self.fit[str(state)] = conv_norm(channels[state], filters, settings)

    def forward(self, x: Tensor, previous: Tensor) -> Tensor:
        states: list[Tensor] = []
        rectified: list[Tensor] = []

        def add(state: Tensor) -> None:
            rectified.append(F.relu(state) if len(states) in self.rectified else state)
            states.append(state)

        adapted = self.adapt(previous)  # before the base, timm's order of execution, by which its weights are paired
        add(self.base(x))
        add(adapted)
        for number, (i, j) in enumerate(self.sources):
            first, second = self.paths[2 * number], self.paths[2 * number + 1]
            add(first(states[i], rectified[i]) + second(states[j], rectified[j]))
        for name, layer in self.fit.items():
            states[int(name)] = layer(states[int(name)])
        return F.relu_(torch.cat([states[state] for state in self.concat], 1))


class CellStack(nn.Sequential):
    """The stem's convolution, then cells that each read two earlier outputs.

    Children are ``stem`` and ``cell1``, ``cell2``, ...; unlike a plain Sequential, each output reaches two or three
    later children. (N, in_channels, H, W) -> (N, out_channels, H', W'), rectified.
    """

    def __init__(
        self,
        rows: tuple[CellRow, ...],
        in_channels: int,
        *,
        stem: Stem,
        stem_width: int,
        drop_path: float,
        settings: OpSettings,
    ) -> None:
        stride, padding = (2, 0) if stem == "imagenet" else (1, 1)
        conv = Conv2d(in_channels, stem_width, 3, stride, padding, bias=False)
        children = OrderedDict[str, nn.Module](
            stem=nn.Sequential(OrderedDict(conv=conv, norm=make_norm(stem_width, settings)))
        )
        outputs = [(stem_width, 1)]  # channels and stride of each output
        for number, (row, rate) in enumerate(zip(rows, linear_rates(drop_path, len(rows)), strict=True), start=1):
            (channels, reach), (previous_channels, previous_reach) = outputs[-1], outputs[-1 - row.back]
            ratio = reach // previous_reach
            cell = Cell(row, channels, previous_channels, previous_stride=ratio, drop_path=rate, settings=settings)
            outputs.append((cell.out_channels, reach * row.stride))
            children[f"cell{number}"] = cell
        super().__init__(children)
        self.back = tuple(row.back for row in rows)
        self.ends = *(row.stride == 2 for row in rows[1:]), True
        self.stage_channels = tuple(c for (c, _), end in zip(outputs[1:], self.ends, strict=True) if end)

    def keep_maps(self, number: int) -> None:
        """Drop the cells behind the first ``number`` of ``maps``."""
        cells = [count for count, end in enumerate(self.ends, start=1) if end][number - 1]
        for name, _ in list(self.named_children())[1 + cells :]:
            delattr(self, name)
        self.back, self.ends = self.back[:cells], self.ends[:cells]
        self.stage_channels = self.stage_channels[:number]

    def maps(self, x: Tensor) -> list[Tensor]:
        """The last map of each resolution that cells work at, from fine to coarse."""
        stem, *cells = self.children()
        current = stem(x)
        recent = [current, F.relu(current)]  # only the first cell reads the stem's map unrectified
        stages = []
        for cell, back, end in zip(cells, self.back, self.ends, strict=True):
            recent.append(cell(recent[-1], recent[-1 - back] if back else recent[0]))
            recent = recent[-3:]
            if end:
                stages.append(recent[-1])
        return stages

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x)[-1]


class AuxiliaryOutput(NamedTuple):
    """What a network with an auxiliary head returns in training: two (N, num_classes) logits."""

    logits: Tensor
    auxiliary: Tensor


NORMS: dict[Stem, OpSettings] = {"imagenet": OpSettings(1e-3, 3e-4), "small": OpSettings(1e-5, 0.1)}
"""Batch norm of the released ImageNet code (decay 0.9997) and CIFAR code (decay 0.9)."""


class CellNetwork(Network):
    """A network of cells; ``stages`` returns the last map of each resolution, the stem's convolution excepted.

    Args:
        rows: The cells.
        stem: "imagenet" (3x3, stride 2, no padding) or "small" (3x3, stride 1); it also sets batch norm's constants.
        stem_width: Channels of the stem's convolution.
        count_padding: See :class:`OpSettings`.
        auxiliary: The auxiliary head, or None.
        dropout: Rate before the classifier.
        drop_path: Rate in the last cell; cell i of L drops with ``drop_path`` · i / L.
        num_classes: Outputs.
        in_channels: Channels of the image.
    """

    smallest_input: int = 3

    features: CellStack

    auxiliary_heads = ("aux_head",)

    def __init__(
        self,
        rows: tuple[CellRow, ...],
        *,
        stem: Stem,
        stem_width: int,
        count_padding: bool = False,
        auxiliary: AuxiliarySpec | None = None,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        settings = NORMS[stem]._replace(count_padding=count_padding)
        self.features = CellStack(
            rows, in_channels, stem=stem, stem_width=stem_width, drop_path=drop_path, settings=settings
        )
        *_, middle, last = self.features.stage_channels
        self.head = GlobalPoolHead(last, num_classes, Dropout(dropout))
        self.aux_head = None if auxiliary is None else CellAuxiliaryHead(middle, auxiliary, num_classes, settings)
        init_cell_network(self)

    def stages(self, x: Tensor) -> list[Tensor]:
        self.check_input(x)
        return self.features.maps(x)

    def keep_stages(self, number: int) -> None:
        cells = self.features
        super().keep_stages(len(cells))
        cells.keep_maps(number)

    def forward(self, x: Tensor) -> Tensor | AuxiliaryOutput:  # type: ignore[override]
        if self.aux_head is None or not self.training:
            return super().forward(x)
        *_, middle, last = self.stages(x)
        return AuxiliaryOutput(self.head(last), self.aux_head(middle))


def init_cell_network(network: nn.Module) -> None:
    """Convolutions normal with variance 2 / fan-out as in the released code, which counts a depthwise filter's fan-out
    as the pixels of its kernel; the classifier as in :func:`init_he`."""
    init_he(network)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            nn.init.normal_(module.weight, std=(2 / module.weight[0, 0].numel()) ** 0.5)
