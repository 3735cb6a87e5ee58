"""What a choice has found: every candidate and how it stands, the recommendation and why, and what was not tried."""

import json
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from lit_cnn.choosing.budget import duration
from lit_cnn.choosing.candidates import count_reasons
from lit_cnn.choosing.commented import Stated, recipe_text
from lit_cnn.choosing.explaining import Outcome, always_untried, explain, start_words
from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.limits import WORDS
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.rungs import Reached
from lit_cnn.choosing.ties import RULE, Answers, Standing, front_of, recommended, standings
from lit_cnn.choosing.trainings import Head, Trained, full_epochs, recipe_of
from lit_cnn.choosing.wishes import RECIPE, RESULT, Wishes
from lit_cnn.run_folder.atomic import write_text


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
        trained = {name: sum(own.values()) for name, own in self.answers.items() if name in self.probes}
        return {name for name, right in trained.items() if right <= sum(self.probes[name].values())}

    @property
    def verdict(self) -> "Verdict":
        """Who is recommended: each candidate by the better of its start and its end."""
        untouched, costs = self.untouched, self.prepared.costs
        stood = standings({name: self.probes[name] if name in untouched else own for name, own in self.answers.items()})
        latency = {row.name: costs[row.name]["latency_ms"] for row in stood}
        name = recommended(stood, {each: (latency[each], costs[each]["madds"]) for each in latency})
        return Verdict(stood, name, front_of(stood, latency))


class Verdict(NamedTuple):
    """Args: how the candidates stand, the most accurate first; the recommended one; those on the front."""

    stood: list[Standing]
    name: str
    front: list[str]


@dataclass(frozen=True)
class Row:
    """A candidate that was tried.

    Args:
        name: Of the candidate.
        architecture: Its network.
        image_size: In pixels.
        weights: That it started from.
        costs: params, madds, latency_ms and, where the system reports it, memory_mb.
        probe: Accuracy of the linear probe, from which its trainings start; None without one.
        epochs: That it was trained; 0 where the probe ended it.
        trained: Accuracy after them; None where it was not trained.
        accuracy: That counts: of those that were trained to the end the better of the two.
        standing: Against the best; None where it was not trained to the end.
        on_front: Whether none is as accurate and faster.
        state: In words.
    """

    name: str
    architecture: str
    image_size: int
    weights: str | None
    costs: dict[str, float]
    probe: float | None
    epochs: int
    trained: float | None
    accuracy: float | None
    standing: Standing | None
    on_front: bool
    state: str


@dataclass(frozen=True)
class Chosen:
    """The result.

    Args:
        recommended: Name of the candidate.
        why: A paragraph.
        ties: Names of those that are as good, by the rule.
        front: Names of those that none beats in accuracy and latency, the fastest first.
        rule: How ties are found.
        rows: All that were tried: trained to the end first, the most accurate first.
        rejected: Limit -> how many candidates it rejected before training.
        rejected_candidates: Candidate -> by which figure.
        untried: What -> why it was not tried.
        condition: Under which latency and memory were measured.
        device: The machine's.
        busy: Its load average before the measuring.
        limits: As text.
        images: That the candidates were validated on.
        folds: In so many parts, each of which was trained without.
        budget: Seconds that were allowed.
        planned: Seconds that the plan could take.
        spent: Seconds of measuring, probes, trainings and answers.
        recipe: File of the recommended recipe.
        start: The checkpoint that the recipe starts from, with its accuracy; None from random weights.
        commands: What to do next.
    """

    recommended: str
    why: str
    ties: list[str]
    front: list[str]
    rule: str
    rows: list[Row]
    rejected: dict[str, int]
    rejected_candidates: dict[str, str]
    untried: dict[str, str]
    condition: str
    device: str
    busy: float | None
    limits: str
    images: int
    folds: int
    budget: float
    planned: float
    spent: float
    recipe: str
    start: HeadStart | None
    commands: list[str]

    def row(self, name: str) -> Row:
        """By its candidate's name."""
        return next(row for row in self.rows if row.name == name)


def conclude(folder: Path, wishes: Wishes, evidence: Evidence, spent: float, start: HeadStart | None = None) -> Chosen:
    """The recommendation, with its recipe and ``choice.json`` in the folder.

    Args:
        folder: Of the choice.
        wishes: What was asked for.
        evidence: What was found.
        spent: Seconds of measuring, probes, trainings and answers.
        start: What the recommended recipe starts from; None from random weights.
    """
    prepared = evidence.prepared
    stood, name, front = evidence.verdict
    candidate, recipe = prepared.candidate(name), folder / RECIPE
    chosen = Chosen(
        recommended=name,
        why=explain(candidate, stood, prepared, _outcome(evidence, name)),
        ties=[row.name for row in stood if row.ties],
        front=front,
        rule=RULE,
        rows=_rows(evidence, stood, front),
        rejected=count_reasons({key: WORDS[limit] for key, (limit, _) in prepared.rejected.items()}),
        rejected_candidates={key: sentence for key, (_, sentence) in prepared.rejected.items()},
        untried={**prepared.untried, **always_untried(candidate, wishes)},
        condition=wishes.condition.words(prepared.threads),
        device=prepared.device,
        busy=prepared.busy,
        limits=wishes.limits.words(),
        images=stood[0].images,
        folds=prepared.budget.folds,
        budget=wishes.budget,
        planned=prepared.spent + prepared.budget.seconds,
        spent=spent,
        recipe=str(recipe),
        start=start,
        commands=[f"lit-cnn fit {recipe}", "lit-cnn export RUN --format onnx", "lit-cnn report RUN"],
    )
    keys = full_recipe(evidence, wishes, start)
    write_text(recipe, recipe_text(_header(recipe, evidence.images, chosen), keys))
    write_text(folder / RESULT, json.dumps(asdict(chosen), indent=1) + "\n")
    return chosen


def _outcome(evidence: Evidence, name: str) -> Outcome:
    own, probed = evidence.answers[name], evidence.probes.get(name)
    return Outcome(sum(probed.values()) / len(probed) if probed else None, sum(own.values()) / len(own))


def _rows(evidence: Evidence, stood: Sequence[Standing], front: Sequence[str]) -> list[Row]:
    prepared, by_name = evidence.prepared, {row.name: row for row in stood}
    reached = {each.name: each for each in evidence.stands}
    names = [*by_name, *(each.name for each in evidence.stands if each.name not in by_name)]
    names += [name for name in prepared.budget.probed if name not in names]
    untouched = evidence.untouched
    return [
        _row(prepared, name, evidence.probes.get(name), reached.get(name), by_name.get(name), untouched, name in front)
        for name in names
    ]


def _row(
    prepared: Prepared,
    name: str,
    probed: Answers | None,
    reached: Reached | None,
    standing: Standing | None,
    untouched: Collection[str],
    on_front: bool,
) -> Row:
    candidate = prepared.candidate(name)
    trained = reached.accuracy if reached else None
    return Row(
        name=name,
        architecture=candidate.architecture,
        image_size=candidate.image_size,
        weights=candidate.weights,
        costs={key: value for key, value in prepared.costs[name].items() if key in WORDS},
        probe=sum(probed.values()) / len(probed) if probed else None,
        epochs=reached.epochs if reached else 0,
        trained=trained,
        accuracy=standing.accuracy if standing else trained,
        standing=standing,
        on_front=on_front,
        state=_state(reached, standing, name in untouched),
    )


def _state(reached: Reached | None, standing: Standing | None, untouched: bool) -> str:
    if standing is not None:
        best = standing.behind_low == standing.behind_high == 0
        said = "most accurate" if best else "ties with the best" if standing.ties else "less accurate"
        return f"{said}, by the probe" if untouched else said
    if reached is None:
        return "not trained: behind in the linear probe"
    return f"failed: {reached.error}" if reached.error else f"stopped after {reached.epochs} epochs"


def full_recipe(evidence: Evidence, wishes: Wishes, start: HeadStart | None) -> list[Stated]:
    """How the recommended candidate is trained in full.

    Args:
        evidence: What was found.
        wishes: What was asked for.
        start: What it starts from; None for what the candidate itself names.
    """
    name, budget = evidence.verdict.name, evidence.prepared.budget
    candidate, data = evidence.prepared.candidate(name), Trained.of(evidence.images)
    if start is not None:
        candidate = replace(candidate, weights=start.file)
    epochs = full_epochs(candidate, data, budget.epochs[-1])
    head: Head = "fresh" if start is None else "alone" if name in evidence.untouched else "fitted"
    return recipe_of(candidate, data, epochs, compared=False, head=head, device=wishes.condition.device)


def _header(file: Path, images: ImageSet, chosen: Chosen) -> list[str]:
    start = chosen.start
    return [
        f"The recommendation of lit-cnn choose for {images.path} within the limits: {chosen.limits}.",
        f"  lit-cnn fit {file}",
        *_wrapped(chosen.why),
        *([] if start is None else _wrapped(start_words(start))),
        f"Latency and memory: {chosen.condition} ({chosen.device}).",
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 110)


def spent_words(chosen: Chosen) -> str:
    """How much of the budget was spent."""
    return (
        f"budget {duration(chosen.budget)}, planned {duration(chosen.planned)}, spent {duration(chosen.spent)} of "
        "measuring, probes, trainings and answers"
    )
