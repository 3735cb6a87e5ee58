"""What a check has to say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["error", "warning", "fact"]
SHOWN = 10
"""Findings of one sort that are said one by one."""
NAMED = 6
"""Files that one finding names."""


@dataclass(frozen=True)
class Finding:
    """One thing a check has to say.

    Args:
        kind: error (a training stops or its figures are wrong), warning (worth a look), or fact.
        text: One sentence.
    """

    kind: Kind
    text: str


def capped(kind: Kind, texts: Sequence[str], rest: str, complete: bool = False) -> Iterator[Finding]:
    """A finding for each of the first ``SHOWN`` texts, and one that counts the others.

    Args:
        kind: Of all of them.
        texts: Sentences of one sort.
        rest: What the others are, in the plural.
        complete: Say all of them one by one.
    """
    shown = len(texts) if complete else SHOWN
    yield from (Finding(kind, text) for text in texts[:shown])
    if len(texts) > shown:
        yield Finding(kind, f"{len(texts) - shown} more {rest}")
