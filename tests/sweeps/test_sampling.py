"""TPE learns from the means of points that are run with several seeds."""

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from lit_cnn.sweeps.sampling import RANDOM, KeyedSampler, SpaceChooser, study_of_means
from lit_cnn.sweeps.space import Axis, Space
from lit_cnn.sweeps.tpe import quiet

X = FloatDistribution(0.0, 1.0)


def make_space(seeds: int) -> Space:
    return Space((Axis("x", low=0.0, high=1.0),), sampler="tpe", trials=30, metric="val/acc1", seeds=seeds)


def make_study(*values: tuple[float | None, ...]) -> optuna.Study:
    """A study of one point for each tuple, of which each seed has this value; None is still running."""
    with quiet():
        study = optuna.create_study(direction="maximize")
    for slot, of_seeds in enumerate(values):
        for seed, value in enumerate(of_seeds):
            state = TrialState.RUNNING if value is None else TrialState.COMPLETE
            marks = {"slot": slot, "seed": seed, "rung": 0, "attempt": 0}
            params, distributions = {"x": slot / 100}, {"x": X}
            study.add_trial(
                create_trial(state=state, value=value, params=params, distributions=distributions, user_attrs=marks)
            )
    return study


def test_a_point_is_one_observation_with_its_mean() -> None:
    found = study_of_means(make_study((10.0, 20.0), (40.0, 0.0), (30.0, None)), make_space(2))
    assert [(trial.params["x"], trial.value) for trial in found.trials] == [(0.0, 15.0), (0.01, 20.0)]
    assert found.direction.name == "MAXIMIZE"


def test_a_point_that_still_runs_repels_others_as_the_worst_one_once_they_are_enough() -> None:
    through = [(float(number), float(number)) for number in range(5, 5 + RANDOM)]
    found = study_of_means(make_study(*through, (None, 99.0)), make_space(2))
    assert [trial.value for trial in found.trials] == [*(float(number) for number in range(5, 5 + RANDOM)), 5.0]


@pytest.mark.parametrize(("points", "learns"), [(RANDOM - 1, False), (RANDOM, True)])
def test_points_are_drawn_at_random_until_enough_points_not_runs_are_through(points: int, learns: bool) -> None:
    study, sampler = make_study(*[(1.0 * number, 2.0, 3.0) for number in range(points)]), KeyedSampler(make_space(3))
    trial = create_trial(state=TrialState.RUNNING, user_attrs={"slot": points})
    sampler.before_trial(study, trial)
    space = sampler.infer_relative_search_space(study, trial)
    assert bool(sampler.sample_relative(study, trial, space)) == learns


def test_the_same_slot_draws_the_same() -> None:
    study, drawn = make_study(*[(float(number), 2.0) for number in range(12)]), []
    for slot in (12, 12, 13):
        sampler, trial = KeyedSampler(make_space(2)), create_trial(state=TrialState.RUNNING, user_attrs={"slot": slot})
        sampler.before_trial(study, trial)
        drawn.append(sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial)))
    assert drawn[0] == drawn[1] != drawn[2]


def test_drawn_multiples_of_a_step_are_the_values_that_the_space_lists() -> None:
    """0.1 + 2 · 0.1 is not 0.3, which ended the sweep at its picture, before best.yaml was written."""
    axis = Axis("x", low=0.1, high=0.9, step=0.1)
    chooser = SpaceChooser(Space((axis,), sampler="random", trials=60, metric="val/acc1"))
    with quiet():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    trials = [study.ask() for _ in range(60)]
    words = {word for trial in trials for word in chooser.overrides(trial)}
    assert {chooser.shown(trial)["x"] for trial in trials} == set(axis.values() or ())
    assert words == {f"--x={number / 10}" for number in range(1, 10)}
