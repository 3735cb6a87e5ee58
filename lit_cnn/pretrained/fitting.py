"""The networks of the catalog's options that a file of weights fits: where several do, something has to decide."""

import copy
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lit_cnn.architectures.catalog import check_options, create_model, find_entry
from lit_cnn.architectures.entry import Entry
from lit_cnn.architectures.free_choices import FREE_CHOICES, free_choices
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.network import Network
from lit_cnn.pretrained.equality import difference, evaluate, tolerance
from lit_cnn.pretrained.order import COUNTER, execution_order, units_of_state
from lit_cnn.pretrained.pairing import first_disagreement
from lit_cnn.pretrained.proving import Proof, noise
from lit_cnn.pretrained.references import REFERENCES, Reference
from lit_cnn.pretrained.sources import build_other
from lit_cnn.pretrained.transfer import copy_pairs, load_by_name, pairings, transfer_weights

SIDE = 64
"""Height and width in px at which the order of the modules is read."""
FREE = {choice.option for choice in FREE_CHOICES}
"""Names of the free choices."""
WHOLE_MAP = ("vgg", "alexnet", "zfnet")
"""Beginnings of the names of networks whose head reads a map of one size."""
NO_CHOICES = {
    "num_classes": "the weights have a number of classes",
    "in_channels": "weights are imported for images of 3 channels",
}
"""Options of networks that are not stated for weights -> why."""
MOST_PAIRINGS = 3
"""Pairings of one choice of options that are tried."""


@dataclass(frozen=True)
class Fit:
    """A network that takes every tensor of a file.

    Args:
        options: Of the catalog's network; what is left out is its default.
        network: With the weights, in evaluation mode.
        method: How the tensors were paired.
        pairs: How many.
    """

    options: Mapping[str, Any]
    network: Network = field(compare=False)
    method: str
    pairs: int

    @property
    def label(self) -> str:
        """The choices in words."""
        chosen = ", ".join(f"{name}={value}" for name, value in self.options.items()) or "the default options"
        return chosen if self.method in ("names", "order") else f"{chosen}, paired by {self.method}"


def fits(state: Mapping[str, Tensor], architecture: str, options: Mapping[str, Any]) -> list[Fit]:
    """All networks that take the tensors and compute different things, that of the catalog's defaults first.

    Args:
        state: As ``read_foreign`` gives it.
        architecture: Our name.
        options: What the user has chosen; the other free choices are tried.

    Raises:
        ValueError: If none does; it names the first layer that has no partner. If an option is none of the network's,
            or nothing that a user chooses.
    """
    entry = _entry(architecture, options)
    example = _example(entry)
    for classes in numbers_of_classes(state, entry):
        found: list[Fit] = []
        for chosen in _choices(entry, options):
            network = create_model(architecture, num_classes=classes, **chosen)
            for proposal in itertools.islice(pairings(state, network, example), MOST_PAIRINGS):
                filled = copy.deepcopy(network)
                copy_pairs(state, filled, proposal.pairs)
                found.append(Fit(chosen, filled.eval(), proposal.method, len(proposal.pairs)))
        if found:
            return _distinct(found, example)
    network = create_model(architecture, **options)
    reason = first_disagreement(units_of_state(dict(state)), execution_order(network, example))
    raise ValueError(f"the weights do not fit {architecture} with any of its free choices: {reason}")


def fits_of_libraries(
    state: Mapping[str, Tensor], architecture: str, options: Mapping[str, Any]
) -> list[tuple[Fit, Proof]]:
    """Ours with the options of each network of timm or torchvision that has the file's names, proven by its logits.

    Raises:
        ValueError: If a network has the names but ours computes something else; it names the first layer that differs.
            If an option is none of the network's, or nothing that a user chooses.
    """
    entry = _entry(architecture, options)
    defaults = entry.option_defaults()
    found: list[tuple[Fit, Proof]] = []
    for classes in numbers_of_classes(state, entry):
        for reference in REFERENCES:
            theirs_chosen = {**defaults, **reference.options}
            agreed = all(theirs_chosen[name] == value for name, value in options.items() if name in FREE)
            if reference.name == architecture and reference.published and agreed:
                theirs = _named_network(state, reference, classes)
                if theirs is not None:
                    found.append(_proven(theirs, reference, {**options, **reference.options}, classes))
        if found:
            break
    kept = _distinct([fit for fit, _ in found], _example(entry)) if found else []
    return [(fit, proof) for fit, proof in found if any(fit is each for each in kept)]


def _entry(architecture: str, options: Mapping[str, Any]) -> Entry:
    """The network of the catalog, whose options these have to be."""
    entry = find_entry(architecture)
    check_options(entry, options)
    for option, reason in NO_CHOICES.items():
        if option in options:
            raise ValueError(f"--option {option} is not a choice, since {reason}: leave it out")
    return entry


def _named_network(state: Mapping[str, Tensor], reference: Reference, classes: int) -> Any:
    """The library's network with the file's weights; None where its names or shapes are others."""
    stated = {**reference.other_options, "num_classes": classes}
    with on_meta():
        shapes = {
            name: value.shape
            for name, value in build_other(reference.library, reference.other, stated).state_dict().items()
        }
    if any(state[name].shape != shape for name, shape in shapes.items() if name in state):
        return None
    if {name for name in shapes if not name.endswith(COUNTER)} != {
        name for name in state if not name.endswith(COUNTER)
    }:
        return None
    theirs = build_other(reference.library, reference.other, stated)
    load_by_name(state, theirs)
    return theirs.eval()


def _proven(theirs: Any, reference: Reference, options: dict[str, Any], classes: int) -> tuple[Fit, Proof]:
    defaults = find_entry(reference.name).option_defaults()
    options = {name: value for name, value in options.items() if value != defaults[name]}
    ours = create_model(reference.name, num_classes=classes, **options)
    report = transfer_weights(theirs, ours, noise(reference))
    sentence = (
        f"proven: the names are those of {reference.library}'s {reference.other}, whose logits with these weights are "
        f"ours (relative difference {report.relative:.1e})"
    )
    fit = Fit(options, ours.eval(), report.method, report.pairs)
    return fit, Proof("proven", sentence, report.relative, report.method)


def decide_by_logits(found: list[Fit], images: Tensor, logits: Tensor) -> tuple[Fit, Proof]:
    """The network that gives recorded logits (N, K) for images (N, C, H, W) in its input's units.

    Raises:
        ValueError: If none does; it names the nearest and its difference.
    """
    differences = [difference(logits, evaluate(fit.network, images))[1] for fit in found]
    least = min(differences)
    best = found[differences.index(least)]
    if least > tolerance(torch.float32):
        raise ValueError(
            f"the weights fit, but none of the {len(found)} ways in which they do gives the recorded logits; the "
            f"nearest, {best.label}, differs by {least:.1e} of their scale"
        )
    return best, Proof("proven", f"proven: the recorded logits, with {best.label}", least, best.method)


def _choices(entry: Entry, options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of what is left open; what equals a default is left out of it."""
    defaults = entry.option_defaults()
    open_ones = [choice for choice in free_choices(entry) if choice.option not in options]
    for values in itertools.product(*(choice.values for choice in open_ones)):
        tried = {choice.option: value for choice, value in zip(open_ones, values, strict=True)}
        yield {name: value for name, value in {**options, **tried}.items() if value != defaults[name]}


def numbers_of_classes(state: Mapping[str, Tensor], entry: Entry) -> list[int]:
    """What a classifier among the tensors may have as rows: the published number, else those of the last matrices and
    then of the last 1x1 convolutions."""
    flat = [value for value in reversed(list(state.values())) if value.ndim >= 2 and value[0].numel() == value.shape[1]]
    rows = [len(value) for value in sorted(flat, key=lambda value: value.ndim)]
    return [entry.num_classes] if entry.num_classes in rows else list(dict.fromkeys(rows))[:MOST_PAIRINGS]


def _example(entry: Entry) -> Tensor:
    """Images on which the order of the modules is read and networks are told apart, the last with values far from 0."""
    side = entry.image_size if entry.name.startswith(WHOLE_MAP) else min(SIDE, entry.image_size)
    noise = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(0))
    noise[2] *= 4
    return noise


def _distinct(found: list[Fit], example: Tensor) -> list[Fit]:
    """Without those that give the logits of an earlier one."""
    kept: list[tuple[Fit, Tensor]] = []
    for fit in found:
        logits = evaluate(fit.network, example)
        if all(difference(known, logits)[1] > tolerance(logits.dtype) for _, known in kept):
            kept.append((fit, logits))
    return [fit for fit, _ in kept]
