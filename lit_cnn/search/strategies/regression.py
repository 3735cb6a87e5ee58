"""Rewards extrapolated from a few examples: Gaussian processes on points as one-hot vectors (Rasmussen and Williams).

With the linear kernel the mean is that of ridge regression (section 2.1); the squared-exponential one counts in how
many decisions two points agree. Scale, noise and length are those of the largest marginal likelihood (section 5.4).
"""

from typing import Literal, NamedTuple

import numpy as np

Kernel = Literal["linear", "squared_exponential"]
NOISES = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0])
"""Variances of the noise that are tried, per variance of the signal."""
RATES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Of the squared-exponential kernel exp(-rate · share of the decisions that differ)."""


class Fit(NamedTuple):
    """A Gaussian process given its examples.

    Args:
        points: The examples (N, decisions).
        kernel: Its kind.
        rate: Of the squared-exponential kernel.
        scale: Variance of the signal.
        noise: Variance of the noise, per variance of the signal.
        inverse: Of the kernel with its noise (N, N).
        weights: ``inverse`` times the rewards (N,).
        evidence: Logarithm of the marginal likelihood, up to a constant.
    """

    points: np.ndarray
    kernel: Kernel
    rate: float
    scale: float
    noise: float
    inverse: np.ndarray
    weights: np.ndarray
    evidence: float

    def predict(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the noiseless rewards of other points (M, decisions), (M,) each."""
        across = covariance(self.kernel, self.rate, points, self.points)
        own = 1.0  # every point agrees with itself in all decisions
        variance = own - np.einsum("mn,nk,mk->m", across, self.inverse, across)
        return across @ self.weights, np.sqrt(self.scale * np.maximum(variance, 1e-12))


def fit(points: np.ndarray, rewards: np.ndarray, kernel: Kernel) -> Fit:
    """The Gaussian process of zero mean with the most likely scale, noise and length.

    Args:
        points: Option indices (N, decisions).
        rewards: Of those points (N,), centered.
        kernel: "linear" for ridge regression, or "squared_exponential".
    """
    rates = RATES if kernel == "squared_exponential" else (1.0,)
    return max((_fit(points, rewards, kernel, rate) for rate in rates), key=lambda found: found.evidence)


def covariance(kernel: Kernel, rate: float, points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The kernel (M, N) of points (M, decisions) and others (N, decisions); 1 for equal points."""
    agreement = (points[:, None, :] == others[None, :, :]).mean(2)
    return agreement if kernel == "linear" else np.exp(-rate * (1 - agreement))


def _fit(points: np.ndarray, rewards: np.ndarray, kernel: Kernel, rate: float) -> Fit:
    values, vectors = np.linalg.eigh(covariance(kernel, rate, points, points))
    shifted = np.maximum(values, 0) + NOISES[:, None]
    rotated = vectors.T @ rewards
    scales = np.maximum((rotated**2 / shifted).mean(1), 1e-12)
    evidence = -0.5 * (len(rewards) * np.log(scales) + np.log(shifted).sum(1))
    best = int(evidence.argmax())
    inverse = (vectors / shifted[best]) @ vectors.T
    return Fit(
        points, kernel, rate, float(scales[best]), float(NOISES[best]), inverse, inverse @ rewards,
        float(evidence[best]),
    )  # fmt: skip
