"""Two gloo processes of one thread against one process of two threads, at the same global batch, and DDP's buckets.

    python benchmarks/ddp_scaling.py [NAME ...] [--batch-size 32] [--image-size 64] [--steps 4] [--rounds 5]

One training step is forward, backward, all-reduce and SGD on random images in float32, channels_last. The settings take
turns within each round, while the others wait; the table has medians over the rounds, and the speed relative to the one
process pair by pair with its smallest and largest value: by elapsed time, and by the processor time of all threads and
processes, which other programs disturb less. 25 MB as views is what ``lit-cnn fit`` sets; halved gradients (float16)
are not exact and only shown; without the all-reduce, which trains two networks, it shows what two processes
could reach at most.
"""

import argparse
import datetime
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as lit-cnn's commands do

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import fp16_compress_hook
from torch.nn.parallel import DistributedDataParallel

import lit_cnn
from lit_cnn.benchmarking.interleaving import take_turns

PROCESSES = 2
SINGLE = f"1 process, {PROCESSES} threads"


@dataclass(frozen=True)
class Buckets:
    """How DistributedDataParallel gathers gradients.

    Args:
        megabytes: Of one all-reduce.
        view: Whether gradients live in what is reduced.
        static: Whether the graph is promised to be the same in all steps.
        halved: Whether they are sent as float16.
        exchanged: Whether they are sent at all.
    """

    megabytes: int
    view: bool
    static: bool = False
    halved: bool = False
    exchanged: bool = True

    def __str__(self) -> str:
        kinds = {"as views": self.view, "static graph": self.static, "halved": self.halved}
        kinds["no all-reduce"] = not self.exchanged
        return ", ".join([f"{PROCESSES} processes, {self.megabytes} MB buckets", *(k for k, on in kinds.items() if on)])

    def wrap(self, network: nn.Module) -> DistributedDataParallel:
        wrapped = DistributedDataParallel(
            network, bucket_cap_mb=self.megabytes, gradient_as_bucket_view=self.view, static_graph=self.static
        )
        if self.halved:
            wrapped.register_comm_hook(None, fp16_compress_hook)
        return wrapped


BUCKETS = (
    *(Buckets(1, False), Buckets(25, False), Buckets(25, True), Buckets(100, True)),
    *(Buckets(25, True, static=True), Buckets(25, True, halved=True), Buckets(25, True, exchanged=False)),
)
"""25 MB without views is PyTorch's default, with views ours."""


def make_step(
    network: nn.Module, images: Tensor, exchange: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Callable[[], None]:
    """One training step on ``images`` (N, C, H, W) with random targets, within ``exchange``."""
    targets = torch.arange(len(images)) % 10
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        with exchange():
            nn.functional.cross_entropy(network(images), targets).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def make_network(name: str) -> nn.Module:
    torch.manual_seed(0)
    return lit_cnn.create_model(name, num_classes=10).to(memory_format=torch.channels_last).train()


def make_images(number: int, side: int) -> Tensor:
    return torch.randn(number, 3, side, side).to(memory_format=torch.channels_last)


def make_distributed_step(name: str, buckets: Buckets, images: Tensor) -> Callable[[], None]:
    wrapped = buckets.wrap(make_network(name))
    return make_step(wrapped, images, nullcontext if buckets.exchanged else wrapped.no_sync)


def seconds(step: Callable[[], None], number: int) -> tuple[float, float]:
    """Elapsed and processor time of one of ``number`` steps."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(number):
        step()
    return (time.perf_counter() - wall) / number, (time.process_time() - processor) / number


def serve(rank: int, pipe: Connection, rendezvous: str, name: str, batch_size: int, side: int) -> None:
    """Answer every (setting, steps) from ``pipe`` with the seconds of a step; one network at a time is in memory."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=PROCESSES)
    images = make_images(batch_size // PROCESSES, side)
    while (request := pipe.recv()) is not None:
        buckets, number = request
        step = make_distributed_step(name, buckets, images)
        step()  # the first one allocates
        dist.barrier()
        pipe.send(seconds(step, number))
        del step
    dist.destroy_process_group()


Times = dict[str, list[float]]
"""Setting -> seconds of a training step, one figure a round."""


def measure(name: str, batch_size: int, side: int, steps: int, rounds: int) -> tuple[Times, Times]:
    """Elapsed and processor times, after one round that is not counted."""
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

        processor: Times = {}

        def alone() -> float:
            wall, busy = seconds(single, steps)
            processor.setdefault(SINGLE, []).append(busy)
            return wall

        def ask(buckets: Buckets) -> float:
            for pipe in pipes:
                pipe.send((buckets, steps))
            taken = [pipe.recv() for pipe in pipes]
            processor.setdefault(str(buckets), []).append(sum(busy for _, busy in taken))
            return max(wall for wall, _ in taken)

        turns: dict[str, Callable[[], float]] = {SINGLE: alone}
        turns |= {str(buckets): partial(ask, buckets) for buckets in BUCKETS}
        for turn in turns.values():
            turn()
        processor.clear()
        elapsed = take_turns(turns, rounds=rounds)
        for pipe, worker in zip(pipes, workers, strict=True):
            pipe.send(None)
            worker.join()
    return elapsed, processor


def relative(times: Times, setting: str) -> str:
    """Speed relative to the one process: median, and smallest to largest."""
    ratios = [one / other for one, other in zip(times[SINGLE], times[setting], strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["resnet18", "mobilenet_v2", "vgg11"], metavar="NAME")
    parser.add_argument("--batch-size", type=int, default=32, help="images of all processes together")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=4, help="training steps per figure")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for name in options.names:
        elapsed, processor = measure(name, options.batch_size, options.image_size, options.steps, options.rounds)
        for setting, values in elapsed.items():
            speed = f"{options.batch_size / statistics.median(values):.1f}"
            rows.append(
                f"| {name} | {setting} | {speed} | {relative(elapsed, setting)} | {relative(processor, setting)} |"
            )
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, {datetime.date.today()}")
    print(f"global batch {options.batch_size}, {options.image_size} px, medians of {options.rounds} rounds")
    print("| network | setting | images/s | one process = 1 | by processor time |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
