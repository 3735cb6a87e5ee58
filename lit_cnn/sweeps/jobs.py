"""The pieces of a sweep's work, and which trial of the study is the one for a piece."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from optuna.trial import FrozenTrial, TrialState

from lit_cnn.sweeps.halving import cohorts
from lit_cnn.sweeps.plan import Known, Plan


class Job(NamedTuple):
    """A run of one point of the space with one seed, as far as one rung.

    Args:
        slot: The point, from 0.
        seed: The seed's place among the plan's, from 0; 0 where the recipe's own is used.
        rung: Which of the sweep's rungs, from 0; 0 without a pruner.
    """

    slot: int
    seed: int = 0
    rung: int = 0


Standing = Mapping[Job, FrozenTrial]


def job_of(trial: FrozenTrial) -> Job | None:
    """What a trial was added for; None for one that is not of a sweep."""
    attributes = trial.user_attrs
    if "slot" not in attributes:
        return None
    return Job(attributes["slot"], attributes.get("seed", 0), attributes.get("rung", 0))


def standing(trials: Sequence[FrozenTrial]) -> dict[Job, FrozenTrial]:
    """Job -> the trial that stands for it: of its last attempt the one with the lowest number."""
    chosen: dict[Job, FrozenTrial] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        job, attempt = job_of(trial), trial.user_attrs.get("attempt", 0)
        if job is not None and (job not in chosen or attempt > chosen[job].user_attrs["attempt"]):
            chosen[job] = trial
    return dict(sorted(chosen.items()))


def has_failed(trial: FrozenTrial) -> bool:
    """Whether a trial has ended without a value and is not to be continued."""
    return trial.state == TrialState.FAIL and "error" in trial.user_attrs


def scores_at(rung: int, chosen: Standing, plan: Plan) -> dict[int, float | None]:
    """Slot -> its mean over the seeds at a rung, None where a seed has failed; without slots that are not through."""
    scores: dict[int, float | None] = {}
    for slot in sorted({job.slot for job in chosen if job.rung == rung}):
        trials = [chosen.get(Job(slot, seed, rung)) for seed in range(plan.seeds or 1)]
        ended = [
            each for each in trials if each is not None and (each.state == TrialState.COMPLETE or has_failed(each))
        ]
        if len(ended) == len(trials):
            values = [each.value for each in ended if each.value is not None and not has_failed(each)]
            scores[slot] = statistics.fmean(values) if len(values) == len(trials) else None
    return scores


def last_scores(chosen: Standing, plan: Plan, rungs: int) -> dict[int, tuple[int, float | None]]:
    """Slot -> the last rung that it is through, and its score there."""
    return {slot: (rung, score) for rung in range(rungs) for slot, score in scores_at(rung, chosen, plan).items()}


def decided_cohorts(chosen: Standing, plan: Plan, rungs: int) -> list[list[int]]:
    """The slots of each rung that is decided so far."""
    scores = [scores_at(rung, chosen, plan) for rung in range(rungs)]
    factor = plan.pruner.factor if plan.pruner else 1
    return cohorts(plan.size, scores, factor, plan.goal == "maximize")


def wanted_jobs(chosen: Standing, plan: Plan, rungs: int) -> Iterator[Job]:
    """The jobs of a sweep as far as they are decided, in the order in which they are taken up."""
    for rung, cohort in enumerate(decided_cohorts(chosen, plan, rungs)):
        for slot in cohort:
            for seed in range(plan.seeds or 1):
                yield Job(slot, seed, rung)


def known_points(chosen: Standing, plan: Plan) -> list[Known]:
    """What is known of the points that were taken up, from the first on without a gap."""
    scores = scores_at(0, chosen, plan)
    found: list[Known] = []
    while (trial := chosen.get(Job(len(found)))) is not None:
        slot = len(found)
        found.append(Known(trial.user_attrs, slot in scores, scores.get(slot)))
    return found
