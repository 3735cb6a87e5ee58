"""What became of the mutants, as text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from operators import Mutant


@dataclass(frozen=True)
class Result:
    """A mutant and what became of it; ``test`` killed it, or says why none could."""

    identity: str
    room: str
    place: str
    line: str
    kind: str
    original: str
    mutant: str
    verdict: str
    test: str
    seconds: float

    def sentence(self) -> str:
        change = f"{shortened(self.original)} -> {shortened(self.mutant)}"
        return f"{self.verdict:8s} {self.seconds:5.1f} s  {self.place}  {change}  {self.test}"


def identity(file: str, mutant: Mutant) -> str:
    """What tells a mutant from all others of the same sources."""
    return f"{file}:{mutant.line}:{mutant.start}: {mutant.original} -> {mutant.mutant}"


def table(results: Sequence[Result]) -> str:
    """One Markdown row per mutant, the survivors first."""
    rows = ["| room | place | line | change | outcome |", "|---|---|---|---|---|"]
    for result in sorted(results, key=lambda result: (result.verdict != "survived", result.room, result.place)):
        change = f"{code(result.original)} → {code(result.mutant)}"
        outcome = f"{result.verdict}: {result.test}" if result.test else f"**{result.verdict}**"
        rows.append(f"| {result.room} | {result.place} | {code(result.line)} | {change} | {outcome} |")
    return "\n".join(rows)


def totals(results: Sequence[Result]) -> str:
    """Tried, killed and survived for each room, as a Markdown table."""
    tried = Counter(result.room for result in results)
    alive = Counter(result.room for result in results if result.verdict == "survived")
    rows = [f"| {room} | {tried[room]} | {tried[room] - alive[room]} | {alive[room]} |" for room in sorted(tried)]
    last = f"| all | {tried.total()} | {tried.total() - alive.total()} | {alive.total()} |"
    return "\n".join(["| room | mutants | killed | survived |", "|---|---|---|---|", *rows, last])


def code(text: str) -> str:
    """A piece of code in a cell of a Markdown table."""
    return f"`{shortened(text).replace('|', chr(92) + '|')}`"


def shortened(text: str, width: int = 70) -> str:
    """One line of at most ``width`` letters."""
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
