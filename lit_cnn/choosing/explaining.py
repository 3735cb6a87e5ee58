"""A choice in words: why a candidate is recommended, and what no choice tries."""

from collections.abc import Sequence
from typing import NamedTuple

from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.head_starts import HeadStart
from lit_cnn.choosing.limits import written
from lit_cnn.choosing.preparing import Prepared
from lit_cnn.choosing.ties import Standing
from lit_cnn.choosing.wishes import Wishes


class Outcome(NamedTuple):
    """Args: accuracies of a candidate's probe and after its training; probe None of one without weights."""

    probe: float | None
    trained: float


def explain(candidate: Candidate, stood: Sequence[Standing], prepared: Prepared, outcome: Outcome) -> str:
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
    if outcome.probe is not None:
        said.append(_of_training(outcome.probe, outcome.trained, prepared.budget.epochs[-1]))
    folds = prepared.budget.folds
    said.append(
        f"Each image was judged by networks that were not trained on it, in {folds} folds."
        if folds > 1
        else "The images are those set aside for validation, in one training of each candidate."
    )
    return " ".join(said)


def _of_training(probe: float, trained: float, epochs: int) -> str:
    """What training has added to the probe it started from."""
    began = f"A linear classifier on its unchanged features was right in {share(probe)}, and"
    training = f"{epochs} epochs of training all layers from there"
    if trained > probe:
        return f"{began} {training} made it {share(trained)}."
    return (
        f"{began} {training} ended at {share(trained)}: so the classifier alone counts, and the recipe trains nothing "
        "else."
    )


def start_words(start: HeadStart) -> str:
    """What a recipe starts from."""
    return (
        f"It starts from {start.file}: the weights with a linear classifier that was fitted to the training images' "
        f"features, right in {share(start.accuracy)} of the validation images."
    )


def always_untried(candidate: Candidate, wishes: Wishes) -> dict[str, str]:
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


def share(value: float) -> str:
    """An accuracy in percent."""
    return f"{100 * value:.1f} %"


def points(value: float) -> str:
    """A difference of accuracies in percentage points."""
    return f"{100 * value:.1f} points"
