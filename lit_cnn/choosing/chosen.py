"""What a choice has found: every candidate and how it stands, the recommendation and why, and what was not tried."""

import json
import shlex
import textwrap
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lit_cnn.choosing.budget import duration
from lit_cnn.choosing.candidates import count_reasons
from lit_cnn.choosing.commented import Stated, recipe_text
from lit_cnn.choosing.evidence import Evidence
from lit_cnn.choosing.explaining import Outcome, always_untried, explain, start_words
from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.judged import judged_words
from lit_cnn.choosing.limits import WORDS
from lit_cnn.choosing.rows import Row, rows_of
from lit_cnn.choosing.ties import RULE
from lit_cnn.choosing.trainings import Head, Trained, full_epochs, recipe_of
from lit_cnn.choosing.wishes import RECIPE, RESULT, Wishes
from lit_cnn.run_folder.atomic import write_text


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
        busy: Its highest load average before a candidate was measured.
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
    judged = judged_words(evidence.images, wishes.folds, prepared.budget.folds, stood[0].low)
    stopped = any(not each.finished and not each.error for each in evidence.stands)
    chosen = Chosen(
        recommended=name,
        why=explain(candidate, stood, prepared, _outcome(evidence, name), judged),
        ties=[row.name for row in stood if row.ties],
        front=front,
        rule=RULE,
        rows=rows_of(evidence, stood, front),
        rejected=count_reasons({key: WORDS[limit] for key, (limit, _) in prepared.rejected.items()}),
        rejected_candidates={key: sentence for key, (_, sentence) in prepared.rejected.items()},
        untried={**prepared.untried, **always_untried(candidate, wishes, stopped)},
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
        commands=[f"lit-cnn fit {shlex.quote(str(recipe))}", "lit-cnn export RUN --format onnx", "lit-cnn report RUN"],
    )
    keys = full_recipe(evidence, wishes, start)
    write_text(recipe, recipe_text(_header(recipe, evidence.images, chosen), keys))
    write_text(folder / RESULT, json.dumps(asdict(chosen), indent=1) + "\n")
    return chosen


def _outcome(evidence: Evidence, name: str) -> Outcome:
    own, probed = evidence.answers[name], evidence.probes.get(name)
    return Outcome(sum(probed.values()) / len(probed) if probed else None, sum(own.values()) / len(own))


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
        f"  lit-cnn fit --config {shlex.quote(str(file))}",
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
