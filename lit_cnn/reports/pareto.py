"""Pareto fronts."""

from collections.abc import Sequence


def pareto_front(costs: Sequence[Sequence[float]]) -> list[int]:
    """The numbers of the rows that no other row beats, in their order; of equal rows, the first.

    A row beats another if it is nowhere larger and somewhere smaller.

    Args:
        costs: Rows of as many figures each, all better the smaller they are; an accuracy is stated by its negative.
    """
    rows = [tuple(row) for row in costs]
    return [
        number
        for number, row in enumerate(rows)
        if row not in rows[:number]
        and not any(all(a <= b for a, b in zip(other, row, strict=True)) and other != row for other in rows)
    ]
