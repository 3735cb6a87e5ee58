"""What every rule promises, and the one that says before the first run that nothing can be decided."""

from dataclasses import dataclass
from typing import Protocol

from lit_cnn.claims.evidence import Evidence
from lit_cnn.claims.verdicts import Finding


class Part(Protocol):
    """One thing that a claim says."""

    @property
    def question(self) -> str:
        """It, as a sentence that may be true."""

    @property
    def primary(self) -> bool:
        """Whether the claim's verdict rests on it."""

    @property
    def family(self) -> str:
        """Comparisons of one family share one error by Holm's method; empty: it has its own."""

    @property
    def rule(self) -> str:
        """By what it is judged, in words."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Whose runs it needs."""

    def refusal(self, seeds: int) -> str:
        """Why it is not decidable with so many seeds, said before the first run; empty where it is."""

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        """What all planned runs say."""


@dataclass(frozen=True)
class Undecidable:
    """A part that this scale cannot decide, said before the first run.

    Args:
        question: The part.
        why: One sentence without a period.
        needed: What would decide it.
    """

    question: str
    why: str
    needed: str = ""
    primary: bool = True
    family: str = ""
    arms: tuple[str, ...] = ()

    rule = "none: said before the first run"

    def refusal(self, seeds: int) -> str:
        return self.why + (f"; {self.needed}" if self.needed else "")

    def judged(self, evidence: Evidence, seeds: int) -> Finding:
        """Never asked, since it is refused before."""
        raise TypeError(f"{self.question} cannot be judged here")
