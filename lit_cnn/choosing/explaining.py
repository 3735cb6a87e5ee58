"""A choice in words: why a candidate is recommended, and what no choice tries."""

from collections.abc import Mapping, Sequence
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


def explain(candidate: Candidate, stood: Sequence[Standing], prepared: Prepared, outcome: Outcome, judged: str) -> str:
    """Why a candidate is recommended, as a paragraph, which ends with ``judged``: sentences on the images."""
    own = next(row for row in stood if row.name == candidate.name)
    costs = prepared.costs[candidate.name]
    start = f"from the weights {candidate.weights}" if candidate.weights else "from random weights"
    memory = f", {written('memory_mb', costs['memory_mb'])}" if "memory_mb" in costs else ""
    said = [
        f"{candidate.architecture} at {candidate.image_size} px, {start}, classified {share(own.accuracy)} of "
        f"{own.images:,} images correctly (95 % interval {share(own.low)} to {share(own.high)}), with "
        f"{written('params', costs['params'])} parameters, {written('madds', costs['madds'])} multiply-adds, "
        f"{written('latency_ms', costs['latency_ms'])}{memory}.",
    ]
    said.append(_of_ties(own, stood, prepared))
    if outcome.probe is not None:
        said.append(_of_training(outcome.probe, outcome.trained, prepared.budget.epochs[-1]))
    return " ".join([*said, judged])


def _of_ties(own: Standing, stood: Sequence[Standing], prepared: Prepared) -> str:
    """Why the recommended candidate is preferred to those that were trained to the end as well."""
    best, ties = stood[0], [row for row in stood if row.ties]
    if len(stood) == 1:
        return "No other candidate was trained to the end."
    if len(ties) == 1:
        return "It is the most accurate, and no other candidate that was trained to the end ties with it."
    fastest = min(prepared.price(row.name)[0] for row in ties)
    is_fastest = prepared.price(own.name)[0] == fastest
    reason = "the fastest" if is_fastest else "the most accurate within 5 % of the lowest latency"
    if own.name == best.name:
        fast = "the fastest" if is_fastest else "within 5 % of the lowest latency"
        return f"It is the most accurate, and {fast} of the {len(ties)} that tie."
    if own.right == best.right:
        return f"{best.name} was as accurate; of the {len(ties)} that tie this one is {reason}."
    return (
        f"{best.name} was more accurate by {points(own.behind)} (95 % interval {100 * own.behind_low:.1f} to "
        f"{100 * own.behind_high:.1f}), which is a tie (p = {own.p:.2g}); of the {len(ties)} that tie this one is "
        f"{reason}."
    )


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


def always_untried(candidate: Candidate, wishes: Wishes, stopped: bool) -> dict[str, str]:
    """What no choice tries.

    Args:
        candidate: That is recommended.
        wishes: What was asked for.
        stopped: Whether a candidate was stopped before the end.
    """
    networks = ", ".join(wishes.networks) if wishes.networks else "a short list"
    return {
        "other networks of the catalog": f"candidates were {networks}: name others with --networks",
        "other learning rates and augmentations": "one recipe for trained weights and one for random ones: lit-cnn "
        "sweep tries values on the winner",
        "longer trainings": f"candidates that were stopped early, such as those slower than {candidate.name} to learn, "
        "might have caught up"
        if stopped
        else f"all had equally many epochs: with more, one that is slower to learn than {candidate.name} may be ahead",
        "int8 and other formats": "latency is of PyTorch: lit-cnn export measures others",
    }


def by_reason(untried: Mapping[str, str]) -> dict[str, str]:
    """Why -> all that was not tried for it, in one text, since many candidates share a reason.

    >>> by_reason({"a-224": "no time", "others": "a short list", "b-224": "no time"})
    {'no time': 'a-224, b-224', 'a short list': 'others'}
    """
    found: dict[str, list[str]] = {}
    for what, why in untried.items():
        found.setdefault(why, []).append(what)
    return {why: ", ".join(names) for why, names in found.items()}


def share(value: float) -> str:
    """An accuracy in percent."""
    return f"{100 * value:.1f} %"


def points(value: float) -> str:
    """A difference of accuracies in percentage points."""
    return f"{100 * value:.1f} points"
