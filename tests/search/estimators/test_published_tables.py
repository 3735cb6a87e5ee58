"""Taus of known estimators on tables of trained networks: NAS-Bench-201 and NAS-Bench-Macro, where they are at hand."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from lit_cnn.search.estimators.kendall import kendall_tau
from lit_cnn.search.estimators.ranking import Estimates, rank

FOLDERS = (os.environ.get("LIT_CNN_REFERENCE"), Path(__file__).parents[4] / "shared" / "reference")


def rows(name: str) -> list[dict[str, str]]:
    for folder in FOLDERS:
        file = Path(folder or "") / f"nasbench_extract.{name}.csv"
        if folder and file.is_file():
            with file.open(newline="") as lines:
                return list(csv.DictReader(lines))
    pytest.skip(f"LIT_CNN_REFERENCE names no folder with nasbench_extract.{name}.csv")


def test_training_for_12_epochs_beats_counts_and_scores_on_nas_bench_201() -> None:
    scored = [row for row in rows("proxies") if (row["benchmark"], row["dataset"]) == ("nasbench201", "cifar10")]
    short = {row["code"]: float(row["cifar10_val12"]) for row in rows("nb201")}
    estimates = [Estimates(name, [float(row[name]) for row in scored]) for name in ("params", "flops", "synflow")]
    estimates.append(Estimates("12 epochs", [short[row["code"]] for row in scored]))
    truth = [float(row["val_accuracy"]) for row in scored]
    ranking = rank(estimates, truth, best_share=0.25, resamples=300)
    assert ranking.networks == 724
    taus = [(round(row.whole.tau.value, 2), round(row.best.tau.value, 2)) for row in ranking.rows]
    assert taus == [(0.56, 0.27), (0.52, 0.25), (0.54, 0.41), (0.63, 0.31)]
    trained = ranking.rows[-1].whole
    assert (trained.tau.low, trained.tau.high) == pytest.approx((0.60, 0.66), abs=0.01)
    assert trained.lead.low > 0
    assert ranking.rows[2].best.lead.low > 0  # synflow over params, in the best quarter


@pytest.mark.slow
def test_two_seeds_of_the_full_training_are_the_ceiling_on_nas_bench_macro() -> None:
    table = np.array([[float(row[f"acc_seed{seed}"]) for seed in range(3)] for row in rows("macro")])
    best = np.argsort(-table.mean(1), kind="stable")[: len(table) // 4]
    assert kendall_tau(table[:, 0], table[:, 1]) == pytest.approx(0.88, abs=0.005)
    assert kendall_tau(table[best, 0], table[best, 1]) == pytest.approx(0.475, abs=0.005)
