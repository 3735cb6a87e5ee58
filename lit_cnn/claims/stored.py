"""Results that were measured before the claims were written down, from docs/measurements of a checkout."""

import csv
import re
from pathlib import Path

MEASUREMENTS = Path(__file__).resolve().parents[2] / "docs" / "measurements"
SCALING, STRATEGIES, LATENCIES = "compound_scaling.csv", "search_strategies.md", "latency_table.md"


def measurement(name: str) -> Path:
    """The file of that name.

    Raises:
        ValueError: If there is none, as in an installed copy.
    """
    path = MEASUREMENTS / name
    if not path.is_file():
        raise ValueError(f"there is no {path}: measurements are read from a checkout of lit-cnn")
    return path


def scaling_runs() -> dict[str, dict[int, dict[str, float]]]:
    """``RULEx<BUDGET>`` -> seed -> accuracy and nll of the runs of benchmarks/compound_scaling.py."""
    path = measurement(SCALING)
    runs: dict[str, dict[int, dict[str, float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            figures = {"accuracy": float(row["accuracy"]), "nll": float(row["nll"])}
            runs.setdefault(f"{row['arm']}x{row['budget']}", {})[int(row["seed"])] = figures
    return runs


def strategy_means(table: str, budgets: tuple[int, ...] = (60, 100, 150)) -> dict[str, float]:
    """``STRATEGY BUDGET.mean``, ``.sd`` and ``.n`` from a table of benchmarks/search_strategies.py, in points.

    Args:
        table: Beginning of its heading.
        budgets: Numbers of evaluations of its last columns.
    """
    text = measurement(STRATEGIES).read_text(encoding="utf-8")
    section = text[text.index(f"## {table}") :].split("\n## ")[0]
    figures: dict[str, float] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found = [re.match(r"([\d.]+) ± ([\d.]+)", cell) for cell in cells[-len(budgets) :]]
        if len(cells) < len(budgets) + 2 or not all(found):
            continue
        for budget, each in zip(budgets, found, strict=True):
            assert each is not None
            key = f"{cells[0]} {budget}"
            figures |= {f"{key}.mean": float(each[1]), f"{key}.sd": float(each[2]), f"{key}.n": float(cells[1])}
    return figures


def latencies() -> dict[tuple[str, int], float]:
    """(network, side in px) -> measured milliseconds of one image; empty in an installed copy."""
    path = MEASUREMENTS / LATENCIES
    if not path.is_file():
        return {}
    section = path.read_text(encoding="utf-8").split("## Networks of the catalog")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\S+) \| (\d+) \| (?:yes|no) \| [\d.]+ \| ([\d.]+) \|", section, re.MULTILINE)
    return {(name, int(side)): float(measured) for name, side, measured in rows}
