"""A search that is looked at, not run: what it has found, where its winner comes from, and its pictures."""

import difflib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.evaluation.paired import t_interval
from lit_cnn.reports.accuracy_cost import Point, draw_accuracy_cost
from lit_cnn.reports.search_curves import SearchCurve, draw_search_curves
from lit_cnn.search.findings import Found, ancestors, best_first, best_so_far, found_networks, front
from lit_cnn.search.folder import STATED, Parts, find_parts, refuse_lost_storage
from lit_cnn.search.spaces.drawing import draw_candidate
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


def _silent(line: str) -> None:
    """Nothing happens in a search that is only looked at."""


def draw_studies(studies: Sequence[Study], curves: str, front_name: str, network: str) -> list[Path]:
    """Draw the curves of all searches together, and of the first its front and its best network.

    Args:
        studies: At least one with a result.
        curves: File name of the curves.
        front_name: File name of the front.
        network: File name of the best network.
    """
    first = studies[0]
    settings, place = first.parts.settings, first.folder
    title = ", ".join(study.folder.name for study in studies)
    made = [
        draw_search_curves(
            {settings.metric: curves_by_strategy(studies)},
            place / curves,
            title=f"Best network so far: {title}",
            metric=settings.metric,
            band="95 % t intervals over searches" if len(studies) > 1 else "",
        )
    ]
    shown = {one.network: one for one in [*front(first.found, "madds"), *best_first(first.found)[:1]]}
    points = [
        Point(one.name if one.network in shown else "", one.costs["madds"], 100 * one.accuracy, own=True)
        for one in best_first(first.found)
        if one.accuracy is not None
    ]
    label = f"{settings.metric} (%) in the search; named are the networks that no other beats in both"
    made.append(draw_accuracy_cost(points, label, place / front_name))
    best, space = best_first(first.found)[0], settings.build_space()
    title = f"{best.name}, the best of {place.name}"
    made.append(draw_candidate(space.candidate(space.decode(best.network)), place / network, title=title))
    return made


def curves_by_strategy(studies: Sequence[Study]) -> list[SearchCurve]:
    """One curve for each strategy: the mean over its searches of the best so far, with a t interval from two on."""
    grouped: dict[str, list[list[float]]] = {}
    for study in studies:
        curve = best_so_far(study.found)
        if curve:
            grouped.setdefault(str(study.parts.settings.strategy["name"]), []).append(curve)
    curves = []
    for name, runs in grouped.items():
        shared = min(map(len, runs))
        columns = [[run[place] for run in runs] for place in range(shared)]
        means = [statistics.fmean(column) for column in columns]
        intervals = [t_interval(column) for column in columns] if len(runs) > 1 else []
        curves.append(
            SearchCurve(
                f"{name} ({len(runs)} searches)" if len(runs) > 1 else name,
                range(1, shared + 1),
                means,
                [each.low for each in intervals],
                [each.high for each in intervals],
            )
        )
    return curves


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
