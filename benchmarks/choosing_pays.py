"""Does choosing pay? ``lit-cnn choose`` against rules of thumb, with the same images, budget and device.

    LIT_CNN_DATA=... python benchmarks/choosing_pays.py --data flowers --budget 20m --max-params 6M \\
        --max-latency-ms 10 --weights lite0.ckpt --out choices/flowers [--finish]

Choices are made with the weights and without; the rules, from random weights and without limits, are always ResNet-50,
always EfficientNet-B0, and the largest network that is within the limits, at ``--rule-size``. Each rule is a choice
between one candidate, so it is trained and judged as a choice trains and judges, with the whole budget for itself.
Printed are accuracies and the paired difference over the same images; the aim is that no rule is ahead by more than a
standard error. Choices are kept below ``--out``: the same command goes on where it was stopped, and prints the table of
those that are made. Nothing else may run on the same cores while latencies are measured.

``--ways`` makes some of them now, as for two at once, each on a core of its own:

    OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/choosing_pays.py ... --ways without resnet50 &
    OMP_NUM_THREADS=1 taskset -c 1 python benchmarks/choosing_pays.py ... --ways with efficientnet_b0

``--data cifar10.npz --train-images 10000`` takes the first 10,000 of its training images and all that validate.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lit_cnn.choosing.evidence import gained
from lit_cnn.choosing.probing import ANSWERED, PROBES
from lit_cnn.choosing.running import ANSWERS
from lit_cnn.choosing.ties import Answers, Z, paired_difference
from lit_cnn.choosing.wishes import RESULT
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.evaluation.run_records import runs_below
from lit_cnn.profiling.counting import count_model
from lit_cnn.run_folder.metrics_csv import read_metrics

WITHOUT, WITH = "without", "with"
RULES = ("resnet50", "efficientnet_b0")
LARGEST = "largest"
NAMES = {
    WITHOUT: "choose, from random weights",
    WITH: "choose, with the weights",
    **{network: f"always {network}" for network in RULES},
    LARGEST: "the largest that fits",
}
"""Way of choosing, which is its folder's name -> what the table calls it."""


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


def first_images(options: argparse.Namespace) -> Path:
    """The npz with fewer training images and none that test, below ``--out``."""
    path: Path = options.out / f"{Path(options.data).stem}_{options.train_images}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with np.load(resolve_data_path(options.data)) as arrays:
            kept = {name: arrays[name] for name in arrays if not name.startswith("test")}
        kept |= {name: kept[name][: options.train_images] for name in kept if name.startswith("train")}
        np.savez(path, **kept)
    return path


def choose(way: str, options: argparse.Namespace) -> None:
    """Make a choice, or continue it."""
    command = [sys.executable, "-m", "lit_cnn", "choose", *words_of(way, options), "--out", str(options.out / way)]
    print("$", " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=sys.stderr)
    if done.returncode:  # it has said why
        raise SystemExit(done.returncode)


def result_of(folder: Path) -> dict[str, Any]:
    """``choice.json``, complete."""
    result: dict[str, Any] = json.loads((folder / RESULT).read_text())
    return result


def read_choice(way: str, folder: Path) -> Choice:
    """What a choice in its folder came to."""
    result = result_of(folder)
    recommended = result["recommended"]
    trained = json.loads((folder / ANSWERS / f"{recommended}.json").read_text())
    probe = folder / PROBES / f"{recommended}.json"
    probed = json.loads(probe.read_text()).get(ANSWERED, {}) if probe.is_file() else {}
    answers = trained if gained(probed, trained) or not probed else probed
    return Choice(NAMES[way], result, answers, accuracy_in_full(folder / "finished"))


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


def words_of(way: str, options: argparse.Namespace) -> list[str]:
    """The arguments of ``lit-cnn choose`` for a way of choosing."""
    words = ["--data", options.data, "--budget", options.budget, "--pretrained", "none"]
    if way in RULES or way == LARGEST:
        network = largest_within(result_of(options.out / WITHOUT)) if way == LARGEST else way
        return [*words, "--networks", network, "--sizes", str(options.rule_size)]
    latency = options.max_latency_ms
    if way == WITH:
        words += [word for weights in options.weights for word in ("--weights", weights)]
        latency = options.weights_latency_ms or latency
    words += ["--max-params", options.max_params] if options.max_params else []
    words += ["--max-latency-ms", latency] if latency else []
    return [*words, "--finish"] if options.finish else words


def report(chosen: list[Choice], rules: list[Choice]) -> None:
    if not chosen:
        return
    first = chosen[0].result
    print(f"{first['images']} images; {first['device']}; {first['condition']}\n")
    titles = ["way of choosing", "network", "ms", "epochs", "folds", "top-1 %", "in full %"]
    titles += [f"{choice.name}: ahead by" for choice in chosen]
    print("| " + " | ".join(titles) + " |")
    print("|---" * len(titles) + "|")
    for each in (*chosen, *rules):
        row = each.row
        ahead = [difference(choice, each) if each is not choice else "" for choice in chosen]
        full = "" if each.in_full is None else f"{each.in_full:.1f}"
        cells = [each.name, row["name"], f"{row['costs']['latency_ms']:.1f}", row["epochs"], each.result["folds"]]
        cells += [f"{each.accuracy:.1f}", full, *ahead]
        print("| " + " | ".join(map(str, cells)) + " |")


def difference(choice: Choice, other: Choice) -> str:
    """Points that the choice is ahead, in standard errors too; bold where it is behind by more than one."""
    mean, low, high = (100 * value for value in paired_difference(choice.answers, other.answers))
    error = (high - low) / (2 * Z)
    text = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}], standard error {error:.1f}"
    return f"**{text}**" if mean < -error else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--train-images", type=int, help="of an npz file, instead of all")
    parser.add_argument("--budget", default="20m")
    parser.add_argument("--max-params")
    parser.add_argument("--max-latency-ms")
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--weights-latency-ms", help="of the choice with weights, where none of these is as fast")
    parser.add_argument("--rule-size", type=int, default=224, help="px of the rules' images")
    parser.add_argument("--finish", action="store_true", help="train what the choices recommend in full")
    parser.add_argument("--ways", nargs="+", choices=list(NAMES), help="make these now (all)")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.train_images:
        options.data = str(first_images(options))
    every = [way for way in NAMES if way != WITH or options.weights]
    for way in options.ways or every:
        choose(way, options)
    made = {way: read_choice(way, options.out / way) for way in every if (options.out / way / RESULT).is_file()}
    report(
        [made[way] for way in (WITHOUT, WITH) if way in made], [made[way] for way in (*RULES, LARGEST) if way in made]
    )
    missing = [NAMES[way] for way in every if way not in made]
    if missing:
        print(f"\nnot made yet: {', '.join(missing)}")


if __name__ == "__main__":
    main()
