"""What `lit-cnn fit` costs above a plain PyTorch loop: ratio of the time per step, with its 95 % interval.

    LIT_CNN_DATA=... python benchmarks/trainer_overhead.py cifar|cifar-bf16|resnet50|resnet50-bf16

cifar: ResNet-20 on CIFAR-10 (cifar10.npz), batches of 128 (target: at most 3 %).
resnet50: ResNet-50 on random images of 128 px in memory, batches of 16 (target: at most 1 %).
"""

import argparse
import os
import sys

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as lit-cnn's commands do

import torch

from lit_cnn.benchmarking.overhead import Overhead, measure_noise, measure_overhead, percent

TARGETS = {"cifar": 3.0, "resnet50": 1.0}
CIFAR = ["--config", "cifar10_resnet20", "--data.source=npz", "--data.path=cifar10.npz"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=[name + suffix for name in TARGETS for suffix in ("", "-bf16")])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--block", type=int, default=5, help="steps of a turn")
    options = parser.parse_args()
    name, _, precision = options.case.partition("-")
    turns = {"block": options.block, "rounds": options.rounds}
    keys = ["--trainer.accelerator=cpu", f"--trainer.precision={'bf16-mixed' if precision else '32-true'}"]
    if name == "cifar":
        overhead = measure_overhead([*CIFAR, *keys], **turns)
    else:
        overhead = measure_noise("resnet50", 128, 16, keys, **turns)
    show(options.case, overhead, TARGETS[name])
    return 0


def show(case: str, overhead: Overhead, target: float) -> None:
    fit, plain = overhead.fit_ms, overhead.plain_ms
    print(
        f"{case}: fit {fit.median:.1f} ms, plain loop {plain.median:.1f} ms per step, {percent(overhead)} "
        f"over {overhead.ratio.rounds} turns ({overhead.steps} steps); target at most {target:g} %; "
        f"{torch.get_num_threads()} threads, load average {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
