"""CIFAR-10 to about 94 % on this machine: ``lit-cnn fit cifar10_fast`` against the airbench94 design.

    LIT_CNN_DATA=... python benchmarks/time_to_94.py [--rounds 8] [--precision bfloat16|float32]   # time, minutes
    LIT_CNN_DATA=... python benchmarks/time_to_94.py --full [--at-once]                            # one whole pair
    LIT_CNN_DATA=... python benchmarks/time_to_94.py --accuracy 3 [--rivals]                       # seeds 0, 1, 2

The time is the seconds of a step, measured in turns in one process, times the steps of the whole training: the recipe's
epochs against 9.9 of ``airbench94.py``. --full runs both commands from start to end, one after the other on all cores
or, with --at-once, at the same time with one thread on a core each (by ``taskset``). --accuracy runs the recipe with so
many seeds (with --rivals, the other design, too): mean and 95 % t interval of top-1 on the 2,500 test images of
cifar10.npz, which are held out of CIFAR-10's training images, with one view and with its mirror image.
``--overlay overlays/cifar10_muon`` lays recipes over cifar10_fast, and ``--key`` passes a recipe key on, such as
--key trainer.max_epochs=12.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from airbench94 import BATCH, EPOCHS, Loop
from interleaved import CLOCKS, timed
from time_to_accuracy import recipe_step
from timed_command import Taken, run_command

from lit_cnn.benchmarking.interleaving import ratios, spread, take_turns
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.evaluation.paired import t_interval

HERE = Path(__file__).parent
PRECISIONS = {"bfloat16": "bf16-mixed", "float32": "32-true"}
ENVIRONMENT = {"PYTHONPATH": str(HERE.parent)}


def keys_of(options: argparse.Namespace) -> list[str]:
    """Recipe keys of the command line."""
    return [f"--trainer.precision={PRECISIONS[options.precision]}", *(f"--{key}" for key in options.key)]


def recipes_of(options: argparse.Namespace) -> list[str]:
    """The recipe and what is laid over it."""
    return ["cifar10_fast", *options.overlay]


def compare_steps(options: argparse.Namespace, path: Path) -> None:
    """Print the time of both trainings, from their steps in turns."""
    ours, our_steps, batch_size = recipe_step(recipes_of(options), path, *keys_of(options))
    loop = Loop(path, bfloat16=options.precision == "bfloat16")
    turns = {
        "cifar10_fast": timed(ours, options.clock, max(1, round(options.block * BATCH / batch_size))),
        "airbench94": timed(loop.step, options.clock, options.block),
    }
    for turn in turns.values():
        turn()
    seconds = take_turns(turns, rounds=options.rounds)
    print(f"{torch.get_num_threads()} threads, {options.precision}, {options.clock} clock, {options.rounds} turns")
    totals = {}
    for name, steps in (("cifar10_fast", our_steps), ("airbench94", loop.steps)):
        totals[name] = [value * steps for value in seconds[name]]
        step = spread([1e3 * value for value in seconds[name]])
        print(f"{name}: {step.median:.1f} ms a step x {steps:,} steps = {spread(totals[name]).median:.0f} s")
    print(f"cifar10_fast over airbench94 ({EPOCHS} epochs): {ratios(*totals.values())}")


def run_on(core: int | None, command: Sequence[str], folder: Path) -> Taken:
    """A command on all cores, or with one thread on one of them."""
    if core is None:
        return run_command(command, folder, ENVIRONMENT)
    alone: Mapping[str, str] = {**ENVIRONMENT, "OMP_NUM_THREADS": "1"}
    return run_command(["taskset", "--cpu-list", str(core), *command], folder, alone)


def run_ours(options: argparse.Namespace, path: Path, seed: int, core: int | None = None) -> dict[str, float]:
    """Whole ``lit-cnn fit`` with a seed: seconds, and top-1 in percent by views."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        words = ["fit", *(word for name in recipes_of(options) for word in ("--config", name))]
        words += ["--data.source=npz", f"--data.path={path.resolve()}", f"--seed={seed}"]
        words += ["--trainer.accelerator=cpu", "--tracking.mode=disabled", *keys_of(options)]
        taken = run_on(core, [sys.executable, "-m", "lit_cnn", *words], folder)
        (checkpoint,) = folder.glob("runs/*/*/checkpoints/last.ckpt")
        test = [sys.executable, "-m", "lit_cnn", "test", str(checkpoint), "--views=flip", "--json"]
        said = run_on(core, test, folder).output
    report = json.loads(said[said.index("{") : said.rindex("}") + 1])
    return {
        "command": taken.wall,
        "center": 100 * report["center"]["acc1"],
        "mirrored": 100 * report["views"]["acc1"],
    }


def run_theirs(options: argparse.Namespace, seed: int, core: int | None = None) -> dict[str, float]:
    """Whole ``airbench94.py`` with a seed: seconds, and top-1 in percent by views."""
    command = [sys.executable, str(HERE / "airbench94.py"), "--seed", str(seed), "--precision", options.precision]
    command += ["--epochs", str(options.rival_epochs)]
    taken = run_on(core, command, Path.cwd())
    said = json.loads(taken.output.splitlines()[-1])
    return {"command": taken.wall, **{name: said[name] for name in ("center", "mirrored", "all")}}


def run_at_once(options: argparse.Namespace, path: Path) -> None:
    """Print one whole pair, both at the same time."""
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(run_ours, options, path, 0, core=0)
        theirs = pool.submit(run_theirs, options, 0, core=1)
        show("cifar10_fast", [ours.result()])
        show("airbench94", [theirs.result()])


def show(name: str, runs: list[dict[str, float]]) -> None:
    """One line of a contestant: the mean of its runs with its interval."""
    parts = []
    for key in runs[0]:
        values = [run[key] for run in runs]
        text = f"{values[0]:.2f}"
        if len(values) > 1:
            interval = t_interval(values)
            text = f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
        parts.append(f"{key} {text}{' s' if key == 'command' else ' %'}")
    print(f"{name}, {len(runs)} runs: {', '.join(parts)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--block", type=int, default=3, help="of a turn, in steps of 1,024 images")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16")
    parser.add_argument("--full", action="store_true", help="both commands once, from start to end")
    parser.add_argument("--at-once", action="store_true", help="with --full: at the same time, on a core each")
    parser.add_argument("--accuracy", type=int, metavar="N", help="run N seeds")
    parser.add_argument("--rivals", action="store_true", help="with --accuracy: the other design's, too")
    parser.add_argument("--rival-epochs", type=float, default=EPOCHS, help=argparse.SUPPRESS)
    parser.add_argument("--overlay", action="append", default=[], metavar="NAME", help="recipe over cifar10_fast")
    parser.add_argument("--key", action="append", default=[], metavar="KEY=VALUE", help="of the recipe")
    options = parser.parse_args()
    if options.at_once and not options.full:
        parser.error("--at-once is of --full: add it")
    path, began = resolve_data_path("cifar10.npz"), time.perf_counter()
    if options.at_once:
        run_at_once(options, path)
    elif options.full or options.accuracy:
        seeds = range(options.accuracy or 1)
        show("cifar10_fast", [run_ours(options, path, seed) for seed in seeds])
        if options.full or options.rivals:
            show("airbench94", [run_theirs(options, seed) for seed in seeds])
    else:
        compare_steps(options, path)
    print(f"load average {os.getloadavg()[0]:.1f}, {(time.perf_counter() - began) / 60:.0f} minutes")


if __name__ == "__main__":
    main()
