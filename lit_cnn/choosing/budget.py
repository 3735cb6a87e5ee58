"""How a budget of time is spent: pure arithmetic on measured prices.

Candidates with trained weights are first compared by a linear probe, and the best of them join those that start from
random weights. These are trained by successive halving (Jamieson and Talwalkar, 2016, arXiv:1502.07943), whose rungs
continue the same runs, all for as many epochs: a rung of equal time would favor small networks. What the last rung can
cost is set aside before the first begins, at the price of the most expensive candidates that may reach it. Candidates
that are too expensive for the budget are dropped first, or they would take the time of several cheaper ones. Once the
probes have chosen, the rungs are planned again for those that they let through.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

SAFETY = 1.25
"""Prices are multiplied by it: a training is slower than its steps, timed alone."""
START_SECONDS = 4.0
"""Of a run, or of its continuation: data opened, checkpoints and curves written."""
WANTED_EPOCHS = 5
"""Of the last rung: fewer only where two candidates could not have as many; candidates may want more (``Price``)."""
MEASURING = 0.2
"""Share of the budget that measuring may take; what is not measured by then is not tried, two candidates apart."""
LEAST_EPOCHS = 2
"""Of the last rung: with fewer nothing can be said."""
MOST_EPOCHS = 30
"""Of the last rung: what is left of the budget is not spent."""
MOST_CANDIDATES = 18
FACTOR = 3
"""One in so many with weights goes on from the linear probe, and of 6 candidates or more from rung to rung; of fewer
candidates one in two."""


@dataclass(frozen=True)
class Price:
    """What a candidate costs, in seconds.

    Args:
        name: Of the candidate.
        epoch: An epoch of training with its validation, on all images but those of one fold.
        probe: The linear probe; None where it starts from random weights.
        answers: A pass over the images that are validated on, in all folds.
        wanted: Epochs of the last rung from which on the candidate can be compared well.
    """

    name: str
    epoch: float
    probe: float | None = None
    answers: float = 0.0
    wanted: int = WANTED_EPOCHS

    @property
    def least(self) -> int:
        """Epochs without which it is not tried if others can be: a probe has told much of it before the first."""
        return self.wanted if self.probe is None else LEAST_EPOCHS


@dataclass(frozen=True)
class BudgetPlan:
    """What is done with a budget.

    Args:
        probed: Candidates that a linear probe compares.
        kept: So many of them are trained.
        scratch: Candidates that are trained without a probe.
        folds: Each is trained so many times, each time validated on another part of the images; 1: on the given part.
        factor: One in so many goes on to the next rung.
        sizes: Number of candidates of each rung.
        epochs: Epochs after which the candidates of each rung are compared.
        probe_seconds: What the probes can cost.
        rung_seconds: What each rung can cost; the last is set aside.
        left_out: Candidate for which there is no time -> why.
        answer_seconds: What the finalists' answers, and the start of the recommended recipe, can cost.
    """

    probed: tuple[str, ...]
    kept: int
    scratch: tuple[str, ...]
    folds: int
    factor: int
    sizes: tuple[int, ...]
    epochs: tuple[int, ...]
    probe_seconds: float
    rung_seconds: tuple[float, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    answer_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """What all of it can cost."""
        return self.probe_seconds + sum(self.rung_seconds) + self.answer_seconds


class BudgetTooSmall(ValueError):
    """Nothing could be compared in the time; the message says what would be enough."""


def rung_sizes(candidates: int) -> tuple[int, tuple[int, ...]]:
    """One in how many goes on, and the number of candidates of each rung: at least two are trained to the end, so that
    ties can be seen.

    >>> rung_sizes(12), rung_sizes(5), rung_sizes(3)
    ((3, (12, 4)), (2, (5, 2)), (2, (3,)))
    """
    factor = FACTOR if candidates >= 2 * FACTOR else 2
    sizes = [candidates]
    while sizes[-1] // factor >= 2:
        sizes.append(sizes[-1] // factor)
    return factor, tuple(sizes)


def kept_of(probed: int) -> int:
    """How many candidates go on from the linear probe: one in ``FACTOR``, but two where there are as many."""
    return min(probed, max(2, math.ceil(probed / FACTOR)))


def plan_budget(
    prices: Sequence[Price], budget: float, folds: Sequence[int], spent: float = 0.0, waiting: float = 0.0
) -> BudgetPlan:
    """As many candidates as can be compared well within the time.

    Args:
        prices: Of the candidates, in the order in which they are taken.
        budget: Seconds.
        folds: Numbers of folds that may be taken, the best first.
        spent: Seconds of the budget that measuring has taken.
        waiting: Seconds of the longest measurement where a larger budget would measure more; 0 where all is measured.

    Raises:
        BudgetTooSmall: If not even two candidates (or the only one) can be trained for ``LEAST_EPOCHS``.
        ValueError: If there is no candidate.
    """
    if not prices:
        raise ValueError("there is no candidate to plan for")
    taken, left_out = _affordable(prices, budget - spent, folds[-1], budget)
    most = min(len(taken), MOST_CANDIDATES)
    tries: list[tuple[int, int, int | None]] = [(folds[0], min(6, most), None)]
    tries += [(number, min(least, most), None) for least in (4, 2) for number in folds]
    tries += [(folds[-1], min(2, most), WANTED_EPOCHS)]  # rather long trainings than many of candidates that want more
    tries += [(number, min(2, most), LEAST_EPOCHS) for number in folds]
    for number, fewest, least in tries:
        for count in range(most, fewest - 1, -1):
            plan = _planned(taken[:count], number, budget - spent, least)
            if plan is not None:
                late = dict.fromkeys(
                    (each.name for each in taken[count:]), f"no time within the budget of {duration(budget)}"
                )
                return replace(plan, left_out={**late, **left_out})
    shortest = _least_seconds(taken[:2], folds[-1])
    enough = spent + shortest
    if waiting:  # which takes its share of the larger budget, and one measurement that is begun within that
        enough = max(enough, (shortest + waiting) / (1 - MEASURING))
    where = f" in {folds[-1]} folds" if folds[-1] > 1 else ""
    raise BudgetTooSmall(
        f"the budget of {duration(budget)}, of which measuring took {duration(spent)}, is too small to compare "
        f"{min(2, most)} of {len(prices)} candidates for {LEAST_EPOCHS} epochs{where}: "
        f"--budget {math.ceil(enough / 60)}m would be enough"
    )


def plan_rungs(plan: BudgetPlan, entering: Sequence[Price], seconds: float) -> BudgetPlan:
    """The plan with the rungs of those that the probes have let through, which may be cheaper than the dearest.

    It depends on the plan and on them alone, so that all processes come to the same.

    Args:
        plan: Made before the probes.
        entering: Prices of those that are trained.
        seconds: What there is for rungs and answers.
    """
    factor, sizes = rung_sizes(len(entering))
    longest = _longest(entering, factor, sizes, plan.folds, seconds, LEAST_EPOCHS)
    if longest is None:
        return plan
    epochs, rungs, answers = longest
    return replace(plan, factor=factor, sizes=sizes, epochs=epochs, rung_seconds=rungs, answer_seconds=answers)


def _affordable(
    prices: Sequence[Price], seconds: float, folds: int, budget: float
) -> tuple[list[Price], dict[str, str]]:
    """The candidates of which two could be trained for their ``least`` epochs, in their order, and the cheapest others
    where that are fewer than two; and the rest, with the reason."""
    alone = {each.name: _least_seconds([each], folds, each.least) for each in prices}
    taken = [each for each in prices if 2 * alone[each.name] <= seconds]
    others = sorted((each for each in prices if each not in taken), key=lambda each: _least_seconds([each], folds))
    filled = [*taken, *others[: max(0, 2 - len(taken))]]
    left_out = {
        each.name: f"too expensive for the budget of {duration(budget)}: {each.least} epochs of it alone take "
        f"{duration(alone[each.name])}"
        for each in prices
        if each not in filled
    }
    return [each for each in prices if each in filled], left_out


def _planned(taken: Sequence[Price], folds: int, seconds: float, least: int | None) -> BudgetPlan | None:
    """The longest training of candidates; None where the last rung would have fewer than ``least`` epochs, or than the
    candidates want."""
    least = max(each.wanted for each in taken) if least is None else least
    probed, scratch = [each for each in taken if each.probe is not None], [each for each in taken if each.probe is None]
    kept = kept_of(len(probed))
    factor, sizes = rung_sizes(kept + len(scratch))
    probes = SAFETY * sum(each.probe or 0.0 for each in probed)
    longest = _longest([*_dearest(probed, kept), *scratch], factor, sizes, folds, seconds - probes, least)
    if longest is None:
        return None
    names, others = tuple(each.name for each in probed), tuple(each.name for each in scratch)
    epochs, rungs, answers = longest
    return BudgetPlan(names, kept, others, folds, factor, sizes, epochs, probes, rungs, answer_seconds=answers)


def _longest(
    entering: Sequence[Price], factor: int, sizes: Sequence[int], folds: int, seconds: float, least: int
) -> tuple[tuple[int, ...], tuple[float, ...], float] | None:
    """Epochs of the rungs, their seconds, and those of the answers; None if ``least`` epochs take too long."""
    stretch = factor ** (len(sizes) - 1)
    answers, most = _answer_seconds(entering, sizes[-1]), max(MOST_EPOCHS // stretch, 1)
    for first in range(most, min(most, math.ceil(least / stretch)) - 1, -1):
        epochs = tuple(first * factor**rung for rung in range(len(sizes)))
        rungs = _rung_seconds(entering, sizes, epochs, folds)
        if sum(rungs) + answers <= seconds:
            return epochs, rungs, answers
    return None


def _dearest(prices: Sequence[Price], count: int) -> list[Price]:
    return sorted(prices, key=lambda each: -each.epoch)[:count]


def _rung_seconds(
    entering: Sequence[Price], sizes: Sequence[int], epochs: Sequence[int], folds: int
) -> tuple[float, ...]:
    """What each rung costs where the most expensive candidates reach it."""
    found, before = [], 0
    for size, end in zip(sizes, epochs, strict=True):
        epoch = sum(each.epoch for each in _dearest(entering, size))
        found.append(folds * (START_SECONDS * size + SAFETY * epoch * (end - before)))
        before = end
    return tuple(found)


def _answer_seconds(entering: Sequence[Price], finalists: int) -> float:
    """What the answers of the most expensive finalists cost, and a probe for the recipe's start."""
    answers = sorted((each.answers for each in entering), reverse=True)[:finalists]
    return SAFETY * (sum(answers) + max((each.probe or 0.0 for each in entering), default=0.0))


def _least_seconds(taken: Sequence[Price], folds: int, epochs: int = LEAST_EPOCHS) -> float:
    """In which candidates, two at most, can be trained for so many epochs."""
    probes = SAFETY * sum(each.probe or 0.0 for each in taken)
    rungs = sum(_rung_seconds(taken, (len(taken),), (epochs,), folds))
    return probes + rungs + _answer_seconds(taken, len(taken))


def parse_duration(text: str) -> float:
    """Seconds of ``90s``, ``20m``, ``1.5h``, or of minutes without a unit.

    >>> parse_duration("20m"), parse_duration("90s"), parse_duration("2")
    (1200.0, 90.0, 120.0)

    Raises:
        ValueError: If it is not a positive time.
    """
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    unit = units.get(text[-1:].lower())
    try:
        seconds = float(text[:-1] if unit else text) * (unit or 60.0)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"a time must be written as 90s, 20m or 1.5h, not {text!r}")
    return seconds


def duration(seconds: float) -> str:
    """``45s``, ``2m``, ``20m`` or ``1.5h``, which ``parse_duration`` reads."""
    if seconds < 100:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.3g}m" if seconds < 7200 else f"{seconds / 3600:.3g}h"
