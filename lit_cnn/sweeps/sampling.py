"""How a trial's values are drawn: by the key (seed, slot), so that no kill and no second process repeats a draw."""

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, Trial

from lit_cnn.experiment.files import argument
from lit_cnn.randomness import derive_key
from lit_cnn.sweeps.jobs import scores_at, standing
from lit_cnn.sweeps.optuna_internals import given_params
from lit_cnn.sweeps.plan import Choice, Known, Marked
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.tpe import quiet

RANDOM = 10
"""Points that TPE draws at random before it learns from them."""


class KeyedSampler(BaseSampler):
    """Draws by the key (seed, slot). Where points are run with several seeds, TPE learns from their means."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._averages = space.sampler == "tpe" and (space.seeds or 1) > 1
        self._sampler = self._seeded(0)
        self._seen: optuna.Study | None = None

    def _seeded(self, slot: int) -> BaseSampler:
        seed = derive_key(self.space.seed, "sweep", slot) & 0xFFFFFFFF
        if self.space.sampler != "tpe":
            return RandomSampler(seed)
        with quiet():
            # Jointly over all keys, stated since Optuna's defaults have changed; running trials repel those of others.
            return TPESampler(seed=seed, multivariate=True, constant_liar=not self._averages, n_startup_trials=RANDOM)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler = self._seeded(trial.user_attrs.get("slot", -1))
        self._seen = study_of_means(study, self.space) if self._averages else study
        self._sampler.before_trial(self._seen, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._seen or study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(self._seen or study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(self._seen or study, trial, param_name, param_distribution)


def study_of_means(study: optuna.Study, space: Space) -> optuna.Study:
    """A study in memory with one trial for each point, whose value is the mean over its seeds.

    A point some of whose seeds are not through counts as bad as the worst one, so that it repels others, once there are
    enough points to learn from; one that has failed is left out.
    """
    chosen = standing(study.get_trials(deepcopy=False))
    means = scores_at(0, chosen, space)
    values = [mean for mean in means.values() if mean is not None]
    worst = (min if space.goal == "maximize" else max)(values, default=0.0)
    with quiet():
        averaged = optuna.create_study(storage=InMemoryStorage(), direction=space.goal)
    for slot in sorted({job.slot for job in chosen}):
        value = means.get(slot, worst if len(values) >= RANDOM else None)
        trial = next((each for job, each in chosen.items() if job.slot == slot and each.params), None)
        if trial is not None and value is not None:
            averaged.add_trial(
                optuna.trial.create_trial(params=trial.params, distributions=trial.distributions, value=value)
            )
    return averaged


def suggest(trial: Trial, axis: Axis, grid: bool) -> None:
    """Let Optuna choose the axis' value of a trial."""
    if grid or axis.low is None or axis.high is None:
        trial.suggest_categorical(axis.key, axis.values() or ())
    elif axis.whole:
        trial.suggest_int(axis.key, int(axis.low), int(axis.top), step=int(axis.step or 1), log=axis.log)
    else:
        trial.suggest_float(axis.key, axis.low, axis.top, step=axis.step, log=axis.log)


class SpaceChooser:
    """Points of a space of recipe keys: a grid's combinations, or draws of :class:`KeyedSampler`."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._grid = space.combinations() if space.sampler == "grid" else None

    def fixed(self, slot: int) -> Choice | None:
        if self._grid is None or slot >= len(self._grid):
            return None
        return Choice(self._grid[slot])

    def choose(self, slot: int, known: Sequence[Known]) -> Choice:
        return Choice()

    def chosen(self, trial: Marked) -> Choice | None:
        return Choice(trial.params) if len(trial.params) == len(self.space.keys) else None

    def overrides(self, trial: Trial) -> list[str]:
        for axis in self.space.keys:
            suggest(trial, axis, self._grid is not None)
        return [argument(key, value) for key, value in self.shown(trial).items()]

    def score(self, trial: Marked, measured: float) -> float:
        return measured

    def described(self, trial: Marked) -> str:
        return " ".join(override.removeprefix("--") for override in trial.user_attrs["overrides"])

    def shown(self, trial: Marked) -> dict[str, Any]:
        values = trial.params or (given_params(trial) if isinstance(trial, FrozenTrial) else {})
        return {axis.key: axis.listed(values[axis.key]) for axis in self.space.keys if axis.key in values}
