import itertools
import statistics

import numpy as np
import pytest
from scipy import integrate, stats
from simulated import Search, Toy

from lit_cnn.search.spaces.space import Point
from lit_cnn.search.strategies.predictor import PredictorSettings, expected_improvement, normal_scores
from lit_cnn.search.strategies.random import RandomSearch
from lit_cnn.search.strategies.strategy import FAILED, History, Strategy

SPACE = Toy((4, 4, 4, 4, 4))  # of 640 networks


def best_of(strategy: Strategy, budget: int, seed: int) -> float:
    """The best value of a function with interactions, whose maximum is 15."""
    points: list[Point] = []
    values: list[float] = []
    for _ in range(budget):
        points.append(next(strategy.proposals(History(tuple(points), tuple(values), 0, seed))))
        values.append(float(sum(points[-1]) - 2 * (points[-1][2] != points[-1][3])))
    return max(values)


@pytest.mark.parametrize("model", ["ridge", "gaussian_process"])
def test_the_optimum_of_a_function_is_found_in_few_evaluations(model: str) -> None:
    settings = PredictorSettings(model, initial=10, candidates=60)
    assert [best_of(settings.build(SPACE, 35), 35, seed) for seed in range(2)] == [15, 15]
    assert statistics.mean(best_of(RandomSearch(SPACE), 35, seed) for seed in range(10)) < 13


def test_the_first_networks_are_those_of_random_search() -> None:
    predicted = Search(12).work(lambda: PredictorSettings(initial=10, candidates=20).build(SPACE, 12)).points
    random = Search(12).work(lambda: RandomSearch(SPACE)).points
    assert predicted[:10] == random[:10]
    assert predicted[10:] != random[10:]


def test_proposals_that_a_prediction_ranks_come_before_random_ones() -> None:
    history = Search(15).work(lambda: RandomSearch(SPACE)).history(15)
    strategy = PredictorSettings(initial=5, candidates=30).build(SPACE, 15)
    known = range(15)
    candidates = strategy._candidates(history, known)
    scores = strategy._scores(history, known, candidates)
    first = list(itertools.islice(strategy.proposals(history), len(candidates)))
    assert first == [candidates[i] for i in np.argsort([-score[0] for score in scores], kind="stable")]
    assert not set(first) & set(history.points)


def test_failed_networks_are_left_out() -> None:
    points, values = ((0, 0, 0, 0, 0), (1, 1, 1, 1, 1), (2, 2, 2, 2, 2)), (0.1, 0.2, 0.3)
    strategy = PredictorSettings(initial=2, candidates=10).build(SPACE, 10)
    without = strategy._scores(History(points, values), range(3), [(3, 3, 3, 3, 3)])
    failed = History((*points, (3, 3, 3, 3, 2)), (*values, FAILED))
    assert strategy._scores(failed, range(3), [(3, 3, 3, 3, 3)]) == without
    assert next(strategy.proposals(failed)) not in failed.points


@pytest.mark.parametrize(("mean", "deviation"), [(0.3, 0.5), (-1.0, 0.2), (2.0, 1.0)])
def test_expected_improvement_is_the_integral(mean: float, deviation: float) -> None:
    rewards = np.linspace(0.4, mean + 12 * deviation, 100_001)
    integral = integrate.trapezoid((rewards - 0.4) * stats.norm.pdf(rewards, mean, deviation), rewards)
    gain = expected_improvement(np.array([mean]), np.array([deviation]), 0.4)[0]
    assert gain == pytest.approx(integral, abs=1e-7)


def test_normal_scores_keep_the_order_and_nothing_else() -> None:
    scores = normal_scores([90.0, 10.0, 91.0, 90.0])
    assert scores[1] < scores[0] == scores[3] < scores[2]
    np.testing.assert_allclose(scores, normal_scores([0.5, 0.4, 99.0, 0.5]))
    assert scores[[1, 2]] == pytest.approx(stats.norm.ppf([1 / 8, 7 / 8]))


def test_the_random_networks_before_the_first_prediction_scale_with_the_budget() -> None:
    assert [PredictorSettings().build(SPACE, budget).initial for budget in (40, 150, 500)] == [10, 15, 50]
