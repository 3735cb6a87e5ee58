"""Spaces of stages: of each stage named options, one decision wherever there are several."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lit_cnn.search.spaces.space import Decision, Point

Options = Mapping[str, Sequence[Any]]
"""What can be chosen in one stage, by its name."""


def stage_decisions(stages: Sequence[Options]) -> tuple[Decision, ...]:
    """Stage by stage; all options of one name are one kind of decision.

    Raises:
        ValueError: If there is no stage, or nothing to choose from in one.
    """
    if not stages:
        raise ValueError("search.space has no stage: state the options of one or more")
    for number, stage in enumerate(stages, start=1):
        if empty := [name for name, options in stage.items() if not options]:
            raise ValueError(f"stage {number} of search.space has no {empty[0]} to choose from: state one or more")
    return tuple(
        Decision(f"stage {number}: {name}", tuple(str(option) for option in options), name)
        for number, stage in enumerate(stages, start=1)
        for name, options in stage.items()
        if len(options) > 1
    )


def stage_values(stages: Iterable[Options], point: Point) -> Iterator[tuple[Any, ...]]:
    """Of each stage what was chosen, in the order of its options."""
    choices = iter(point)
    for stage in stages:
        yield tuple(options[next(choices)] if len(options) > 1 else options[0] for options in stage.values())


def stage_point(stages: Sequence[Options], values: Sequence[Sequence[Any]]) -> Point:
    """The point of what was chosen; the other way around than :func:`stage_values`.

    Raises:
        ValueError: If a value is not an option; it names the stage and the options.
    """
    choices: list[int] = []
    for number, (stage, chosen) in enumerate(zip(stages, values, strict=True), start=1):
        for (name, options), value in zip(stage.items(), chosen, strict=True):
            if value not in options:
                known = ", ".join(str(option) for option in options)
                raise ValueError(f"stage {number} must have a {name} of {known}, got {value}")
            if len(options) > 1:
                choices.append(options.index(value))
    return tuple(choices)


def check_strides(strides: Sequence[int], found: Sequence[int]) -> None:
    """Refuse stages of another number or with other strides.

    Raises:
        ValueError: Naming the stage.
    """
    if len(found) != len(strides):
        raise ValueError(f"a network of this space has {len(strides)} stages, got {len(found)}")
    for number, (stride, other) in enumerate(zip(strides, found, strict=True), start=1):
        if other != stride:
            raise ValueError(f"stage {number} must have stride {stride}, got {other}")
