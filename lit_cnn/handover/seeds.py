"""Several runs side by side: grouped by the settings in which they differ, each group's mean over its seeds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lit_cnn.evaluation.paired import t_interval
from lit_cnn.experiment.changes import changes, short_key, trained_changes
from lit_cnn.experiment.files import value_text
from lit_cnn.experiment.identity import leaves
from lit_cnn.handover.run_files import RunFiles
from lit_cnn.training.monitor import is_better

SEED = "seed_everything"


@dataclass(frozen=True)
class SeedGroup:
    """Runs of equal settings.

    Args:
        settings: Keys in which the groups differ, with their values; empty where there is one group.
        scores: Of the best validation of each run.
    """

    settings: str
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.scores)

    @property
    def sd(self) -> float | None:
        """Sample standard deviation; None of a single run."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % t interval of the mean; None of a single run."""
        if len(self.scores) < 2:
            return None
        found = t_interval(self.scores)
        return found.low, found.high


def differing_keys(runs: Sequence[RunFiles]) -> list[str]:
    """The keys that may change what a training yields, and are not the same in all runs; without the seed."""
    first, found = runs[0].recipe, dict[str, None]()
    for run in runs[1:]:
        found |= dict.fromkeys(trained_changes(changes(first, run.recipe)))
    return [key for key in found if key != SEED]


def settings_of(run: RunFiles, keys: Sequence[str]) -> str:
    """``learning_rate=0.1, mixup.alpha=0.2``."""
    values = dict(leaves("", run.recipe))
    return ", ".join(f"{short_key(key, list(keys))}={value_text(values.get(key))}" for key in keys)


def seed_groups(runs: Sequence[RunFiles]) -> list[SeedGroup]:
    """The runs that were validated, by settings, in the order in which these come.

    Raises:
        ValueError: If their best epochs were chosen by different metrics, which have no common mean.
    """
    monitors = sorted({run.monitor for run in runs})
    if len(monitors) > 1:
        raise ValueError(f"the runs were chosen by different metrics ({', '.join(monitors)}), so they have no common mean")
    keys, scores = differing_keys(runs), dict[str, list[float]]()
    for run in runs:
        if run.best:
            scores.setdefault(settings_of(run, keys), []).append(run.best[run.monitor])
    return [SeedGroup(settings, tuple(values)) for settings, values in scores.items()]


def best_run(runs: Sequence[RunFiles]) -> RunFiles:
    """The run with the best validation of those that share the first one's metric."""
    found = runs[0]
    for run in runs[1:]:
        if run.monitor == found.monitor and run.best:
            score = found.best.get(found.monitor)
            found = run if is_better(run.monitor, run.best[run.monitor], score) else found
    return found
