"""NAS-Bench-Macro's space (Su et al., 2021, arXiv:2103.11922; github.com/xiusu/NAS-Bench-Macro): 8 slots of a chain.

Each slot is an identity or one of two MBConv blocks without squeeze-and-excitation, in stages of 2, 3 and 3 slots. All
3,969 networks were trained on CIFAR-10, so that strategies can be tested on a table of true accuracies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lit_cnn.architectures.chain_text import format_chain
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.search.spaces.chain import ChainSettings
from lit_cnn.search.spaces.space import Candidate, Decision, Point

BLOCKS = (
    Stage("identity", 1, 1, 1, 1, 1, 0.0),
    Stage("mbconv", 3, 3, 1, 1, 1, 0.0),
    Stage("mbconv", 6, 5, 1, 1, 1, 0.0),
)
"""What a slot chooses from, in the order of the digits of the table's codes; the slot sets stride and width."""

SETTINGS = ChainSettings(activation="relu", stem="small")


@dataclass(frozen=True)
class MacroSpace:
    """Chains of slots: 6,561 codes, of which 3,969 are different networks.

    Args:
        widths: Channels of each stage; its first slot has stride 2.
        slots: Slots of each stage.

    Raises:
        ValueError: If they are not equally many.
    """

    widths: tuple[int, ...] = (64, 128, 256)
    slots: tuple[int, ...] = (2, 3, 3)

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.slots):
            raise ValueError(
                f"a macro space needs a width and a number of slots for each stage, got {len(self.widths)} widths and "
                f"{len(self.slots)} slots"
            )

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """One for each slot."""
        names = tuple(
            block.block if block.block == "identity" else f"{block.block} e{block.expansion} k{block.kernel}"
            for block in BLOCKS
        )
        return tuple(Decision(f"slot {number}", names) for number in range(1, sum(self.slots) + 1))

    def rows(self, point: Point) -> tuple[Stage, ...]:
        """The stages of the chain, one for each slot; identities that do nothing are left out."""
        rows = []
        for width, choices in zip(self.widths, self._stages(self.canonical(point)), strict=True):
            for number, choice in enumerate(choices):
                if number == 0 or choice > 0:
                    rows.append(BLOCKS[choice]._replace(width=width, stride=2 if number == 0 else 1))
        return tuple(rows)

    def canonical(self, point: Point) -> Point:
        """The point whose identities stand at the end of their stage; that of the first slot changes the shape, and
        stays."""
        found: list[int] = []
        for first, *others in self._stages(point):
            found += [first, *sorted(others, key=lambda choice: choice == 0)]
        return tuple(found)

    def encode(self, point: Point) -> str:
        """The table's code: a digit for each slot, such as 22212220."""
        return "".join(str(choice) for choice in self.canonical(point))

    def decode(self, text: str) -> Point:
        """The canonical point of a code.

        Raises:
            ValueError: If the text is not a code.
        """
        digits = "".join(str(number) for number in range(len(BLOCKS)))
        if len(text) != sum(self.slots) or not set(text) <= set(digits):
            raise ValueError(f"a code must have {sum(self.slots)} digits of {digits}, got {text!r}")
        return self.canonical(tuple(int(digit) for digit in text))

    def candidate(self, point: Point) -> Candidate:
        """The network of the table."""
        return Candidate("mbconv_chain", {"stages": format_chain(self.rows(point)), **SETTINGS._asdict()})

    def _stages(self, point: Point) -> Iterator[Point]:
        start = 0
        for count in self.slots:
            yield point[start : start + count]
            start += count
