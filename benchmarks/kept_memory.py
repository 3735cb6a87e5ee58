"""Processor time of steps in processes that keep freed memory, as lit-cnn's commands do, and in those that return it.

    python benchmarks/kept_memory.py                        # one thread, 2 minutes
    python benchmarks/kept_memory.py --pairs 7 resnet50:64

Each pair is two processes one after the other, in turns; the ratio is of user and system time together. A network is
NAME:SIZE; training steps have a batch of 32, evaluation steps too.
"""

import argparse
import resource
import statistics
import subprocess
import sys

NETWORKS = ["cifar_resnet20:32", "resnet18:96", "mobilenet_v2:160", "efficientnet_lite0:224"]
BATCH, STEPS = 32, 5


def measure(name: str, size: int, keeps: bool) -> None:
    """Print processor seconds of training and of evaluation steps, and the largest memory in MB."""
    from lit_cnn.allocation import keep_freed_memory

    if keeps and not keep_freed_memory():
        sys.exit("freed memory cannot be kept here: this needs glibc, and no MALLOC_ or GLIBC_TUNABLES variable")
    import torch

    from lit_cnn.architectures.catalog import create_model

    torch.set_num_threads(1)
    network = create_model(name, num_classes=10).to(memory_format=torch.channels_last)
    images = torch.randn(BATCH, 3, size, size).to(memory_format=torch.channels_last)
    targets = torch.arange(BATCH) % 10
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def train() -> None:
        torch.nn.functional.cross_entropy(network(images), targets).backward()
        optimizer.step()
        optimizer.zero_grad()

    @torch.no_grad()
    def evaluate() -> None:
        network(images)

    seconds = []
    for step, prepare in ((train, network.train), (evaluate, network.eval)):
        prepare()
        step()
        before = used()
        for _ in range(STEPS):
            step()
        seconds.append(used() - before)
    print(*seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def used() -> float:
    """Processor seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run(network: str, keeps: bool) -> tuple[float, float, float]:
    done = subprocess.run(
        [sys.executable, __file__, network, "--measure", str(int(keeps))], capture_output=True, text=True, check=True
    )
    train, evaluate, memory = map(float, done.stdout.split())
    return train, evaluate, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        name, size = options.networks[0].split(":")
        measure(name, int(size), bool(options.measure))
        return
    print("| network | training | evaluation | memory |\n|---|---|---|---|")
    for network in options.networks:
        pairs = [
            (run(network, True), run(network, False))
            if number % 2
            else tuple(reversed((run(network, False), run(network, True))))
            for number in range(options.pairs)
        ]
        ratios = [[kept[part] / returned[part] for kept, returned in pairs] for part in range(3)]
        cells = [f"{statistics.median(part):.2f} [{min(part):.2f}, {max(part):.2f}]" for part in ratios]
        print(f"| {network} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
