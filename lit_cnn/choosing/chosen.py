"""What a choice has found: every candidate and how it stands, the recommendation and why, and what was not tried."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lit_cnn.choosing.budget import duration
from lit_cnn.choosing.candidates import Candidate, count_reasons
from lit_cnn.choosing.commented import recipe_text
from lit_cnn.choosing.images import ImageSet
from lit_cnn.choosing.limits import WORDS, written
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.rungs import Reached
from lit_cnn.choosing.ties import RULE, Answers, Standing, front_of, recommended, standings
from lit_cnn.choosing.trainings import Trained, full_epochs, recipe_of
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
        spent: Seconds of measuring and training.
    """

    prepared: Prepared
    images: ImageSet
    probes: Mapping[str, Answers]
    stands: Sequence[Reached]
    answers: Mapping[str, Answers]
    spent: float


@dataclass(frozen=True)
class Row:
    """A candidate that was tried.

    Args:
        name: Of the candidate.
        architecture: Its network.
        image_size: In pixels.
        weights: That it started from.
        costs: params, madds, latency_ms and, where the system reports it, memory_mb.
        probe: Accuracy of the linear probe; None without one.
        epochs: That it was trained; 0 where the probe ended it.
        accuracy: After them; None where it was not trained.
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
        spent: Seconds of measuring and training.
        recipe: File of the recommended recipe.
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
    commands: list[str]

    def row(self, name: str) -> Row:
        """By its candidate's name."""
        return next(row for row in self.rows if row.name == name)


def conclude(folder: Path, wishes: Wishes, evidence: Evidence) -> Chosen:
    """The recommendation, with its recipe and ``choice.json`` in the folder."""
    prepared = evidence.prepared
    stood = standings(evidence.answers)
    latency = {row.name: prepared.costs[row.name]["latency_ms"] for row in stood}
    costs = {name: (latency[name], prepared.costs[name]["madds"]) for name in latency}
    name, front = recommended(stood, costs), front_of(stood, latency)
    candidate, recipe = prepared.candidate(name), folder / RECIPE
    rows = _rows(evidence, stood, front)
    epochs = full_epochs(candidate, Trained.of(evidence.images), prepared.budget.epochs[-1])
    chosen = Chosen(
        recommended=name,
        why=explain(candidate, stood, prepared, evidence),
        ties=[row.name for row in stood if row.ties],
        front=front,
        rule=RULE,
        rows=rows,
        rejected=count_reasons({key: WORDS[limit] for key, (limit, _) in prepared.rejected.items()}),
        rejected_candidates={key: sentence for key, (_, sentence) in prepared.rejected.items()},
        untried={**prepared.untried, **_always_untried(candidate, wishes)},
        condition=wishes.condition.words(prepared.threads),
        device=prepared.device,
        busy=prepared.busy,
        limits=wishes.limits.words(),
        images=stood[0].images,
        folds=prepared.budget.folds,
        budget=wishes.budget,
        planned=prepared.spent + prepared.budget.seconds,
        spent=evidence.spent,
        recipe=str(recipe),
        commands=[f"lit-cnn fit {recipe}", "lit-cnn export RUN --format onnx", "lit-cnn report RUN"],
    )
    _write_recipe(recipe, candidate, evidence.images, epochs, wishes, chosen)
    write_text(folder / RESULT, json.dumps(asdict(chosen), indent=1) + "\n")
    return chosen


def _rows(evidence: Evidence, stood: Sequence[Standing], front: Sequence[str]) -> list[Row]:
    prepared, by_name = evidence.prepared, {row.name: row for row in stood}
    reached = {each.name: each for each in evidence.stands}
    names = [*by_name, *(each.name for each in evidence.stands if each.name not in by_name)]
    names += [name for name in prepared.budget.probed if name not in names]
    return [
        _row(prepared, name, evidence.probes.get(name), reached.get(name), by_name.get(name), name in front)
        for name in names
    ]


def _row(
    prepared: Prepared,
    name: str,
    probed: Answers | None,
    reached: Reached | None,
    standing: Standing | None,
    on_front: bool,
) -> Row:
    candidate = prepared.candidate(name)
    accuracy = standing.accuracy if standing else reached.accuracy if reached else None
    return Row(
        name=name,
        architecture=candidate.architecture,
        image_size=candidate.image_size,
        weights=candidate.weights,
        costs={key: value for key, value in prepared.costs[name].items() if key in WORDS},
        probe=sum(probed.values()) / len(probed) if probed else None,
        epochs=reached.epochs if reached else 0,
        accuracy=accuracy,
        standing=standing,
        on_front=on_front,
        state=_state(reached, standing),
    )


def _state(reached: Reached | None, standing: Standing | None) -> str:
    if standing is not None and standing.behind_low == standing.behind_high == 0:
        return "most accurate"
    if standing is not None:
        return "ties with the best" if standing.ties else "less accurate"
    if reached is None:
        return "not trained: behind in the linear probe"
    return f"failed: {reached.error}" if reached.error else f"stopped after {reached.epochs} epochs"


def explain(candidate: Candidate, stood: Sequence[Standing], prepared: Prepared, evidence: Evidence) -> str:
    """Why a candidate is recommended, as a paragraph."""
    own, best = next(row for row in stood if row.name == candidate.name), stood[0]
    costs, ties = prepared.costs[candidate.name], [row for row in stood if row.ties]
    start = f"from the weights {candidate.weights}" if candidate.weights else "from random weights"
    memory = f", {written('memory_mb', costs['memory_mb'])}" if "memory_mb" in costs else ""
    said = [
        f"{candidate.architecture} at {candidate.image_size} px, {start}, classified {share(own.accuracy)} of "
        f"{own.images:,} images correctly (95 % interval {share(own.low)} to {share(own.high)}), with "
        f"{written('params', costs['params'])} parameters, {written('madds', costs['madds'])} multiply-adds, "
        f"{written('latency_ms', costs['latency_ms'])}{memory}.",
    ]
    if len(stood) == 1:
        said.append("No other candidate was trained to the end.")
    elif own.name == best.name and len(ties) == 1:
        said.append("It is the most accurate, and no other candidate that was trained to the end ties with it.")
    elif own.name == best.name:
        said.append(f"It is the most accurate, and the fastest of the {len(ties)} that tie.")
    else:
        said.append(
            f"{best.name} was more accurate by {points(own.behind)} (95 % interval "
            f"{100 * own.behind_low:.1f} to {100 * own.behind_high:.1f}), which is a tie; of the {len(ties)} that tie "
            "this one is the fastest."
        )
    probed = evidence.probes.get(candidate.name)
    if probed and sum(probed.values()) > own.right:
        said.append(
            f"A linear classifier on its unchanged features was right in {share(sum(probed.values()) / len(probed))}: "
            f"{prepared.budget.epochs[-1]} epochs of training have not caught up with it, so train it longer."
        )
    folds = prepared.budget.folds
    said.append(
        f"Each image was judged by networks that were not trained on it, in {folds} folds."
        if folds > 1
        else "The images are those set aside for validation, in one training of each candidate."
    )
    return " ".join(said)


def _always_untried(candidate: Candidate, wishes: Wishes) -> dict[str, str]:
    """What no choice tries."""
    networks = ", ".join(wishes.networks) if wishes.networks else "a short list"
    return {
        "other networks of the catalog": f"candidates were {networks}: name others with --networks",
        "other learning rates and augmentations": "one recipe for trained weights and one for random ones: lit-cnn "
        "sweep tries values on the winner",
        "longer trainings": f"candidates that were stopped early, such as those slower than {candidate.name} to learn, "
        "might have caught up",
        "int8 and other formats": "latency is of PyTorch: lit-cnn export measures others",
    }


def _write_recipe(
    file: Path, candidate: Candidate, images: ImageSet, epochs: int, wishes: Wishes, chosen: Chosen
) -> None:
    header = [
        f"The recommendation of lit-cnn choose for {images.path} within the limits: {chosen.limits}.",
        f"  lit-cnn fit {file}",
        *_wrapped(chosen.why),
        f"Latency and memory: {chosen.condition} ({chosen.device}).",
    ]
    keys = recipe_of(candidate, Trained.of(images), epochs, compared=False, device=wishes.condition.device)
    write_text(file, recipe_text(header, keys))


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 110)


def share(value: float) -> str:
    """An accuracy in percent."""
    return f"{100 * value:.1f} %"


def points(value: float) -> str:
    """A difference of accuracies in percentage points."""
    return f"{100 * value:.1f} points"


def spent_words(chosen: Chosen) -> str:
    """How much of the budget was spent."""
    return (
        f"budget {duration(chosen.budget)}, planned {duration(chosen.planned)}, spent {duration(chosen.spent)} of "
        "measuring and training"
    )
