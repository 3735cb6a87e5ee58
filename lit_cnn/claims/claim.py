"""A claim as an experiment: what is asked, what papers report, which runs decide, and by which rule."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from lit_cnn.claims.rules.measured import Exact, Means, Measured
from lit_cnn.claims.rules.part import Part, Undecidable
from lit_cnn.data.sources.load import SourceName

NO_DESIGN = "this scale has no design for it"
Scale = Literal["digits", "cpu", "gpu"]
Setting = int | float | str | bool | None | Sequence[int] | Sequence[float]
Settings = Mapping[str, Setting]
"""Recipe key -> value."""
Count = Callable[[], Mapping[str, float]]
"""Counts or measures figures without the claim's own trainings."""
RunCount = Callable[[Mapping[str, Sequence[Path]]], Mapping[str, float]]
"""Measures figures on run folders: arm -> the folder of each seed."""

StoredRuns = Callable[[], Mapping[str, Mapping[int, Mapping[str, float]]]]
"""Reads the figures of runs that were made before: arm -> seed -> figures."""


@dataclass(frozen=True)
class Published:
    """What a paper reports.

    Args:
        what: On which network and data, by which metric.
        figures: The numbers with their names.
        source: Paper and place, or another source.
        verified: Whether the numbers were found in a text that could be read; others are shown as unverified.
    """

    what: str
    figures: str
    source: str
    verified: bool = True


@dataclass(frozen=True)
class Arm:
    """One of the things that are compared.

    Args:
        name: One word, by which rules name it.
        settings: Recipe keys in which it differs from the others.
        grid: Its own grid, where the one of the design has no meaning for it; as many points.
    """

    name: str
    settings: Settings = field(default_factory=dict)
    grid: tuple[Settings, ...] = ()


@dataclass(frozen=True)
class Images:
    """Which images are trained on, and which judge.

    Args:
        source: cifar10 or digits.
        train: How many are trained on, the same for every arm and seed.
        evaluated_on: ``held_out``: images that no arm has seen, nor the choice from the grid; ``training``: the
            training images without augmentation, where a claim is about optimization.
    """

    source: SourceName
    train: int
    evaluated_on: Literal["held_out", "training"] = "held_out"


@dataclass(frozen=True)
class Bench:
    """What all arms share.

    Args:
        recipe: Name of a recipe.
        settings: Recipe keys on top of it.
        images: The data.
    """

    recipe: str
    settings: Settings
    images: Images


@dataclass(frozen=True)
class Design:
    """How a claim is examined at one scale, fixed before the first run.

    Args:
        parts: What the claim says, each with its rule.
        fixed: One sentence on what all arms share.
        bench: The same as a recipe; None where nothing is trained.
        arms: What is compared.
        grid: Recipe keys and values of which every arm gets its best, by the loss on other images than those that
            judge, with a seed of its own; empty: no choice.
        seeds: Every arm is trained with the seeds 0 to ``seeds`` - 1; no verdict before.
        minimum_steps: No run is shorter.
        core_minutes: Of one core of an AMD EPYC with AVX-512, or of the GPU, estimated from a step of each network.
        count: Counts figures without trainings.
        uses: The claim whose runs ``count_on_runs`` reads; empty: this one.
        count_on_runs: Measures figures on these runs.
        stored: File with results that were measured before the rule was written down; empty where there is none.
        stored_runs: Reads figures of such runs: arm -> seed -> figures.
        device: Where ``count`` measures; trainings have theirs in the bench.
    """

    parts: tuple[Part, ...]
    fixed: str = ""
    bench: Bench | None = None
    arms: tuple[Arm, ...] = ()
    grid: tuple[Settings, ...] = ()
    seeds: int = 5
    minimum_steps: int = 0
    core_minutes: float = 0.0
    count: Count | None = None
    uses: str = ""
    count_on_runs: RunCount | None = None
    stored: str = ""
    stored_runs: StoredRuns | None = None
    device: Literal["cpu", "gpu"] = "cpu"

    def is_timed(self) -> bool:
        """Whether a clock decides, so that a repetition would be another look."""
        return any(isinstance(part, Measured) and part.over == "rounds" for part in self.parts)

    def decidable(self) -> list[Part]:
        """The parts that are judged."""
        return [part for part in self.parts if not part.refusal(self.seeds)]

    def trained_arms(self) -> list[Arm]:
        """The arms that decidable parts need."""
        needed = {arm for part in self.decidable() for arm in part.arms}
        return [arm for arm in self.arms if arm.name in needed]

    def grid_of(self, arm: Arm) -> tuple[Settings, ...]:
        """The points of which an arm gets its best."""
        return arm.grid or self.grid

    def training_digest(self) -> str:
        """Changes with whatever the trainings depend on."""
        return _digest({"bench": self.bench, "arms": self.arms, "grid": self.grid})

    def digest(self) -> str:
        """Changes with margins, rules, seeds and trainings, and with the names of the functions that count; not with
        words on them, nor with the claim whose runs are used."""
        judged = {"parts": self.parts, "seeds": self.seeds, "minimum_steps": self.minimum_steps}
        return _digest(judged | {"count": self.count, "uses": self.uses, "trainings": self.training_digest()})


@dataclass(frozen=True)
class Claim:
    """A claim of the literature.

    Args:
        name: One word, which the command takes.
        title: A few words.
        question: What would be true, as a sentence.
        slide: Where a lecture on the papers makes it.
        published: What papers report.
        designs: How it is examined, by scale.
        full_scale: The command that trains what the papers did.
        notes: Sentences that a reader of the verdict needs.
    """

    name: str
    title: str
    question: str
    slide: str
    published: tuple[Published, ...]
    designs: Mapping[Scale, Design]
    full_scale: str = ""
    notes: tuple[str, ...] = ()

    def design(self, scale: Scale) -> Design | None:
        """The design of a scale; where it has none, the arithmetic of another, which no scale changes, with what it
        leaves open."""
        if scale in self.designs:
            return self.designs[scale]
        for design in self.designs.values():
            counts = any(isinstance(part, Exact | Means) for part in design.parts)
            if counts and design.count is not None and not any(isinstance(part, Measured) for part in design.parts):
                parts = tuple(_arithmetic(part) for part in design.parts)
                return Design(parts, design.fixed, count=design.count, stored=design.stored)
        return None


def _arithmetic(part: Part) -> Part:
    """A part as a scale without a design of its own judges it."""
    if isinstance(part, Exact | Means | Undecidable):
        return part
    return Undecidable(part.question, NO_DESIGN, primary=part.primary)


def described(value: Any) -> Any:
    """A design in built-in types: functions and classes by their names."""
    if is_dataclass(value) and not isinstance(value, type):
        own = {each.name: described(getattr(value, each.name)) for each in fields(value)}
        return {"kind": type(value).__name__, **own}
    if isinstance(value, Mapping):
        return {str(key): described(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [described(each) for each in value]
    return value.__qualname__ if callable(value) else value


def _digest(value: Any) -> str:
    text = json.dumps(described(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
