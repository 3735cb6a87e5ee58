"""What a search chooses from: decisions with named options, and the network that a point is."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from lit_cnn.architectures.entry import Value

Point = tuple[int, ...]
"""The index of one option for each decision of a space, in the space's order."""


class Decision(NamedTuple):
    """One choice.

    Args:
        name: What is chosen, such as ``normal 3: first operation``.
        options: The names of what there is to choose from.
        kind: Decisions of one kind are mutated together: AmoebaNet first chooses between "state" and "operation", each
            with the same probability, and then a decision of that kind.
    """

    name: str
    options: tuple[str, ...]
    kind: str = "operation"


@dataclass(frozen=True)
class Candidate:
    """A network as a recipe states it: a name of the catalog and its options."""

    architecture: str
    options: Mapping[str, Value]


class SearchSpace(Protocol):
    """A space of networks; its points are tuples of small integers, so strategies need to know nothing else."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What is chosen, in the order in which a controller chooses."""

    def canonical(self, point: Point) -> Point:
        """The same point for all that are one network."""

    def encode(self, point: Point) -> str:
        """The printable name of the network: one text for all points that are one network."""

    def decode(self, text: str) -> Point:
        """The canonical point of an encoding.

        Raises:
            ValueError: If the text names no point of this space.
        """

    def candidate(self, point: Point) -> Candidate:
        """The network that is trained in the search."""


def first_network(space: SearchSpace) -> Candidate:
    """The network of the first options. All networks of a space state the same options, with other values."""
    return space.candidate(tuple(0 for _ in space.decisions))


def number_of_points(space: SearchSpace) -> int:
    """The product of the numbers of options; points that are one network count apart."""
    return math.prod(len(decision.options) for decision in space.decisions)


@runtime_checkable
class Published(Protocol):
    """A space of which some networks were published."""

    def published(self) -> dict[str, Candidate]:
        """Their names and the networks, at the size of the search."""


def neighbors(space: SearchSpace, point: Point) -> Iterator[Point]:
    """All points that differ from ``point`` in one decision, in the order of the decisions and of their options."""
    for number, decision in enumerate(space.decisions):
        for option in range(len(decision.options)):
            if option != point[number]:
                yield (*point[:number], option, *point[number + 1 :])
