"""The page on what benchmarks/search_estimators.py has measured, and its picture."""

import csv
import os
import statistics
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from estimator_results import EPOCHS, OTHER_SEED, TRUTH_SEED, Result, read_results
from report_text import wrapped

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes, write_figure
from lit_cnn.search.estimators.kendall import kendall_tau
from lit_cnn.search.estimators.learning_curve import extrapolate, last_value, negative_loss_sum
from lit_cnn.search.estimators.ranking import Estimates, Interval, Ranking, rank

SEEN = 4
"""Epochs of a training that its learning curve is judged by."""
FEWEST = 8
"""Networks below which there is nothing to report."""

Results = dict[tuple[int, int, str, int], Result]
Estimator = Callable[[Results, int], tuple[float, float]]
"""(results, number of the network) -> value and seconds; KeyError where it was not measured."""


def score(name: str) -> Estimator:
    def estimate(results: Results, number: int) -> tuple[float, float]:
        result = results[number, OTHER_SEED, name, 0]
        return result.value, result.seconds

    return estimate


def training(epochs: int, what: str = "train") -> Estimator:
    def estimate(results: Results, number: int) -> tuple[float, float]:
        result = results[number, OTHER_SEED, what, epochs]
        return result.value, result.seconds

    return estimate


def beginning(judge: Callable[[Result], float], seed: int) -> Estimator:
    def estimate(results: Results, number: int) -> tuple[float, float]:
        result = results[number, seed, "train", EPOCHS]
        return judge(result), result.seconds * SEEN / EPOCHS

    return estimate


def curves(seed: int) -> dict[str, Estimator]:
    return {
        f"accuracy after {SEEN} of {EPOCHS} epochs": beginning(lambda run: last_value(run.curve[:SEEN]), seed),
        f"power law through these {SEEN}": beginning(lambda run: extrapolate(run.curve[:SEEN], EPOCHS), seed),
        f"training loss of epoch {SEEN}": beginning(lambda run: negative_loss_sum(run.losses[:SEEN], 1), seed),
        f"training losses of {SEEN} epochs": beginning(lambda run: negative_loss_sum(run.losses[:SEEN]), seed),
    }


CHEAP: dict[str, Estimator] = {
    "params": score("params"),
    "madds": score("madds"),
    "synflow": score("synflow"),
    "naswot": score("naswot"),
    "1 epoch": training(1),
    "2 epochs": training(2),
}
INHERITED: dict[str, Estimator] = {"2 epochs from a parent's weights": training(2, "inherit")}


OPENING = """\
# Estimators of a network's accuracy: Kendall's tau and cost

```
LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/search_estimators.py  # continues where it was stopped
LIT_CNN_REFERENCE=... python benchmarks/search_estimators.py --report      # this page, from the .csv next to it
```

2 cores of an AMD EPYC with AVX-512 BF16, torch 2.14.1, Python 3.11, one thread, float32, 2026-11-29; other jobs shared
the cores, so seconds are processor time.

Networks: the first that random search with seed 0 draws from AmoebaNet's eight operations, 5 blocks, one normal cell
per stack, 8 filters. Truth: accuracy on 5,000 images after 10 epochs of 5,000 others, CIFAR-10 averaged to 16 px, seed
0. In brackets: 95 % intervals of a bootstrap over the networks, the same draws for all estimators, so leads have
intervals of their own. Best: the half with the highest truth. No estimator can be expected above the tau between two
seeds of the truth. Seconds of an estimate are those of one network.
""".splitlines()
EVERY = (
    "Short trainings have a cosine of their own and seed 1, so they share no draw with the truth. The learning curves "
    f"are the first {SEEN} epochs of the truth's own run, which flatters them: see the next section."
)
ANOTHER_SEED = "The same, on the networks that were trained with both seeds: curves of seed 1, truth of seed 0."
INHERITING = (
    "The parent is one mutation away and was trained for 8 epochs; the child trains 2 more, so both have seen the 10 "
    "epochs of the truth in total. The seconds are the child's alone, as in a search that has trained the parent."
)
PUBLISHED = "NAS-Bench-201, CIFAR-10, accuracy after 200 epochs; the figures of the estimators are those of the table."


def compare(results: Results, estimators: dict[str, Estimator]) -> Ranking | None:
    """The ranking on all networks that have the truth and every estimate; None if they are too few."""
    found: dict[int, list[tuple[float, float]]] = {}
    for number in sorted({key[0] for key in results}):
        try:
            truth = results[number, TRUTH_SEED, "train", EPOCHS]
            found[number] = [(truth.value, truth.seconds), *(each(results, number) for each in estimators.values())]
        except KeyError:
            continue
    if len(found) < FEWEST:
        return None
    columns = list(zip(*found.values(), strict=True))
    estimates = [
        Estimates(name, [value for value, _ in column], statistics.mean(seconds for _, seconds in column))
        for name, column in zip(estimators, columns[1:], strict=True)
    ]
    again = [results.get((number, OTHER_SEED, "train", EPOCHS)) for number in found]
    second = [None if result is None else result.value for result in again]
    enough = sum(value is not None for value in second) >= FEWEST
    return rank(estimates, [value for value, _ in columns[0]], second_seed=second if enough else None)


def verdict(ranking: Ranking) -> str:
    """Which leads over the baseline are decided, and how many networks would decide the others."""
    parts = []
    for where, networks in (("whole", ranking.networks), ("best", ranking.best_networks)):
        said = []
        for row in ranking.rows:
            lead = (row.whole if where == "whole" else row.best).lead
            if row.name != ranking.baseline:
                said.append(f"{row.name} {_decision(lead, networks)}")
        place = f"On all {networks} networks" if where == "whole" else f"On the best {networks}"
        parts.append(f"{place}, against {ranking.baseline}: {'; '.join(said)}.")
    return "\n".join(f"- {line}" for part in parts for line in [textwrap.fill(part, 118, subsequent_indent="  ")])


def _decision(lead: Interval, networks: int) -> str:
    value, low, high = lead
    if low > 0:
        return "**ahead**"
    if high < 0:
        return "**behind**"
    needed = networks * ((high - low) / 2 / value) ** 2 if value else float("inf")
    return f"not decided (about {needed:,.0f} networks would)" if networks < needed < 10_000 else "not decided"


def spread(results: Results) -> str:
    truths = [result for key, result in results.items() if key[1:] == (TRUTH_SEED, "train", EPOCHS)]
    values = [100 * result.value for result in truths]
    pairs = [
        100 * (results[number, OTHER_SEED, "train", EPOCHS].value - results[number, TRUTH_SEED, "train", EPOCHS].value)
        for number in range(len(truths))
        if (number, OTHER_SEED, "train", EPOCHS) in results and (number, TRUTH_SEED, "train", EPOCHS) in results
    ]
    text = (
        f"Truth: {len(values)} networks, {min(values):.1f} to {max(values):.1f} %, mean {statistics.mean(values):.1f}, "
        f"standard deviation {statistics.stdev(values):.2f} points; {statistics.mean(r.seconds for r in truths):.0f} s "
        "each."
    )
    if len(pairs) >= 2:
        seeds = (statistics.mean(value**2 for value in pairs) / 2) ** 0.5
        text += f" Standard deviation between seeds of one network: {seeds:.2f} points ({len(pairs)} networks)."
    return text


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"nasbench_extract.{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def published() -> list[str]:
    """The same on published tables, where they are; see benchmarks/nasbench_tables.py."""
    folder = Path(os.environ.get("LIT_CNN_REFERENCE", ""))
    if not (folder / "nasbench_extract.proxies.csv").is_file():
        return []
    rows = [r for r in read_table(folder, "proxies") if (r["benchmark"], r["dataset"]) == ("nasbench201", "cifar10")]
    short = {row["code"]: float(row["cifar10_val12"]) for row in read_table(folder, "nb201")}
    names = {"params": "params", "flops": "madds", "synflow": "synflow", "nwot": "naswot"}
    estimates = [Estimates(shown, [float(row[name]) for row in rows]) for name, shown in names.items()]
    estimates.append(Estimates("12 of 200 epochs", [short[row["code"]] for row in rows]))
    truth = [float(row["val_accuracy"]) for row in rows]
    half, quarter = (rank(estimates, truth, best_share=share) for share in (0.5, 0.25))
    seeds = np.array([[float(row[f"acc_seed{seed}"]) for seed in range(3)] for row in read_table(folder, "macro")])
    best = np.argsort(-seeds.mean(1), kind="stable")[: len(seeds) // 4]
    taus = [kendall_tau(seeds[rows, 0], seeds[rows, 1]) for rows in (np.arange(len(seeds)), best)]
    ceiling = (
        f"Two seeds of NAS-Bench-Macro agree with tau {taus[0]:.2f} on all {len(seeds):,} networks, and "
        f"with {taus[1]:.2f} on the best quarter by the mean of three seeds: that is the ceiling of any estimator."
    )
    title = "On published tables"
    return [
        *section(title, PUBLISHED, half),
        "The same with the best quarter:",
        "",
        quarter.table(),
        "",
        wrapped(ceiling),
    ]


def draw(ranking: Ranking, path: Path) -> None:
    """Tau with its interval for each estimator, and the ceiling as dashed lines."""
    figure = new_figure(8, 0.9 + 0.42 * len(ranking.rows))
    axes = figure.add_axes((0.33, 0.22, 0.64, 0.66))
    plain_axes(axes)
    sides = (("whole", BLUE, -0.14, f"all {ranking.networks}"), ("best", RED, 0.14, f"best {ranking.best_networks}"))
    for where, color, shift, label in sides:
        taus = [(row.whole if where == "whole" else row.best).tau for row in ranking.rows]
        places = [number + shift for number in range(len(taus))]
        errors = [[tau.value - tau.low for tau in taus], [tau.high - tau.value for tau in taus]]
        axes.errorbar([tau.value for tau in taus], places, xerr=errors, fmt="o", ms=4, color=color, label=label)
        if ranking.ceiling is not None:
            top = ranking.ceiling.whole if where == "whole" else ranking.ceiling.best
            axes.axvline(top.value, color=color, linestyle="--", linewidth=1, alpha=0.7)
    axes.axvline(0, color=GRAY, linewidth=0.8)
    axes.set_yticks(range(len(ranking.rows)), [row.name for row in ranking.rows])
    axes.invert_yaxis()
    axes.set_xlabel("Kendall's tau with the truth; dashed: between two seeds of the truth", color=INK, fontsize=9)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9)
    write_figure(figure, path)


def section(title: str, text: str, ranking: Ranking | None) -> list[str]:
    if ranking is None:
        return [f"## {title}", "", wrapped(f"{text} Not enough trainings are finished yet."), ""]
    return [f"## {title}", "", wrapped(text), "", ranking.table(), "", verdict(ranking), ""]


def write_report(path: Path) -> None:
    """Write PATH with the ending .md, and .png once there are enough trainings, from the results in it."""
    measured = read_results(path)
    results: Results = {result.key: result for result in measured}
    every = compare(results, {**CHEAP, **curves(TRUTH_SEED)})
    lines = opening(measured)
    if every is not None:
        picture = path.with_suffix(".png")
        draw(every, picture)
        lines += [wrapped(spread(results)), "", f"![Kendall's tau of every estimator]({picture.name})", ""]
    lines += section("All estimators", EVERY, every)
    lines += section("Learning curves of another seed", ANOTHER_SEED, compare(results, {**CHEAP, **curves(OTHER_SEED)}))
    lines += section("Inherited weights", INHERITING + parents(results), compare(results, {**CHEAP, **INHERITED}))
    lines += published()
    path.with_suffix(".md").write_text("\n".join(lines).rstrip() + "\n")
    print(f"wrote {path.with_suffix('.md')}")


def opening(measured: Sequence[Result]) -> list[str]:
    trained = [result for result in measured if result.epochs]
    hours = sum(result.seconds for result in trained) / 3600
    return [*OPENING, "", f"{len(trained)} trainings so far, {hours:.1f} hours of processor time.", ""]


def parents(results: Results) -> str:
    """How the inheriting children end, next to the truth of the same number of epochs in total."""
    pairs = [
        (result.value, results[key[0], TRUTH_SEED, "train", EPOCHS].value)
        for key, result in results.items()
        if key[2] == "inherit" and (key[0], TRUTH_SEED, "train", EPOCHS) in results
    ]
    if not pairs:
        return ""
    child, truth = (100 * statistics.mean(column) for column in zip(*pairs, strict=True))
    return f" Mean accuracy of {len(pairs)} children: {child:.1f} %, of their truths {truth:.1f} %."
