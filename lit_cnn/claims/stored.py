"""Results that were measured before the claims were written down, from docs/measurements of a checkout."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEASUREMENTS = Path(__file__).resolve().parents[2] / "docs" / "measurements"
SCALING, STRATEGIES, LATENCIES = "compound_scaling.csv", "search_strategies.md", "lecture_latency.md"


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


@dataclass(frozen=True)
class Latencies:
    """Of one image, measured on one machine.

    Args:
        machine: Processor, instruction set, versions and date, as the page states them; empty where nothing is known.
        milliseconds: (network, side in px) -> time.
    """

    machine: str = ""
    milliseconds: Mapping[tuple[str, int], float] = field(default_factory=dict)


def latencies() -> Latencies:
    """Those of the lecture's networks; none in an installed copy."""
    path = MEASUREMENTS / LATENCIES
    if not path.is_file():
        return Latencies()
    text = path.read_text(encoding="utf-8")
    machine = re.search(r"^Machine: (.+?)\.\n\n", text, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| (\S+) \| (\d+) \| yes \| [\d.,]+ \| ([\d.,]+) \|", text, re.MULTILINE)
    assert machine is not None, path
    milliseconds = {(name, int(side)): float(measured.replace(",", "")) for name, side, measured in rows}
    return Latencies(" ".join(machine[1].split()), milliseconds)
