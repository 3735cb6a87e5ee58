"""Linear and multi-branch blocks: for each stage the kind of block, the width and the number of blocks."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, product

from lit_cnn.architectures.block_text import DIVISORS, KINDS, BlockStage, Kind, format_blocks, parse_blocks
from lit_cnn.search.spaces.space import Candidate, Decision, Point
from lit_cnn.search.spaces.stage_options import Options, check_strides, stage_decisions, stage_point, stage_values


@dataclass(frozen=True)
class BlockSpace:
    """Networks of stages of plain, residual, bottleneck, inception or separable blocks.

    The first stage keeps the resolution and the others halve it. No two points are one network.

    Args:
        widths: What each stage chooses its channels from; multiples of 16, which inception blocks need.
        depths: What each stage chooses its number of blocks from.
        kinds: What each stage chooses its block from.

    Raises:
        ValueError: If a width cannot be divided among the branches of a kind.
    """

    widths: tuple[tuple[int, ...], ...] = ((16, 32), (32, 64), (64, 128))
    depths: tuple[int, ...] = (1, 2, 3)
    kinds: tuple[Kind, ...] = KINDS

    def __post_init__(self) -> None:
        for kind, width in product(self.kinds, chain.from_iterable(self.widths)):
            if width % DIVISORS.get(kind, 1):
                raise ValueError(f"widths of {kind} blocks must be multiples of {DIVISORS[kind]}, got {width}")

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Stage by stage its kind, width and depth."""
        return stage_decisions(self._options)

    def rows(self, point: Point) -> tuple[BlockStage, ...]:
        """The stages of a point."""
        chosen = zip(self._strides, stage_values(self._options, point), strict=True)
        return tuple(BlockStage(kind, width, stride, depth) for stride, (kind, width, depth) in chosen)

    def canonical(self, point: Point) -> Point:
        """The point itself."""
        return point

    def encode(self, point: Point) -> str:
        """The stages as text, see :mod:`lit_cnn.architectures.block_text`."""
        return format_blocks(self.rows(point))

    def decode(self, text: str) -> Point:
        """The point of an encoding.

        Raises:
            ValueError: If the text states no stages, or stages that are not in the space.
        """
        rows = parse_blocks(text)
        check_strides(self._strides, [row.stride for row in rows])
        return stage_point(self._options, [(row.kind, row.width, row.depth) for row in rows])

    def candidate(self, point: Point) -> Candidate:
        """The network as it would be trained in full, for images of about 32 px."""
        return Candidate("block_network", {"blocks": self.encode(point), "stem": "small"})

    @property
    def _strides(self) -> list[int]:
        return [1, *[2] * (len(self.widths) - 1)]

    @property
    def _options(self) -> list[Options]:
        return [{"kind": self.kinds, "width": widths, "depth": self.depths} for widths in self.widths]
