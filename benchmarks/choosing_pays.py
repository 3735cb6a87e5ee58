"""Does choosing pay? ``lit-cnn choose`` against rules of thumb, with the same images, budget and device.

    LIT_CNN_DATA=... python benchmarks/choosing_pays.py --data flowers --budget 20m --max-params 6M \\
        --max-latency-ms 10 --weights lite0.ckpt --out choices/flowers [--finish]

Choices are made with the weights and without; the rules, from random weights and without limits, are always ResNet-50,
always EfficientNet-B0, and the largest network that is within the limits, at ``--rule-size``. Each rule is a choice
between one candidate, so it is trained and judged as a choice trains and judges, with the whole budget for itself.
Printed are accuracies and the paired difference over the same images; the aim is that no rule is ahead by more than a
standard error. Choices are kept below ``--out``: the same command goes on where it was stopped, and prints the table
again once all are made. Nothing else may run while latencies are measured.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_cnn.choosing.probing import ANSWERED, PROBES
from lit_cnn.choosing.running import ANSWERS
from lit_cnn.choosing.ties import Answers, Z, paired_difference
from lit_cnn.choosing.wishes import RESULT
from lit_cnn.evaluation.run_records import runs_below
from lit_cnn.profiling.counting import count_model
from lit_cnn.run_folder.metrics_csv import read_metrics

RULES = ("resnet50", "efficientnet_b0")
LARGEST = "largest that fits"


@dataclass(frozen=True)
class Choice:
    """What a choice came to.

    Args:
        name: Of the way of choosing.
        result: ``choice.json``.
        answers: Image -> whether what is recommended is right.
        in_full: Top-1 in percent of the recipe trained in full, on its validation images; None if it was not.
    """

    name: str
    result: dict[str, Any]
    answers: Answers
    in_full: float | None

    @property
    def accuracy(self) -> float:
        """In percent."""
        return 100 * sum(self.answers.values()) / len(self.answers)

    @property
    def row(self) -> dict[str, Any]:
        """Of what is recommended."""
        return next(row for row in self.result["rows"] if row["name"] == self.result["recommended"])


def choose(name: str, folder: Path, words: list[str]) -> Choice:
    """Make a choice, continue it, or read it."""
    command = [sys.executable, "-m", "lit_cnn", "choose", *words, "--out", str(folder)]
    print("$", " ".join(command), file=sys.stderr, flush=True)
    subprocess.run(command, check=True, stdout=sys.stderr)
    result = json.loads((folder / RESULT).read_text())
    recommended = result["recommended"]
    trained = json.loads((folder / ANSWERS / f"{recommended}.json").read_text())
    probe = folder / PROBES / f"{recommended}.json"
    probed = json.loads(probe.read_text()).get(ANSWERED, {}) if probe.is_file() else {}
    answers = probed if sum(probed.values()) >= sum(trained.values()) else trained
    return Choice(name, result, answers, accuracy_in_full(folder / "finished"))


def accuracy_in_full(runs: Path) -> float | None:
    found = list(runs_below(runs)) if runs.is_dir() else []
    values = [row["val/acc1"] for row in read_metrics(found[-1] / "metrics.csv") if "val/acc1" in row] if found else []
    return 100 * max(values) if values else None


def largest_within(result: dict[str, Any]) -> str:
    """The network with most parameters of those that the limits left, tried or not."""
    tried = {row["name"] for row in result["rows"]}
    names = tried | {name for name in result["untried"] if name.rpartition("-")[2].isdigit()}
    networks = {name.rpartition("-")[0] for name in names - set(result["rejected_candidates"])}
    return max(networks, key=lambda network: count_model(network).params)


def make_choices(options: argparse.Namespace) -> tuple[list[Choice], list[Choice]]:
    """Choices, and those of the rules."""
    shared = ["--data", options.data, "--budget", options.budget, "--pretrained", "none"]
    shared += ["--finish"] if options.finish else []
    limits: list[str] = []
    for flag in ("max_params", "max_latency_ms"):
        value = getattr(options, flag)
        limits += [f"--{flag.replace('_', '-')}", value] if value else []
    chosen = [choose("choose, from random weights", options.out / "without", [*shared, *limits])]
    if options.weights:
        words = [word for weights in options.weights for word in ("--weights", weights)]
        chosen.append(choose("choose, with the weights", options.out / "with", [*shared, *limits, *words]))
    rules = []
    for rule in (*RULES, LARGEST):
        network = largest_within(chosen[0].result) if rule == LARGEST else rule
        words = ["--networks", network, "--sizes", str(options.rule_size)]
        same = next((made for made in rules if made.row["architecture"] == network), None)
        name = f"{rule} ({network})" if rule == LARGEST else f"always {rule}"
        if same is None:
            rules.append(choose(name, options.out / network, [*shared, *words]))
        else:
            print(f"{name} is {same.name}", file=sys.stderr)
    return chosen, rules


def report(chosen: list[Choice], rules: list[Choice]) -> None:
    first = chosen[0].result
    print(f"{first['images']} images in {first['folds']} folds; {first['device']}; {first['condition']}\n")
    print(
        "| way of choosing | network | ms | top-1 % | in full % | " + " | ".join(f"{c.name} ahead by" for c in chosen)
    )
    print("|---" * (5 + len(chosen)) + "|")
    for each in (*chosen, *rules):
        row = each.row
        ahead = [difference(choice, each) if each is not choice else "" for choice in chosen]
        full = "" if each.in_full is None else f"{each.in_full:.1f}"
        cells = [each.name, row["name"], f"{row['costs']['latency_ms']:.1f}", f"{each.accuracy:.1f}", full, *ahead]
        print("| " + " | ".join(cells) + " |")


def difference(choice: Choice, other: Choice) -> str:
    """Points that the choice is ahead, in standard errors too; bold where it is behind by more than one."""
    mean, low, high = (100 * value for value in paired_difference(choice.answers, other.answers))
    error = (high - low) / (2 * Z)
    text = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}], standard error {error:.1f}"
    return f"**{text}**" if mean < -error else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--budget", default="20m")
    parser.add_argument("--max-params")
    parser.add_argument("--max-latency-ms")
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--rule-size", type=int, default=224, help="px of the rules' images")
    parser.add_argument("--finish", action="store_true", help="train each recipe in full")
    parser.add_argument("--out", type=Path, required=True)
    report(*make_choices(parser.parse_args()))


if __name__ == "__main__":
    main()
