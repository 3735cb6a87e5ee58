"""Which mutants are tried: a draw by seed in which every room has its share and no file dominates."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from random import Random

from operators import Mutant, mutants, same_code

LEAST = 2
"""Mutants of the smallest room."""
Lines = Mapping[int, Sequence[Mutant]]
"""The mutants of a file by the line they change."""


def room_of(file: str) -> str | None:
    """The folder below ``lit_cnn`` that a file lies in, or its own name where it lies in none; None for ``__init__.py``
    and ``__main__.py`` beside the rooms."""
    folder, name = PurePosixPath(file).parent, PurePosixPath(file).name
    if folder.parts[1:]:
        return "/".join(folder.parts[1:])
    return None if name.startswith("__") else name


def shares(lines: Mapping[str, int], count: int) -> dict[str, int]:
    """``count`` divided among rooms: ``LEAST`` for each where that is possible, the rest by the square root of their
    lines, so that large rooms get more and small ones enough. A room gets no more than it has lines."""
    least = min(LEAST, count // len(lines))
    total = sum(map(math.sqrt, lines.values()))
    exact = {room: least + (count - least * len(lines)) * math.sqrt(lines[room]) / total for room in sorted(lines)}
    given = {room: math.floor(share) for room, share in exact.items()}
    for room in sorted(exact, key=lambda room: given[room] - exact[room])[: count - sum(given.values())]:
        given[room] += 1
    return {room: min(given[room], lines[room]) for room in given}


def draw(files: Mapping[str, Lines], count: int, random: Random) -> list[tuple[str, int]]:
    """``count`` places (file, line): one of each file in turn, in a drawn order, until there are enough."""
    order = random.sample(sorted(files), len(files))
    left = {file: random.sample(sorted(files[file]), len(files[file])) for file in order}
    places: list[tuple[str, int]] = []
    while len(places) < count and any(left.values()):
        places += [(file, left[file].pop()) for file in order if left[file]]
    return places[:count]


def choose(sources: Mapping[str, str], count: int, seed: int, only: str | None = None) -> list[tuple[str, Mutant]]:
    """The (file, mutant) to try.

    Args:
        sources: The text of every file of the package.
        count: How many.
        seed: The same seed chooses the same mutants of the same files.
        only: A room or a file; all ``count`` are then of it.

    Raises:
        ValueError: There is no such room or file.
    """
    rooms: dict[str, dict[str, Lines]] = defaultdict(dict)
    for file, source in sources.items():
        room = room_of(file)
        lines = by_line(mutants(source))
        if room and lines and only in (None, room, file):
            rooms[room][file] = lines
    if not rooms:
        raise ValueError(f"{only} is neither a room nor a file with code that could be changed")
    sizes = Counter({room: sum(map(len, files.values())) for room, files in rooms.items()})
    chosen = []
    for room, share in sorted(shares(sizes, count).items()):
        random = Random(f"{seed}/{room}")
        for file, line in draw(rooms[room], share, random):
            candidates = random.sample(rooms[room][file][line], len(rooms[room][file][line]))
            chosen += [(file, mutant) for mutant in candidates if changes_code(mutant, sources[file])][:1]
    return chosen


def by_line(found: Sequence[Mutant]) -> Lines:
    lines: dict[int, list[Mutant]] = defaultdict(list)
    for mutant in found:
        lines[mutant.line].append(mutant)
    return lines


def changes_code(mutant: Mutant, source: str) -> bool:
    """Whether the mutant compiles to other instructions than the file."""
    return not same_code(compile(source, "file", "exec"), compile(mutant.applied(source), "file", "exec"))
