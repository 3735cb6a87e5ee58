"""Networks of a search space from whose operations a table of latencies predicts all others."""

import random
from collections import Counter
from collections.abc import Iterator
from functools import partial

from lit_cnn.architectures import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.operations import Operation, operations_of
from lit_cnn.profiling.table_timing import TimedNetwork
from lit_cnn.search.spaces.space import Point, SearchSpace


def networks_of_space(
    space: SearchSpace,
    image_size: int,
    num_classes: int,
    in_channels: int = 3,
    *,
    occurrences: int = 3,
    patience: int = 100,
) -> list[TimedNetwork]:
    """Networks that together have the operations of a space, for :func:`lit_cnn.profiling.table_timing.time_networks`.

    Points that have every option of every decision are looked at, and then drawn ones until ``patience`` in a row bring
    no new operation. The draws are the same each time. Where an operation depends on several decisions, as in the space
    of cells, whose widths follow from the number of states that no block reads, the space may have rarer ones.

    Args:
        space: The space.
        image_size: Of the images.
        num_classes: Outputs of the networks.
        in_channels: Channels of the images.
        occurrences: A network is taken if it has an operation that fewer of those taken before have.
        patience: See above.
    """
    certain, idle = sum(len(decision.options) for decision in space.decisions), 0
    found: Counter[Operation] = Counter()
    networks = []
    for number, point in enumerate(_points(space)):
        candidate = space.candidate(point)
        build = partial(
            create_model, candidate.architecture, num_classes=num_classes, in_channels=in_channels, **candidate.options
        )
        with on_meta():
            operations = operations_of(build(), image_size, in_channels)
        fewest = min(found[operation] for operation in operations)
        if fewest < occurrences:
            networks.append(TimedNetwork(space.encode(point), build, image_size, in_channels=in_channels))
            found.update(operations.keys())
        idle = 0 if fewest == 0 or number < certain else idle + 1
        if idle == patience:
            break
    return networks


def _points(space: SearchSpace) -> Iterator[Point]:
    """One point with each option of each decision, then others without end."""
    draws = random.Random(0)
    for number, decision in enumerate(space.decisions):
        for option in range(len(decision.options)):
            point = _uneven_point(space, draws)
            yield (*point[:number], option, *point[number + 1 :])
    while True:
        yield _uneven_point(space, draws)


def _uneven_point(space: SearchSpace, draws: random.Random) -> Point:
    """Prefers the first or the last options by a share of its own, so that chains and fans of blocks occur, too."""
    share, last = draws.random() ** 2, draws.random() < 0.5
    point = []
    for decision in space.decisions:
        end = len(decision.options) - 1 if last else 0
        point.append(end if draws.random() < share else draws.randrange(len(decision.options)))
    return tuple(point)
