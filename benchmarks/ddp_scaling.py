"""Two gloo processes of one thread against one process of two threads, at the same global batch, and DDP's buckets.

    python benchmarks/ddp_scaling.py [NAME ...] [--batch-size 32] [--image-size 64] [--steps 4] [--rounds 5]

One training step is forward, backward, all-reduce and SGD on random images in float32, channels_last. The settings take
turns within each round, while the others wait; the table has medians over the rounds, and the ratio to
the one process pair by pair with its smallest and largest value.
"""

import argparse
import datetime
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from interleaved import timed
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

import lit_cnn
from lit_cnn.benchmarking.interleaving import take_turns

PROCESSES = 2
SINGLE = f"1 process, {PROCESSES} threads"


@dataclass(frozen=True)
class Buckets:
    """How DistributedDataParallel gathers gradients: megabytes per all-reduce, and whether gradients live there."""

    megabytes: int
    view: bool

    def __str__(self) -> str:
        return f"{PROCESSES} processes, {self.megabytes} MB buckets" + (", as views" if self.view else "")


BUCKETS = (Buckets(1, False), Buckets(25, False), Buckets(25, True), Buckets(100, True))
"""25 MB without views is PyTorch's default."""


def make_step(network: nn.Module, images: Tensor) -> Callable[[], None]:
    """One training step on ``images`` (N, C, H, W) with random targets."""
    targets = torch.arange(len(images)) % 10
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        nn.functional.cross_entropy(network(images), targets).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def make_network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return lit_cnn.create_model(name, num_classes=10).to(memory_format=torch.channels_last).train()


def make_images(number: int, side: int) -> Tensor:
    return torch.randn(number, 3, side, side).to(memory_format=torch.channels_last)


def serve(rank: int, pipe: Connection, rendezvous: str, name: str, batch_size: int, side: int) -> None:
    """Answer every (setting, steps) from ``pipe`` with the seconds of a step."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=PROCESSES)
    images = make_images(batch_size // PROCESSES, side)
    steps = {
        buckets: make_step(
            DistributedDataParallel(
                make_network(name), bucket_cap_mb=buckets.megabytes, gradient_as_bucket_view=buckets.view
            ),
            images,
        )
        for buckets in BUCKETS
    }
    while (request := pipe.recv()) is not None:
        buckets, number = request
        dist.barrier()
        pipe.send(timed(steps[buckets], times=number)())
    dist.destroy_process_group()


def measure(name: str, batch_size: int, side: int, steps: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of a training step by setting, one figure a round after one that is not counted."""
    torch.set_num_threads(PROCESSES)
    single = make_step(make_network(name), make_images(batch_size, side))
    context = mp.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        pipes, workers = [], []
        for rank in range(PROCESSES):
            ours, theirs = context.Pipe()
            arguments = (rank, theirs, str(Path(folder, "rendezvous")), name, batch_size, side)
            workers.append(context.Process(target=serve, args=arguments, daemon=True))
            workers[-1].start()
            pipes.append(ours)

        def ask(buckets: Buckets) -> float:
            for pipe in pipes:
                pipe.send((buckets, steps))
            return max(pipe.recv() for pipe in pipes)

        turns: dict[str, Callable[[], float]] = {SINGLE: timed(single, times=steps)}
        turns |= {str(buckets): partial(ask, buckets) for buckets in BUCKETS}
        for turn in turns.values():
            turn()
        seconds = take_turns(turns, rounds=rounds)
        for pipe, worker in zip(pipes, workers, strict=True):
            pipe.send(None)
            worker.join()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["resnet18", "mobilenet_v2", "vgg11"], metavar="NAME")
    parser.add_argument("--batch-size", type=int, default=32, help="images of all processes together")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4, help="training steps per figure")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = Table("network", "setting", "images/s", "one process = 1", "smallest to largest")
    for name in options.names:
        seconds = measure(name, options.batch_size, options.image_size, options.steps, options.rounds)
        for setting, values in seconds.items():
            ratios = [one / other for one, other in zip(seconds[SINGLE], values, strict=True)]
            table.add_row(
                name,
                setting,
                f"{options.batch_size / statistics.median(values):.1f}",
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
            )
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, {datetime.date.today()}")
    print(f"global batch {options.batch_size}, {options.image_size} px, medians of {options.rounds} rounds")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
