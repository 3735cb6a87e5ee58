"""A state dict out of what programs save around it: wrappers, optimizer states, figures, averages, prefixes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

WeightsKind = Literal["ema", "raw"]

WRAPPERS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights", "params"),
    *("generator", "student", "backbone"),
)
"""Keys under which programs keep the weights, the surest first."""
OTHER_STATES = ("optim", "sched", "scaler", "amp", "loss", "criterion", "teacher", "callbacks", "loops", "hyper")
"""What keys of other things' states contain."""
AVERAGES = ("ema", "averaged", "average", "avg", "swa")
"""Words of the keys that hold averaged weights."""
FIGURES = ("acc", "loss", "best", "epoch", "step", "averaged")
"""What the names of single numbers contain that training programs save next to parameters."""
PREFIXES = ("module", "model", "net", "network", "_orig_mod", "ema_model", "model_ema", "ema", "backbone", "encoder")
"""First parts of names that wrapping adds."""
DEPTH = 5
"""Levels of dictionaries that are searched."""


@dataclass(frozen=True)
class ForeignWeights:
    """What was found in a file.

    Args:
        state: Names without the wrapping's prefix, and tensors, in the order in which they are stored.
        kind: Whether these are averages or the raw weights; None where the file holds one set that does not say.
        notes: Sentences on what was chosen and what was left out.
    """

    state: dict[str, Tensor]
    kind: WeightsKind | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    keys: tuple[str, ...]
    tensors: dict[str, Tensor]

    @property
    def label(self) -> str:
        return ".".join(self.keys) or "the top"

    @property
    def kind(self) -> WeightsKind:
        words = {word for key in self.keys for word in key.lower().replace("-", "_").split("_")}
        return "ema" if words & set(AVERAGES) else "raw"

    @property
    def rank(self) -> int:
        """Place among WRAPPERS of the surest of its keys."""
        return min((WRAPPERS.index(key) for key in self.keys if key in WRAPPERS), default=len(WRAPPERS))


def unwrap(content: Any, name: object, weights: WeightsKind | None = None) -> ForeignWeights:
    """The network's tensors in a loaded file.

    Args:
        content: What was loaded.
        name: The file, for messages.
        weights: Which to take where a file holds averaged and raw ones; averaged ones by default, which is noted.

    Raises:
        ValueError: If there is no state dict, or several that are not an average and its raw weights, or none of the
            wanted kind.
    """
    found = list(_candidates(content, ()))
    if not found:
        keys = f"; its keys are {', '.join(map(str, list(content)[:8]))}" if isinstance(content, Mapping) else ""
        raise ValueError(f"{name} holds no dictionary of a network's tensors{keys}: save the network's state_dict")
    by_kind = {kind: [each for each in found if each.kind == kind] for kind in ("ema", "raw")}
    both = bool(by_kind["ema"] and by_kind["raw"])
    wanted: WeightsKind = weights or ("ema" if by_kind["ema"] else "raw")
    if weights is not None and not by_kind[weights]:
        raise ValueError(f"{name} holds no {weights} weights, only {', '.join(each.label for each in found)}")
    chosen = _surest(by_kind[wanted], name)
    notes = []
    if both:
        other = "raw" if wanted == "ema" else "ema"
        notes.append(
            f"{name} holds averaged and raw weights: {chosen.label} is taken; --weights {other} takes the others"
        )
    state, left_out = without_prefix(chosen.tensors)
    if left_out:
        notes.append(f"left out of {name}: {', '.join(left_out[:4])}{', …' if len(left_out) > 4 else ''}")
    return ForeignWeights(state, wanted if both or wanted == "ema" else None, tuple(notes))


def _surest(found: list[_Candidate], name: object) -> _Candidate:
    best = min(each.rank for each in found)
    first = [each for each in found if each.rank == best]
    if len(first) > 1:
        shallow = min(len(each.keys) for each in first)
        first = [each for each in first if len(each.keys) == shallow]
    if len(first) > 1:
        raise ValueError(
            f"{name} holds several sets of weights ({', '.join(each.label for each in first)}): save the one you mean "
            "alone"
        )
    return first[0]


def _candidates(content: Any, keys: tuple[str, ...]) -> Iterator[_Candidate]:
    """Every dictionary with a tensor of two axes or more, which figures such as the best accuracy do not have."""
    if not isinstance(content, Mapping) or len(keys) > DEPTH:
        return
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if any(value.ndim >= 2 for value in tensors.values()):
        yield from _split(keys, tensors)
    for key, value in content.items():
        if isinstance(key, str) and not any(word in key.lower() for word in OTHER_STATES):
            yield from _candidates(value, (*keys, key))


def _split(keys: tuple[str, ...], tensors: dict[str, Tensor]) -> Iterator[_Candidate]:
    """One candidate, or two where the average's tensors lie among the raw ones under a prefix of their own."""
    averaged = {name for name in tensors if _Candidate((name.partition(".")[0],), {}).kind == "ema" and "." in name}
    for prefix, chosen in (("", set(tensors) - averaged), ("ema", averaged)):
        part = {name: value for name, value in tensors.items() if name in chosen}
        if any(value.ndim >= 2 for value in part.values()):
            yield _Candidate((*keys, prefix) if prefix else keys, part)


def without_prefix(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors without the prefixes of PREFIXES that all weights share, and the names of those that lack them."""
    kept, left_out = dict(state), []
    while True:
        weights = [name for name, value in kept.items() if value.ndim >= 2]
        first = {name.partition(".")[0] for name in weights}
        if len(first) != 1 or next(iter(first)) not in PREFIXES or not all("." in name for name in weights):
            break
        prefix = f"{next(iter(first))}."
        left_out += [name for name in kept if not name.startswith(prefix)]
        kept = {name.removeprefix(prefix): value for name, value in kept.items() if name.startswith(prefix)}
    scalars = [name for name, value in kept.items() if value.ndim == 0 and any(word in name for word in FIGURES)]
    return {name: value for name, value in kept.items() if name not in scalars}, left_out + scalars
