"""A chain of stages of MBConv and Fused-MBConv blocks, with choices for each stage (MnasNet, arXiv:1807.11626)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from lit_cnn.architectures.chain_text import format_chain, parse_chain
from lit_cnn.architectures.layers.mbconv import Activation, Skip, Stage
from lit_cnn.architectures.layers.padding import Padding
from lit_cnn.architectures.network import Stem
from lit_cnn.search.spaces.space import Candidate, Decision, Point
from lit_cnn.search.spaces.stage_options import Options, check_strides, stage_decisions, stage_point, stage_values


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

    def options(self) -> Options:
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
        return stage_decisions(self._options)

    def rows(self, point: Point) -> tuple[Stage, ...]:
        """The stages of a point, in canonical form."""
        return self._simplest(self._rows(point))

    def point(self, rows: tuple[Stage, ...]) -> Point:
        """The canonical point of a chain.

        Raises:
            ValueError: If it is not in the space.
        """
        check_strides([stage.stride for stage in self.stages], [row.stride for row in rows])
        values = []
        for stage, row in zip(self.stages, self._simplest(rows), strict=True):
            squeeze = row.squeeze if row.block == "mbconv" else stage.squeezes[0]
            convolution = Convolution(row.block, row.expansion)  # type: ignore[arg-type]  # an identity is refused below
            values.append((convolution, row.kernel, row.width, row.depth, squeeze, row.skip))
        return stage_point(self._options, values)

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
            ValueError: If the text does not state a chain of the space.
        """
        return self.point(parse_chain(text))

    def candidate(self, point: Point) -> Candidate:
        """The network as it would be trained in full."""
        return Candidate("mbconv_chain", {"stages": self.encode(point), **self.settings._asdict()})

    @property
    def _options(self) -> list[Options]:
        return [stage.options() for stage in self.stages]

    def _rows(self, point: Point) -> tuple[Stage, ...]:
        chosen = zip(self.stages, stage_values(self._options, point), strict=True)
        return tuple(
            Stage(block, expansion, kernel, stage.stride, width, depth, squeeze, skip)
            for stage, ((block, expansion), kernel, width, depth, squeeze, skip) in chosen
        )

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
