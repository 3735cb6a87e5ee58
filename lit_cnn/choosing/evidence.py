"""What the steps of a choice have yielded, and who is recommended by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.rungs import Reached
from lit_cnn.choosing.ties import Answers, Standing, front_of, recommended, standings


@dataclass(frozen=True)
class Evidence:
    """What the steps have yielded.

    Args:
        prepared: What was planned.
        images: What was trained on.
        probes: Candidate -> image -> whether the linear probe was right.
        stands: How far each candidate came.
        answers: Candidate that was trained to the end -> image -> whether it was right.
    """

    prepared: Prepared
    images: ImageSet
    probes: Mapping[str, Answers]
    stands: Sequence[Reached]
    answers: Mapping[str, Answers]

    @property
    def untouched(self) -> set[str]:
        """Candidates that were trained to the end without becoming more accurate than the probe they started from."""
        probed = self.answers.keys() & self.probes.keys()
        return {name for name in probed if not gained(self.probes[name], self.answers[name])}

    @property
    def verdict(self) -> "Verdict":
        """Who is recommended: each candidate by the better of its start and its end."""
        untouched, prepared = self.untouched, self.prepared
        stood = standings({name: self.probes[name] if name in untouched else own for name, own in self.answers.items()})
        price = {row.name: prepared.price(row.name) for row in stood}
        front = front_of(stood, {name: latency for name, (latency, _) in price.items()})
        return Verdict(stood, recommended(stood, price), front)


def gained(probed: Answers, trained: Answers) -> bool:
    """Whether training made more images right than the probe that it started from; else the probe counts."""
    return sum(trained.values()) > sum(probed.values())


class Verdict(NamedTuple):
    """Args: how the candidates stand, the most accurate first; the recommended one; those on the front."""

    stood: list[Standing]
    name: str
    front: list[str]
