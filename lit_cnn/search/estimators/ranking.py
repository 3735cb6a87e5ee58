"""How well estimators rank networks: Kendall's tau with paired intervals, and what each estimate costs.

Networks are resampled, each time the same ones for all estimators: two of them may differ clearly although their
intervals overlap. Half of the sample is of no interest to a search, so every tau is also taken on the best networks. No
estimator can agree with a training more than another seed of the same training does: that tau is the ceiling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lit_cnn.randomness import derive_key
from lit_cnn.search.estimators.kendall import kendall_tau, resampled_tau


class Interval(NamedTuple):
    """A measured value with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]".replace("-", "−")


@dataclass(frozen=True)
class Estimates:
    """What one estimator says of every network.

    Args:
        name: Of the estimator.
        values: One per network, high ones good.
        seconds: What one estimate costs, on average; None where it is not known.
    """

    name: str
    values: Sequence[float]
    seconds: float | None = None


class Agreement(NamedTuple):
    """Kendall's tau on some networks, and its lead over the baseline's."""

    tau: Interval
    lead: Interval


@dataclass(frozen=True)
class Rank:
    """One estimator's agreement with the truth.

    Args:
        name: Of the estimator.
        seconds: What one estimate costs; None where it is not known.
        whole: On all networks.
        best: On the best ones.
    """

    name: str
    seconds: float | None
    whole: Agreement
    best: Agreement


@dataclass(frozen=True)
class Ceiling:
    """Tau between two seeds of the full training, on the networks that have both.

    Args:
        networks: How many have both.
        whole: On all of them.
        best_networks: How many the best ones are.
        best: On the best of them by the first seed.
    """

    networks: int
    whole: Interval
    best_networks: int
    best: Interval


@dataclass(frozen=True)
class Ranking:
    """Estimators compared on the same networks.

    Args:
        networks: How many.
        best_networks: How many the best ones are.
        baseline: The estimator that leads are taken over.
        rows: In the order in which the estimators were given.
        ceiling: None without a second seed.
    """

    networks: int
    best_networks: int
    baseline: str
    rows: tuple[Rank, ...]
    ceiling: Ceiling | None

    def table(self) -> str:
        """One Markdown table: a row per estimator, the ceiling last."""
        best = f"best {self.best_networks}"
        lines = [
            f"| estimator | seconds | tau, all {self.networks} | over {self.baseline} | tau, {best} | "
            f"over {self.baseline} |",
            "|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            leads = ["–" if row.name == self.baseline else str(each.lead) for each in (row.whole, row.best)]
            seconds = "–" if row.seconds is None else f"{row.seconds:.3g}"
            lines.append(f"| {row.name} | {seconds} | {row.whole.tau} | {leads[0]} | {row.best.tau} | {leads[1]} |")
        if (top := self.ceiling) is not None:
            whole, best = f"{top.whole} ({top.networks} networks)", f"{top.best} (best {top.best_networks})"
            lines.append(f"| another seed of the truth | – | {whole} | – | {best} | – |")
        return "\n".join(lines)


def rank(
    estimates: Sequence[Estimates],
    truth: Sequence[float],
    *,
    baseline: str = "params",
    second_seed: Sequence[float | None] | None = None,
    best_share: float = 0.5,
    resamples: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Compare estimators with the truth by Kendall's tau-b, with percentile intervals of a paired bootstrap.

    Args:
        estimates: At least the baseline.
        truth: What each network reached after full training.
        baseline: Name of the estimator that the others should beat.
        second_seed: What each reached with another seed; None for networks that were trained once.
        best_share: Share of the networks, the best by truth, on which tau is taken as well.
        resamples: Draws of the bootstrap.
        seed: Of these draws.

    Raises:
        ValueError: If an estimator has not one value per network, the baseline is missing, or there are too few
            networks for a tau on the best of them.
    """
    names = [each.name for each in estimates]
    if baseline not in names:
        raise ValueError(f"the baseline {baseline!r} is none of the estimators: {', '.join(names) or 'none'}")
    for each in estimates:
        if len(each.values) != len(truth):
            raise ValueError(f"{each.name} has {len(each.values)} values for {len(truth)} networks")
    everyone = np.arange(len(truth))
    chosen = _best(np.asarray(truth, dtype=float), everyone, best_share)
    agreements = [
        _agreements(estimates, truth, rows, names.index(baseline), resamples, seed) for rows in (everyone, chosen)
    ]
    rows = tuple(Rank(each.name, each.seconds, *pair) for each, *pair in zip(estimates, *agreements, strict=True))
    ceiling = None
    if second_seed is not None:
        ceiling = _ceiling(np.asarray(truth, dtype=float), second_seed, best_share, resamples, seed)
    return Ranking(len(truth), len(chosen), baseline, rows, ceiling)


def _best(truth: np.ndarray, rows: np.ndarray, share: float) -> np.ndarray:
    """Those of ``rows`` with the highest truth."""
    count = round(share * len(rows))
    if not 2 <= count <= len(rows):
        raise ValueError(f"the best {share:g} of {len(rows)} networks are {count}, but a tau needs at least 2")
    return rows[np.argsort(-truth[rows], kind="stable")[:count]]


def _agreements(
    estimates: Sequence[Estimates], truth: Sequence[float], rows: np.ndarray, baseline: int, resamples: int, seed: int
) -> list[Agreement]:
    counts, against = _counts(len(rows), resamples, seed), np.asarray(truth, dtype=float)[rows]
    measures = [np.asarray(each.values, dtype=float)[rows] for each in estimates]
    values = [kendall_tau(measure, against) for measure in measures]
    draws = [resampled_tau(measure, against, counts) for measure in measures]
    return [
        Agreement(_interval(value, drawn), _interval(value - values[baseline], drawn - draws[baseline]))
        for value, drawn in zip(values, draws, strict=True)
    ]


def _ceiling(
    truth: np.ndarray, second_seed: Sequence[float | None], share: float, resamples: int, seed: int
) -> Ceiling:
    again = np.asarray([np.nan if value is None else value for value in second_seed], dtype=float)
    both = np.flatnonzero(~np.isnan(again))
    chosen = _best(truth, both, share)
    whole, best = (
        _interval(
            kendall_tau(truth[rows], again[rows]),
            resampled_tau(truth[rows], again[rows], _counts(len(rows), resamples, seed)),
        )
        for rows in (both, chosen)
    )
    return Ceiling(len(both), whole, len(chosen), best)


def _counts(networks: int, resamples: int, seed: int) -> np.ndarray:
    """How often each network is in each bootstrap sample, (resamples, networks)."""
    draws = np.random.default_rng(derive_key(seed, "ranking") & 0x7FFFFFFFFFFFFFFF)
    return draws.multinomial(networks, np.full(networks, 1 / networks), size=resamples).astype(float)


def _interval(value: float, draws: np.ndarray) -> Interval:
    known = draws[~np.isnan(draws)]  # a measure has no order in a draw where all its values are equal
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
    return Interval(value, float(low), float(high))
