"""A search that is looked at, not run: what it has found, and where its winner comes from."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.search.chooser import SearchChooser
from lit_cnn.search.findings import Found, ancestors, best_first, found_networks
from lit_cnn.search.folder import STATED, Parts, find_parts, refuse_lost_storage
from lit_cnn.search.spaces.space import Candidate
from lit_cnn.search.study import open_search
from lit_cnn.sweeps.engine import Sweep


@dataclass(frozen=True)
class Study:
    """A search in its folder.

    Args:
        folder: Its folder.
        parts: Settings and recipe.
        sweep: On the engine.
        found: Its networks in the order of the search.
        ancestry: From the first ancestor to the winner, as far as the strategy has parents.
    """

    folder: Path
    parts: Parts
    sweep: Sweep
    found: list[Found]
    ancestry: list[Found]


def open_study(folder: Path, storage_url: str | None) -> Study:
    """A search that has begun.

    Raises:
        ValueError: If the folder holds none.
    """
    if not (folder / STATED).is_file():
        raise ValueError(f"{folder} holds no search: pass the folder of one, such as searches/cells_cifar10_small")
    refuse_lost_storage(folder, storage_url)
    parts = find_parts([], folder)
    sweep = open_search(folder, parts, storage_url, _silent)
    found = found_networks(sweep)
    ranked = best_first(found)
    line = ancestors(found, ranked[0], sweep.queue.chooser) if ranked else []
    return Study(folder, parts, sweep, found, line)


def within_limits(study: Study, candidate: Candidate) -> bool:
    """Whether the search might have trained a network."""
    chooser = study.sweep.queue.chooser
    if not study.parts.settings.limits or not isinstance(chooser, SearchChooser):
        return True
    return chooser.exceeds(chooser.costs(candidate)) is None


def _silent(line: str) -> None:
    """Nothing happens in a search that is only looked at."""


def trained_networks(study: Study) -> list[Found]:
    """The networks that have a reward, the best first.

    Raises:
        ValueError: If there is none.
    """
    ranked = best_first(study.found)
    if not ranked:
        raise ValueError(f"the search {study.folder} has trained no network yet: run it first")
    return ranked


def named_network(found: Sequence[Found], name: str) -> Found:
    """The network whose six letters are ``name``, of several trainings the best.

    Raises:
        ValueError: If there is none, naming the nearest.
    """
    for one in found:
        if one.name == name:
            return one
    names = [one.name for one in found]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the best is {names[0]}"
    raise ValueError(f"the search has no network {name!r}; {hint}")
