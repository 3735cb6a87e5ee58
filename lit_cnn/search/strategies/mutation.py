"""One change of a network, as AmoebaNet makes it (arXiv:1802.01548, section 3)."""

from random import Random

from lit_cnn.search.spaces.space import Point, SearchSpace


def mutate(space: SearchSpace, point: Point, draws: Random, redraw: bool = False) -> Point:
    """The point with one decision drawn again: each kind of decisions with the same probability, then each decision of
    that kind.

    Args:
        space: Whose decisions those of the point are.
        point: Stays as it is where no decision has a second option.
        draws: Random numbers.
        redraw: Whether the option may be the old one again; the paper does not say.

    Returns:
        The canonical point.
    """
    kinds: dict[str, list[int]] = {}
    for number, decision in enumerate(space.decisions):
        if len(decision.options) > 1:
            kinds.setdefault(decision.kind, []).append(number)
    if not kinds:
        return point
    number = draws.choice(kinds[draws.choice(list(kinds))])
    count = len(space.decisions[number].options)
    option = draws.randrange(count) if redraw else (point[number] + draws.randrange(1, count)) % count
    return space.canonical((*point[:number], option, *point[number + 1 :]))
