"""What a search has found: its networks in the order of their rewards, the front, the best so far, the ancestry."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lit_cnn.search.chooser import COSTS, MEASURED, NETWORK, REJECTED, SearchChooser, short_name
from lit_cnn.search.objectives import ACCURACY
from lit_cnn.search.objectives import front as pareto_numbers
from lit_cnn.search.strategies.strategy import Ancestral
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.jobs import Job, last_scores
from lit_cnn.sweeps.plan import Chooser, Known


@dataclass(frozen=True)
class Found:
    """One network of a search.

    Args:
        slot: Its place in the search, from 0.
        network: Its encoding.
        reward: What the search maximizes; None until the training has ended, and where it failed.
        accuracy: The metric of the recipe, the mean over the seeds.
        costs: Parameters, multiply-adds and what else was counted or measured.
        rejected: Proposals above the limits before it.
        seconds: Duration of its trainings.
        state: complete, running, failed, stopped or waiting.
        run: Run folder of the first seed.
        trained: Epochs or steps after which its reward was measured; None without one, and without a pruner.
    """

    slot: int
    network: str
    reward: float | None
    accuracy: float | None
    costs: Mapping[str, float]
    rejected: int
    seconds: float | None
    state: str
    run: str
    trained: int | None = None

    @property
    def name(self) -> str:
        """Six letters for the encoding."""
        return short_name(self.network)


def found_networks(sweep: Sweep) -> list[Found]:
    """All networks that were taken up, in the order of the search; each with its reward after its longest training."""
    standing = sweep.queue.standing()
    scores = last_scores(standing, sweep.plan, len(sweep.rungs))
    states = {row.trial - 1: row for row in sweep.results()}
    found = []
    for slot in range(max((job.slot for job in standing), default=-1) + 1):
        rung, reward = scores.get(slot, (0, None))
        trials = [trial for job, trial in standing.items() if (job.slot, job.rung) == (slot, rung)]
        first = standing[Job(slot)]
        measured = [trial.user_attrs.get(MEASURED, trial.value) for trial in trials]
        known = [value for value in measured if value is not None]
        attributes = first.user_attrs
        found.append(
            Found(
                slot,
                attributes[NETWORK],
                reward,
                sum(known) / len(known) if known and reward is not None else None,
                attributes[COSTS],
                attributes[REJECTED],
                states[slot].seconds,
                states[slot].state,
                attributes["run"],
                sweep.rungs[rung] if sweep.plan.pruner and reward is not None else None,
            )
        )
    return found


def best_first(found: Sequence[Found]) -> list[Found]:
    """Those with a reward, the best first: of those that were trained longest, then of others; of equal ones the
    earlier."""
    return sorted((one for one in found if one.reward is not None), key=_rank)


def _rank(one: Found) -> tuple[float, float, int]:
    """What is least of the best."""
    return -(one.trained or 0), -(one.reward or 0.0), one.slot


def ended(found: Sequence[Found]) -> list[Found]:
    """Those whose evaluation is over, well or not."""
    return [one for one in found if one.state in ("complete", "failed", "pruned")]


def best_so_far(found: Sequence[Found]) -> list[float]:
    """The reward of the best network after each evaluation that has ended without a failure."""
    rewarded = [one for one in found if one.reward is not None]
    best = itertools.accumulate(rewarded, lambda *pair: min(pair, key=_rank))
    return [one.reward or 0.0 for one in best]


def front(found: Sequence[Found], cost: str, *, sign: int = 1) -> list[Found]:
    """The networks that no other one beats in accuracy at the same cost or less, the cheapest first; of those that were
    trained longest, with which others cannot be compared.

    Args:
        found: Networks.
        cost: One of their costs.
        sign: -1 where the metric is a loss.
    """
    longest = max((one.trained or 0 for one in found), default=0)
    comparable = [one for one in found if (one.trained or 0) == longest]
    measured = [one for one in comparable if one.accuracy is not None and cost in one.costs]
    rows = [{ACCURACY: sign * (one.accuracy or 0.0), cost: one.costs[cost]} for one in measured]
    chosen = [measured[number] for number in pareto_numbers(rows, (ACCURACY, cost))]
    return sorted(chosen, key=lambda one: one.costs[cost])


def ancestors(found: Sequence[Found], one: Found, chooser: Chooser) -> list[Found]:
    """A network's parents, as the strategy chose them from what each slot knew, the first ancestor first, and itself
    last; itself alone where the strategy has no parents."""
    line = [one]
    if not isinstance(chooser, SearchChooser) or not isinstance(chooser.strategy, Ancestral):
        return line
    while (parent := chooser.strategy.parent(*chooser.knew(found_as_known(found), line[0].slot))) is not None:
        line.insert(0, found[parent])
    return line


def found_as_known(found: Sequence[Found]) -> list[Known]:
    """What a later slot may know of the networks."""
    return [Known({NETWORK: one.network}, one.reward is not None or one.state == "failed", one.reward) for one in found]


def as_row(one: Found) -> dict[str, Any]:
    """The network as columns of a file."""
    return {
        "slot": one.slot,
        "name": one.name,
        "reward": one.reward,
        "accuracy": one.accuracy,
        **({} if one.trained is None else {"trained": one.trained}),
        **one.costs,
        "rejected": one.rejected,
        "seconds": one.seconds,
        "state": one.state,
        "network": one.network,
        "run": one.run,
    }
