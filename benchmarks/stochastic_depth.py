"""The time that stochastic depth saves by skipping the blocks that a batch's gate drops.

    python benchmarks/stochastic_depth.py --threads 1 --clock cpu       # ResNet-110 as in its recipe, 6 to 10 minutes

Training steps (forward, cross-entropy, backward, SGD with momentum; float32, channels_last, one batch of noise) of the
same network in turns: with blocks skipped, with the same blocks computed and multiplied by 0, and without stochastic
depth. Huang et al., 2016 (arXiv:1603.09382) report 25 % less training time for ResNet-110 on CIFAR-10.
"""

import argparse
import copy
import statistics
from collections.abc import Callable

import torch
import torch.nn.functional as F
from interleaved import CLOCKS, timed
from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.layers.keyed import set_random_key
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.benchmarking.interleaving import ratios, take_turns


def drop_paths(network: nn.Module) -> list[StochasticDepth]:
    return [layer for layer in network.modules() if isinstance(layer, StochasticDepth)]


def training_step(network: nn.Module, images: torch.Tensor, dropped: list[float]) -> Callable[[], None]:
    """A step of ``network`` by the key of its number; the share of blocks that it drops is added to ``dropped``."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
    targets, positions = torch.arange(len(images)) % 10, torch.arange(len(images))
    layers = drop_paths(network)

    def step() -> None:
        set_random_key(network, seed=0, step=len(dropped), positions=positions)
        dropped.append(sum(layer.drops() for layer in layers) / len(layers))
        optimizer.zero_grad()
        F.cross_entropy(network(images), targets).backward()
        optimizer.step()

    return step


def contestants(network: nn.Module) -> dict[str, nn.Module]:
    """Copies of ``network`` that skip what a batch's gate drops, that multiply it, and that drop nothing."""
    networks = {name: copy.deepcopy(network) for name in ("skipped", "multiplied", "none")}
    for name, each in networks.items():
        for layer in drop_paths(each):
            layer.gate, layer.skips = "batch", name == "skipped"
            layer.rate = 0.0 if name == "none" else layer.rate
    return networks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", default="cifar_resnet110")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--drop-path", type=float, default=0.5, help="rate of the last block")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--block", type=int, default=5, help="steps of a turn: each drops other blocks")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: time of the processor")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    images = torch.randn(options.batch_size, 3, options.image_size, options.image_size)
    network = create_model(options.name, num_classes=10, drop_path=options.drop_path).train()
    images, network = (part.to(memory_format=torch.channels_last) for part in (images, network))
    turns, dropped = {}, {}
    for name, each in contestants(network).items():
        dropped[name] = []
        step = training_step(each, images, dropped[name])
        step()
        turns[name] = timed(step, options.clock, options.block)
    seconds = take_turns(turns, rounds=options.rounds)
    share = statistics.fmean(dropped["skipped"])
    print(f"{options.name}, batch {options.batch_size}, {options.threads} threads, {share:.1%} of the blocks skipped")
    for name, values in seconds.items():
        print(f"  step, {name:10s} {1e3 * statistics.median(values):8.1f} ms")
    print(f"  skipped over multiplied              {ratios(seconds['skipped'], seconds['multiplied'])}")
    print(f"  skipped over no stochastic depth     {ratios(seconds['skipped'], seconds['none'])}")
    print(f"  multiplied over no stochastic depth  {ratios(seconds['multiplied'], seconds['none'])}")


if __name__ == "__main__":
    main()
