"""Pictures of searches: the best reward so far, accuracy over multiply-adds, and the best network."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from lit_cnn.evaluation.paired import t_interval
from lit_cnn.reports.accuracy_cost import Point, draw_accuracy_cost
from lit_cnn.reports.search_curves import SearchCurve, draw_search_curves
from lit_cnn.search.findings import best_first, best_so_far, front
from lit_cnn.search.shown import Study, trained_networks
from lit_cnn.search.shown_together import by_setting
from lit_cnn.search.spaces.drawing import draw_candidate

CURVES, FRONT, NETWORK = "curves.png", "front.png", "network.svg"


def draw_studies(studies: Sequence[Study]) -> list[Path]:
    """Draw the curves of all searches together, and of the first its front and its best network; returns the files,
    which are in the folder of the first.

    Args:
        studies: At least one.

    Raises:
        ValueError: If one has no result yet, or they do not search the same, or two of a strategy have the same seed.
    """
    return [_draw_curves(studies), _draw_front(studies[0]), _draw_best(studies[0])]


def _draw_curves(studies: Sequence[Study]) -> Path:
    first = studies[0].parts.settings
    for study in studies:
        trained_networks(study)
    grouped = by_setting(studies)
    shown = studies[0].folder.name if len(studies) == 1 else f"{len(studies)} searches"
    in_percent = first.objective["name"] == "accuracy" and "acc" in first.metric
    return draw_search_curves(
        {str(first.space["name"]): curves_by_strategy(grouped, 100.0 if in_percent else 1.0)},
        studies[0].folder / CURVES,
        title=f"Best network so far: {shown}",
        metric=f"{first.metric} (%)" if in_percent else "reward",
        band="95 % t interval over searches" if len(grouped) < len(studies) else "",
    )


def curves_by_strategy(grouped: Mapping[str, Sequence[Study]], unit: float = 1.0) -> list[SearchCurve]:
    """One curve for each strategy: the mean over its searches of the best so far, with a t interval from two on.

    Args:
        grouped: Name of a strategy -> its searches, which have results.
        unit: What rewards are multiplied by.
    """
    curves = []
    for name, studies in grouped.items():
        runs = [[unit * reward for reward in best_so_far(study.found)] for study in studies]
        columns = list(zip(*runs, strict=False))  # as far as all of them are
        several = len(runs) > 1
        intervals = [t_interval(column) for column in columns] if several else []
        curves.append(
            SearchCurve(
                f"{name} ({len(runs)} searches)" if several else name,
                range(1, len(columns) + 1),
                [statistics.fmean(column) for column in columns],
                [each.low for each in intervals],
                [each.high for each in intervals],
            )
        )
    return curves


def _draw_front(study: Study) -> Path:
    """The networks of a search, named those that no other one beats in both."""
    named = {one.network for one in front(study.found, "madds", sign=study.parts.settings.sign)}
    metric = study.parts.settings.metric
    unit, label = (1, metric) if "loss" in metric else (100, f"{metric} (%)")
    points = [
        Point(one.name if one.network in named else "", one.costs["madds"], unit * one.accuracy, own=True)
        for one in best_first(study.found)
        if one.accuracy is not None
    ]
    return draw_accuracy_cost(points, f"{label}, in the search", study.folder / FRONT)


def _draw_best(study: Study) -> Path:
    best, space = trained_networks(study)[0], study.parts.settings.build_space()
    title = f"{best.name}, the best of {study.folder.name}"
    return draw_candidate(space.candidate(space.decode(best.network)), study.folder / NETWORK, title=title)
