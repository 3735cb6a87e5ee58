"""Search strategies on tables of trained accuracies: what the network with the best reward reaches in the end.

    python benchmarks/search_strategies.py          # 200 keyed runs each: half an hour of one core
    python benchmarks/search_strategies.py --runs 20 --only random,evolution

The tables are those of benchmarks/nasbench_tables.py. On NAS-Bench-Macro a search sees one of three trainings, drawn by
the key of its slot, and the result is their mean; on NAS-Bench-201 it sees the validation accuracy after 12 epochs, and
the result is the test accuracy. Each run is added to --results as it ends, and those that are there are not run again.
"""

import argparse
import csv
import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from nasbench_tables import Table, read_table, reference_folder

from lit_cnn.reports.search_curves import SearchCurve, draw_search_curves
from lit_cnn.search.strategies.catalog import StrategySettings
from lit_cnn.search.strategies.controller import PPOSettings, ReinforceSettings
from lit_cnn.search.strategies.evolution import EvolutionSettings
from lit_cnn.search.strategies.local_search import LocalSearchSettings
from lit_cnn.search.strategies.predictor import PredictorSettings
from lit_cnn.search.strategies.random import RandomSettings
from lit_cnn.search.strategies.tpe import TPESettings

BUDGET = 150
SHOWN = (60, 100, 150)
KEPT = range(5, BUDGET + 1, 5)
"""Evaluations after which a run's result is kept."""
TITLES = {"macro": "NAS-Bench-Macro", "nb201c10": "NAS-Bench-201, CIFAR-10"}
PUBLISHED = {
    "REINFORCE": 6.436, "TPE": 6.415, "BOHB": 6.356, "random": 6.341, "evolution": 6.109, "local search": 5.932,
    "BANANAS": 5.923,
}  # fmt: skip
"""Test error in percent on NAS-Bench-101 after 150 evaluations, as BANANAS (arXiv:1910.11858) and local search
(arXiv:2005.02960) were published: another table."""


class Row(NamedTuple):
    """A strategy of the benchmark.

    Args:
        settings: It is built from these.
        reference: Its name in nasbench_extract.curves.json, where the settings are the same.
        slow: Whether it gets --slow-runs only.
    """

    settings: StrategySettings
    reference: str = ""
    slow: bool = False


NASNET = {"policy": "lstm", "entropy": 1e-5, "baseline": 0.95}
ROWS = {
    "random": Row(RandomSettings(), "random"),
    "evolution P 20, S 5": Row(EvolutionSettings(20, 5, identity=0.0), "evolution P20 S5"),
    "evolution P 30, S 10": Row(EvolutionSettings(30, 10, identity=0.0), "evolution P30 S10"),
    "evolution P 100, S 25": Row(EvolutionSettings(100, 25, identity=0.0), "evolution P100 S25"),
    "evolution, default (P 30, S 7, identity 0.05)": Row(EvolutionSettings()),
    "non-aging P 20, S 5": Row(EvolutionSettings(20, 5, aging=False, identity=0.0), "non-aging P20 S5"),
    "local search": Row(LocalSearchSettings()),
    "local search, repeating": Row(LocalSearchSettings(repeat=True), "local search"),
    "REINFORCE, rate 0.01": Row(ReinforceSettings(learning_rate=0.01), "reinforce lr.01"),
    "REINFORCE, rate 0.1": Row(ReinforceSettings(learning_rate=0.1), "reinforce lr.1"),
    "REINFORCE, rate 0.3": Row(ReinforceSettings(learning_rate=0.3), "reinforce lr.3"),
    "REINFORCE, LSTM, rate 0.00035": Row(ReinforceSettings(learning_rate=0.00035, **NASNET), slow=True),
    "REINFORCE, LSTM, rate 0.003": Row(ReinforceSettings(learning_rate=0.003, **NASNET), slow=True),
    "PPO, LSTM, rate 0.003": Row(PPOSettings(learning_rate=0.003), slow=True),
    "ridge": Row(PredictorSettings("ridge"), slow=True),
    "Gaussian process": Row(PredictorSettings("gaussian_process"), slow=True),
    "TPE": Row(TPESettings(), slow=True),
    "TPE, repeating": Row(TPESettings(repeat=True), "tpe multivariate", slow=True),
}
DRAWN = (
    "random", "evolution P 20, S 5", "non-aging P 20, S 5", "local search", "REINFORCE, rate 0.1",
    "PPO, LSTM, rate 0.003", "Gaussian process", "TPE",
)  # fmt: skip
Results = dict[tuple[str, str], dict[int, tuple[float, ...]]]
"""(table, strategy) -> seed -> distinct networks, then the result after each of ``KEPT``."""


def read_results(path: Path) -> Results:
    """What earlier calls have run."""
    found: Results = defaultdict(dict)
    if path.is_file():
        with path.open(newline="") as file:
            for table, name, seed, *values in csv.reader(file):
                found[table, name][int(seed)] = tuple(map(float, values))
    return found


def measure(table: Table, name: str, seeds: Sequence[int], path: Path, results: Results) -> None:
    """Run the seeds that are missing, and add them to the file and to ``results``."""
    begin, done = time.process_time(), 0
    for seed in seeds:
        if seed in results[table.name, name]:
            continue
        strategy = ROWS[name].settings.build(table.space, BUDGET)
        trials = table.search(strategy, BUDGET, seed)
        curve = table.curve(trials)
        row = (len({point for point, _ in trials}), *(round(curve[count - 1], 4) for count in KEPT))
        with path.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow([table.name, name, seed, *row])
        results[table.name, name][seed] = row
        done += 1
    if done:
        seconds = (time.process_time() - begin) / done
        print(f"{table.name}: {name}: {done} runs of {seconds:.3f} s", flush=True)


def after(runs: Mapping[int, Sequence[float]], count: int) -> list[float]:
    """The results of the runs after so many evaluations."""
    return [runs[seed][1 + KEPT.index(count)] for seed in sorted(runs)]


def cell(values: Sequence[float], stated: Sequence[float] | None, runs: int) -> str:
    """Mean ± standard deviation, and its distance from the reference in standard errors of both."""
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    shown = f"{mean:.2f} ± {deviation:.2f}"
    if stated is None:
        return shown
    error = math.hypot(deviation / math.sqrt(len(values)), stated[1] / math.sqrt(runs))
    return f"{shown} ({(mean - stated[0]) / error:+.1f})"


def print_table(table: str, results: Results, references: Mapping[str, Mapping[str, object]]) -> None:
    print(f"\n{TITLES[table]}\n\n| strategy | runs | distinct of 150 | " + " | ".join(map(str, SHOWN)) + " |")
    print("|---|---|---|" + "---|" * len(SHOWN))
    for name, row in ROWS.items():
        runs = results[table, name]
        if len(runs) < 2:
            continue
        reference = references.get(row.reference)
        cells = []
        for count in SHOWN:
            stated = reference and reference["mean_and_sd_of_final_accuracy_after"][str(count)]
            cells.append(cell(after(runs, count), stated, reference["runs"] if reference else 0))
        distinct = statistics.mean(run[0] for run in runs.values())
        print(f"| {name} | {len(runs)} | {distinct:.0f} | " + " | ".join(cells) + " |")


def print_power(table: str, results: Results, name: str, other: str = "random") -> None:
    """How many runs find the difference between two strategies with a probability of 80 % at a level of 5 %, where the
    runs of both are independent, and where they have the same keys."""
    first, second = results[table, name], results[table, other]
    seeds = sorted(first.keys() & second.keys())
    if len(seeds) < 2:
        return
    for count in SHOWN:
        ours, theirs = (after({seed: runs[seed] for seed in seeds}, count) for runs in (first, second))
        gap = statistics.mean(ours) - statistics.mean(theirs)
        paired = statistics.stdev(a - b for a, b in zip(ours, theirs, strict=True))
        apart = math.hypot(statistics.stdev(ours), statistics.stdev(theirs))
        shown = f"{gap:+.2f} ± {1.96 * paired / math.sqrt(len(seeds)):.2f}"
        print(f"| {TITLES[table]} | {name} | {count} | {shown} | {needed(apart, gap)} | {needed(paired, gap)} |")


def needed(deviation: float, gap: float) -> str:
    """Runs of each strategy for a power of 80 %: ((1.96 + 0.84) · deviation / gap)², and 2 for the t distribution."""
    return f"{math.ceil((2.80 * deviation / gap) ** 2 + 2):,}" if gap else "–"


def curves(table: str, results: Results) -> list[SearchCurve]:
    """The drawn strategies, each with the 95 % interval of its mean."""
    found = []
    for name in DRAWN:
        if len(results[table, name]) < 2:
            continue
        counts = list(KEPT[1:])
        values = [after(results[table, name], count) for count in counts]
        means = [statistics.mean(row) for row in values]
        edges = [1.96 * statistics.stdev(row) / math.sqrt(len(row)) for row in values]
        low, high = ([mean + sign * edge for mean, edge in zip(means, edges, strict=True)] for sign in (-1, 1))
        found.append(SearchCurve(name, counts, means, low, high))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--slow-runs", type=int, default=50, help="of those that take more than 0.1 s a run")
    parser.add_argument("--only", help="begins of strategies' names, separated by commas")
    parser.add_argument("--results", type=Path, default=Path("runs/search_strategies.csv"))
    parser.add_argument("--picture", type=Path, default=Path("runs/search_strategies.png"))
    options = parser.parse_args()
    folder = reference_folder()
    if folder is None:
        parser.error("the tables are not here: see benchmarks/nasbench_tables.py, and let LIT_CNN_REFERENCE name them")
    torch.set_num_threads(1)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    results = read_results(options.results)
    tables = [read_table(folder, name) for name in TITLES]
    chosen = tuple(options.only.split(",")) if options.only else ("",)
    for name, row in ROWS.items():
        for table in tables if name.startswith(chosen) else ():
            measure(table, name, range(options.slow_runs if row.slow else options.runs), options.results, results)
    curves_file = folder / "nasbench_extract.curves.json"
    stated = json.loads(curves_file.read_text())["tables"] if curves_file.is_file() else []
    references = {table["table"]: {row["name"]: row for row in table["strategies"]} for table in stated}
    for table in TITLES:
        print_table(table, results, references.get(table, {}))
    print(
        "\n| table | against random | evaluations | difference | runs of each | paired runs |"
        "\n|---|---|---|---|---|---|"
    )
    for table in TITLES:
        for name in ("evolution P 20, S 5", "evolution P 30, S 10", "local search", "ridge", "REINFORCE, rate 0.01"):
            print_power(table, results, name)
    order = ", ".join(f"{name} {error}" for name, error in PUBLISHED.items())
    print(f"\nPublished for NAS-Bench-101 after 150 evaluations, test error in percent: {order}")
    panels = {TITLES[table]: curves(table, results) for table in TITLES}
    if any(panels.values()):
        title = "Final accuracy of the network with the best reward so far"
        draw_search_curves(
            panels, options.picture, title=title, metric="accuracy (%)", band="95 % interval of the mean"
        )
        print(options.picture)


if __name__ == "__main__":
    main()
