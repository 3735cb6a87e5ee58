"""A chain of stages of MBConv and Fused-MBConv blocks, with choices for each stage (MnasNet, arXiv:1807.11626)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeVar

from lit_cnn.architectures.chain_text import format_chain, parse_chain
from lit_cnn.architectures.entry import Value
from lit_cnn.architectures.layers.mbconv import Activation, Skip, Stage
from lit_cnn.architectures.layers.padding import Padding
from lit_cnn.architectures.network import Stem
from lit_cnn.search.spaces.space import Candidate, Decision, Point

Option = TypeVar("Option")


class Convolution(NamedTuple):
    """What a block convolves with: its kind, and hidden width / input width."""

    block: Literal["mbconv", "fused"]
    expansion: int

    def __str__(self) -> str:
        return f"{self.block} e{self.expansion}"


class StageChoices(NamedTuple):
    """The options of one stage; where there is one, nothing is chosen."""

    stride: int
    convolutions: tuple[Convolution, ...]
    kernels: tuple[int, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    squeezes: tuple[float, ...] = (0.0,)
    skips: tuple[Skip, ...] = ("identity",)

    def options(self) -> dict[str, tuple[Value | Convolution, ...]]:
        """What is chosen, by its name."""
        return {
            "convolution": self.convolutions,
            "kernel": self.kernels,
            "width": self.widths,
            "depth": self.depths,
            "squeeze": self.squeezes,
            "skip": self.skips,
        }


class ChainSettings(NamedTuple):
    """What all networks of a space share; arguments of :func:`lit_cnn.architectures.mbconv_chain.mbconv_chain`."""

    stem_width: int = 32
    final_width: int = 1280
    activation: Activation = "relu6"
    padding: Padding = "symmetric"
    norm_eps: float = 1e-5
    norm_momentum: float = 0.1
    stem: Stem = "imagenet"


@dataclass(frozen=True)
class ChainSpace:
    """Chains that choose, for each stage, the convolution, kernel, width, depth, squeeze-and-excitation and shortcut.

    Args:
        stages: Their options.
        settings: Of the network around the stages.
    """

    stages: tuple[StageChoices, ...]
    settings: ChainSettings

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """Stage by stage; each kind of option is one kind of decision."""
        return tuple(
            Decision(f"stage {number}: {name}", tuple(str(option) for option in options), name)
            for number, stage in enumerate(self.stages, start=1)
            for name, options in stage.options().items()
            if len(options) > 1
        )

    def rows(self, point: Point) -> tuple[Stage, ...]:
        """The stages of a point, in canonical form."""
        return self._simplest(self._rows(point))

    def point(self, rows: tuple[Stage, ...]) -> Point:
        """The canonical point of a chain.

        Raises:
            ValueError: If it is not in the space.
        """
        if len(rows) != len(self.stages):
            raise ValueError(f"a chain of this space has {len(self.stages)} stages, got {len(rows)}")
        choices: list[int] = []
        for number, (stage, row) in enumerate(zip(self.stages, self._simplest(rows), strict=True), start=1):
            if row.stride != stage.stride:
                raise ValueError(f"stage {number} must have stride {stage.stride}, got {row.stride}")
            squeeze = row.squeeze if row.block == "mbconv" else stage.squeezes[0]
            convolution = Convolution(row.block, row.expansion)  # type: ignore[arg-type]  # an identity is refused below
            values = (convolution, row.kernel, row.width, row.depth, squeeze, row.skip)
            for (name, options), value in zip(stage.options().items(), values, strict=True):
                if value not in options:
                    known = ", ".join(str(option) for option in options)
                    raise ValueError(f"stage {number} must have a {name} of {known}, got {value}")
                choices += [options.index(value)] if len(options) > 1 else []
        return tuple(choices)

    def canonical(self, point: Point) -> Point:
        """The point whose choices that change nothing are the first ones: squeeze-and-excitation of a Fused-MBConv, and
        the shortcut of a stage none of whose blocks keeps the shape of its map."""
        return self.point(self._rows(point))

    def encode(self, point: Point) -> str:
        """The canonical stages as text, see :mod:`lit_cnn.architectures.chain_text`."""
        return format_chain(self.rows(point))

    def decode(self, text: str) -> Point:
        """The canonical point of an encoding.

        Raises:
            ValueError: If the text is no chain, or a chain that is not in the space.
        """
        return self.point(parse_chain(text))

    def candidate(self, point: Point) -> Candidate:
        """The network as it would be trained in full."""
        return Candidate("mbconv_chain", {"stages": self.encode(point), **self.settings._asdict()})

    def _rows(self, point: Point) -> tuple[Stage, ...]:
        choices = iter(point)
        rows = []
        for stage in self.stages:
            block, expansion = _chosen(stage.convolutions, choices)
            kernel = _chosen(stage.kernels, choices)
            width, depth = _chosen(stage.widths, choices), _chosen(stage.depths, choices)
            squeeze, skip = _chosen(stage.squeezes, choices), _chosen(stage.skips, choices)
            rows.append(Stage(block, expansion, kernel, stage.stride, width, depth, squeeze, skip))
        return tuple(rows)

    def _simplest(self, rows: tuple[Stage, ...]) -> tuple[Stage, ...]:
        """The same network; a shortcut that no block has is the first option, and a Fused-MBConv has no squeeze."""
        found = []
        channels = self.settings.stem_width
        for stage, row in zip(self.stages, rows, strict=True):
            squeeze = row.squeeze if row.block == "mbconv" else 0.0
            shortcuts = row.depth > 1 or (row.stride == 1 and row.width == channels)
            found.append(row._replace(squeeze=squeeze, skip=row.skip if shortcuts else stage.skips[0]))
            channels = row.width
        return tuple(found)


def _chosen(options: Sequence[Option], choices: Iterator[int]) -> Option:
    return options[next(choices)] if len(options) > 1 else options[0]
