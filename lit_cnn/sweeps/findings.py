"""From the trials of a study to the rows of a sweep: one for each point."""

import statistics
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from lit_cnn.sweeps.jobs import Job, Standing, decided_cohorts, has_failed
from lit_cnn.sweeps.plan import Chooser, Plan
from lit_cnn.sweeps.results import TrialResult


def find_results(chosen: Standing, plan: Plan, rungs: Sequence[int], chooser: Chooser) -> list[TrialResult]:
    """One row per point: the complete ones best first, then those that were pruned, then the others.

    Args:
        chosen: The trials that stand for the sweep's jobs.
        plan: What is tried.
        rungs: Lengths to which runs are trained.
        chooser: Who chooses the points.
    """
    cohorts = decided_cohorts(chosen, plan, len(rungs))
    slots = range(max(plan.size, max((job.slot for job in chosen), default=-1) + 1))
    rows = []
    for slot in slots:
        last = max((job.rung for job in chosen if job.slot == slot), default=-1)
        if last < 0:
            fixed = chooser.fixed(slot)
            rows.append(TrialResult(slot + 1, "waiting", None, dict(fixed.params) if fixed else {}))
            continue
        runs = {seed: chosen.get(Job(slot, seed, last)) for seed in range(plan.seeds or 1)}
        pruned = last + 1 < len(cohorts) and slot not in cohorts[last + 1]
        rows.append(_row(slot, [run for run in runs.values() if run], len(runs), plan, last, rungs, pruned, chooser))
    sign = -1 if plan.goal == "maximize" else 1
    return sorted(rows, key=lambda row: (_place(row), -(row.trained or 0), sign * (row.value or 0.0), row.trial))


def _place(row: TrialResult) -> int:
    """Complete points first, then those that were pruned, then the others."""
    return {"complete": 0, "pruned": 1}.get(row.state, 2)


def _row(
    slot: int,
    runs: Sequence[FrozenTrial],
    seeds: int,
    plan: Plan,
    rung: int,
    rungs: Sequence[int],
    pruned: bool,
    chooser: Chooser,
) -> TrialResult:
    values = [run.value for run in runs if run.state == TrialState.COMPLETE and run.value is not None]
    seconds = [run.user_attrs["seconds"] for run in runs if "seconds" in run.user_attrs]
    folders = [run.user_attrs.get("run", "") for run in runs]
    return TrialResult(
        trial=slot + 1,
        state=_state(runs, seeds, rung == len(rungs) - 1, pruned),
        value=statistics.fmean(values) if values else None,
        params=chooser.shown(runs[0]),
        seconds=round(sum(seconds), 1) if seconds else None,
        run=folders[0],
        error=next((run.user_attrs["error"] for run in runs if has_failed(run)), ""),
        sd=statistics.stdev(values) if len(values) > 1 else None,
        n=len(values) if plan.seeds else None,
        trained=rungs[rung] if plan.pruner else None,
        runs=tuple(folders),
    )


def _state(runs: Sequence[FrozenTrial], seeds: int, at_end: bool, pruned: bool) -> str:
    """What becomes of a point, from its runs at the last rung that it has reached."""
    if any(run.state == TrialState.RUNNING for run in runs):
        return "running"
    if any(has_failed(run) for run in runs):
        return "failed"
    if any(run.state == TrialState.FAIL for run in runs):
        return "stopped"
    if len(runs) < seeds:
        return "waiting"
    return "complete" if at_end else "pruned" if pruned else "waiting"
