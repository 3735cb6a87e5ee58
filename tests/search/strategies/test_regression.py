import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import Ridge

from lit_cnn.search.strategies.regression import NOISES, RATES, covariance, fit

COUNTS = (3, 4, 2, 5)


@pytest.fixture
def examples() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """25 points, noisy rewards with mean 0, and 7 other points."""
    random = np.random.default_rng(0)
    points = random.integers(0, COUNTS, (32, 4))
    rewards = points[:25] @ [1.0, -0.5, 2.0, 0.3] + (points[:25, 0] == points[:25, 1]) + random.normal(0, 0.3, 25)
    return points[:25], rewards - rewards.mean(), points[25:]


def one_hot(points: np.ndarray) -> np.ndarray:
    return np.concatenate([np.eye(count)[points[:, number]] for number, count in enumerate(COUNTS)], axis=1)


def test_the_linear_kernel_is_ridge_regression(examples: tuple[np.ndarray, ...]) -> None:
    points, rewards, others = examples
    found = fit(points, rewards, "linear")
    ridge = Ridge(alpha=len(COUNTS) * found.noise, fit_intercept=False).fit(one_hot(points), rewards)
    np.testing.assert_allclose(found.predict(others)[0], ridge.predict(one_hot(others)), atol=1e-9)


def test_the_squared_exponential_is_that_of_one_hot_vectors(examples: tuple[np.ndarray, ...]) -> None:
    points, rewards, others = examples
    found = fit(points, rewards, "squared_exponential")
    kernel = found.scale * RBF(np.sqrt(len(COUNTS) / found.rate))
    theirs = GaussianProcessRegressor(kernel, alpha=found.scale * found.noise, optimizer=None)
    mean, deviation = theirs.fit(one_hot(points), rewards).predict(one_hot(others), return_std=True)
    np.testing.assert_allclose(found.predict(others)[0], mean, atol=1e-9)
    np.testing.assert_allclose(found.predict(others)[1], deviation, atol=1e-6)
    assert theirs.log_marginal_likelihood_value_ == pytest.approx(found.evidence - 12.5 * (1 + np.log(2 * np.pi)))


def test_length_and_noise_are_the_most_likely(examples: tuple[np.ndarray, ...]) -> None:
    points, rewards, _ = examples
    found = fit(points, rewards, "squared_exponential")

    def evidence(rate: float, noise: float) -> float:
        matrix = covariance("squared_exponential", rate, points, points) + noise * np.eye(25)
        scale = rewards @ np.linalg.solve(matrix, rewards) / 25
        return -0.5 * (25 * np.log(scale) + np.linalg.slogdet(matrix)[1])

    best = max((evidence(rate, noise), rate, noise) for rate in RATES for noise in NOISES)
    assert best == pytest.approx((found.evidence, found.rate, found.noise))


def test_equal_rewards_are_predicted_everywhere(examples: tuple[np.ndarray, ...]) -> None:
    points, _, others = examples
    mean, deviation = fit(points, np.zeros(25), "linear").predict(others)
    assert np.all(mean == 0)
    assert np.all(np.isfinite(deviation))
