"""The tree-structured Parzen estimator (Bergstra et al. 2011) on lists of options: Optuna's, jointly over all."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import TPESampler


def tpe_points(
    counts: Sequence[int], seen: Sequence[tuple[Sequence[int], float]], seed: int, initial: int = 10
) -> Iterator[tuple[int, ...]]:
    """Points that the estimator draws, without end.

    Args:
        counts: Options of each decision.
        seen: Points with their rewards, high ones good.
        seed: From 0 to 2^32 - 1.
        initial: Random points are drawn while fewer are seen.
    """
    names = [f"{number:06d}" for number in range(len(counts))]
    options: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(range(count)) for name, count in zip(names, counts, strict=True)
    }
    with quiet():
        # No liar: which points are in training does not depend on what a slot may know.
        sampler = TPESampler(multivariate=True, constant_liar=False, seed=seed, n_startup_trials=initial)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for point, reward in seen:
            params = dict(zip(names, point, strict=True))
            study.add_trial(optuna.trial.create_trial(params=params, distributions=options, value=reward))
    while True:
        with quiet():
            trial = study.ask(options)
        yield tuple(trial.params[name] for name in names)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Optuna logs that a study was made, and warns that the joint estimator is experimental."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
