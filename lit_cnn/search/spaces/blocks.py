"""Linear and multi-branch blocks: for each stage the kind of block, the width and the number of blocks."""

from dataclasses import dataclass
from functools import cached_property

from lit_cnn.architectures.block_text import KINDS, BlockStage, Kind, format_blocks, parse_blocks
from lit_cnn.search.spaces.space import Candidate, Decision, Point


@dataclass(frozen=True)
class BlockSpace:
    """Networks of stages of plain, residual, bottleneck, inception or separable blocks.

    The first stage keeps the resolution and the others halve it. No two points are one network.

    Args:
        widths: What each stage chooses its channels from; multiples of 16, which inception blocks need.
        depths: What each stage chooses its number of blocks from.
        kinds: What each stage chooses its block from.
    """

    widths: tuple[tuple[int, ...], ...] = ((16, 32), (32, 64), (64, 128))
    depths: tuple[int, ...] = (1, 2, 3)
    kinds: tuple[Kind, ...] = KINDS

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Stage by stage its kind, width and depth."""
        found = []
        for number in range(1, len(self.widths) + 1):
            for name, options in self._options(number - 1).items():
                found.append(Decision(f"stage {number}: {name}", tuple(str(option) for option in options), name))
        return tuple(found)

    def rows(self, point: Point) -> tuple[BlockStage, ...]:
        """The stages of a point."""
        rows = []
        for stage in range(len(self.widths)):
            kind, width, depth = point[3 * stage : 3 * stage + 3]
            stride = 1 if stage == 0 else 2
            rows.append(BlockStage(self.kinds[kind], self.widths[stage][width], stride, self.depths[depth]))
        return tuple(rows)

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
        if len(rows) != len(self.widths):
            raise ValueError(f"a network of this space has {len(self.widths)} stages, got {len(rows)}")
        choices: list[int] = []
        for stage, row in enumerate(rows):
            stride = 1 if stage == 0 else 2
            if row.stride != stride:
                raise ValueError(f"stage {stage + 1} must have stride {stride}, got {row.stride}")
            for (name, options), value in zip(
                self._options(stage).items(), (row.kind, row.width, row.depth), strict=True
            ):
                if value not in options:
                    known = ", ".join(str(option) for option in options)
                    raise ValueError(f"stage {stage + 1} must have a {name} of {known}, got {value}")
                choices.append(options.index(value))
        return tuple(choices)

    def candidate(self, point: Point) -> Candidate:
        """The network as it would be trained in full, for images of about 32 px."""
        return Candidate("block_network", {"blocks": self.encode(point), "stem": "small"})

    def _options(self, stage: int) -> dict[str, tuple[str | int, ...]]:
        return {"kind": self.kinds, "width": self.widths[stage], "depth": self.depths}
