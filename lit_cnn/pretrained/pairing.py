"""Pair the tensors of two networks with other names: a few deterministic proposals, from strict to free."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from lit_cnn.pretrained.order import Slot, Token, Unit

WINDOW = 32
"""How many groups (a convolution with what follows it) ahead a partner may stand."""

SlotPair = tuple[Slot, Slot]
"""Tensor of the source, tensor of the target."""


class Proposal(NamedTuple):
    """A complete pairing and how it was found."""

    method: str
    pairs: list[SlotPair]


def propose(source: Sequence[Unit], target: Sequence[Unit]) -> Iterator[Proposal]:
    """Every way in which all tensors of both sides have a partner: by the order alone, by the flow of data, by shape
    within a window of the order. The caller decides by the output."""
    methods: tuple[tuple[str, Callable[..., list[SlotPair] | None]], ...] = (
        ("order", by_order),
        ("data flow", by_data_flow),
        ("shape within a window", by_window),
    )
    seen: list[set[tuple[str, str]]] = []
    for method, match in methods:
        pairs = match(source, target)
        if pairs is None:
            continue
        names = {(left.name, right.name) for left, right in pairs}
        if names not in seen:
            seen.append(names)
            yield Proposal(method, pairs)


def by_order(source: Sequence[Unit], target: Sequence[Unit]) -> list[SlotPair] | None:
    """Tensor by tensor; where one module ends does not matter, so that a fused module fits two plain ones."""
    left, right = ([slot for unit in units for slot in unit.slots] for units in (source, target))
    if len(left) != len(right) or not all(fits(a, b) for a, b in zip(left, right, strict=True)):
        return None
    return list(zip(left, right, strict=True))


def fits(source: Slot, target: Slot) -> bool:
    """Same role, and the same shape except for axes of one entry, or a convolution over a whole map against the linear
    layer on the flattened map."""
    if source.token == target.token:
        return True
    (_, a), (_, b) = source.token, target.token
    flattened = min(len(a), len(b)) == 2 and max(len(a), len(b)) == 4 and a[0] == b[0]
    return source.role == target.role and flattened and _product(a) == _product(b)


def _product(sizes: tuple[int, ...]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def tokens(slots: Sequence[Slot]) -> tuple[Token, ...]:
    """What a set of tensors is recognized by, whatever their order."""
    return tuple(sorted(slot.token for slot in slots))


def by_data_flow(source: Sequence[Unit], target: Sequence[Unit]) -> list[SlotPair] | None:
    """Units with the same tensors, the same ancestors and the same descendants; equal ones in the order they run."""
    numbers: dict[tuple, int] = {}
    places = [_places(units, numbers) for units in (source, target)]
    waiting: dict[tuple[int, int], list[Unit]] = {}
    for unit, place in zip(source, places[0], strict=True):
        waiting.setdefault(place, []).append(unit)
    pairs: list[SlotPair] = []
    for unit, place in zip(target, places[1], strict=True):
        if not waiting.get(place):
            return None
        pairs += pair_slots(waiting[place].pop(0).slots, unit.slots)
    return None if any(waiting.values()) else pairs


def _places(units: Sequence[Unit], numbers: dict[tuple, int]) -> list[tuple[int, int]]:
    """For each unit a number for all that leads to it and one for all that it leads to; ``numbers`` is shared."""
    children: dict[str, list[str]] = {}
    for unit in units:
        for parent in unit.parents:
            children.setdefault(parent, []).append(unit.name)

    def walk(order: Sequence[Unit], neighbors: Callable[[Unit], Sequence[str]], side: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for unit in order:
            near = sorted(found.get(name, -1) for name in neighbors(unit))
            key = (side, tokens(unit.slots), tuple(near))
            found[unit.name] = numbers.setdefault(key, len(numbers))
        return found

    before = walk(units, lambda unit: sorted(unit.parents), "before")
    after = walk(list(reversed(units)), lambda unit: children.get(unit.name, []), "after")
    return [(before[unit.name], after[unit.name]) for unit in units]


def by_window(source: Sequence[Unit], target: Sequence[Unit]) -> list[SlotPair] | None:
    """Each group of the target with the first unused group of the source, at most WINDOW ahead, of the same tensors."""
    waiting = groups(source)
    pairs: list[SlotPair] = []
    for wanted in groups(target):
        near = (number for number, group in enumerate(waiting[:WINDOW]) if tokens(group) == tokens(wanted))
        number = next(near, None)
        if number is None:
            return None
        pairs += pair_slots(waiting.pop(number), wanted)
    return None if waiting else pairs


def groups(units: Sequence[Unit]) -> list[tuple[Slot, ...]]:
    """Join what has one axis only (norms, gains) with the convolution before it, so that they move together."""
    joined: list[tuple[Slot, ...]] = []
    for unit in units:
        if joined and all(len(slot.token[1]) < 2 for slot in unit.slots):
            joined[-1] += unit.slots
        else:
            joined.append(unit.slots)
    return joined


def pair_slots(source: Sequence[Slot], target: Sequence[Slot]) -> list[SlotPair]:
    """The tensors of two units with equal tokens; equal ones in their order."""
    waiting = list(source)
    pairs = []
    for slot in target:
        partner = next(other for other in waiting if other.token == slot.token)
        waiting.remove(partner)
        pairs.append((partner, slot))
    return pairs


def first_disagreement(source: Sequence[Unit], target: Sequence[Unit]) -> str | None:
    """The first unit on each side that has no partner at the same place of the order; None if all have."""
    left = [(unit, slot) for unit in source for slot in unit.slots]
    right = [(unit, slot) for unit in target for slot in unit.slots]
    for (ours, a), (theirs, b) in zip(left, right, strict=False):
        if not fits(a, b):
            return f"the source has {ours} where the target has {theirs}"
    if len(left) > len(right):
        return f"the source has {left[len(right)][0]} where the target has no module left"
    if len(left) < len(right):
        return f"the source has no module left where the target has {right[len(left)][0]}"
    return None
