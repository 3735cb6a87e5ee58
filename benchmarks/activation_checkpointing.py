"""Peak memory and time of a training step with and without activation checkpointing, each in a process of its own.

    python benchmarks/activation_checkpointing.py efficientnet_b7 --image-size 224 --batch-sizes 2 4
    python benchmarks/activation_checkpointing.py nfnet_f6 --image-size 256 --batch-sizes 1 2

Forward, sum of the logits, backward; float32, channels_last, no optimizer. The peak is the most resident memory of the
process less that before the network was built; the difference of two batch sizes, per image, is what one more image
costs. glibc keeps freed blocks of up to 32 MB, which would hide what is saved: memory is measured in a process in which
blocks from 256 kB on go back to the system, time (the processor's) in another without that, because it is slow.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

THRESHOLD = "MALLOC_MMAP_THRESHOLD_"


def measure(name: str, side: int, batch: int, *, checkpointing: bool, threads: int) -> dict[str, float]:
    """One step to warm up, one that is timed."""
    import torch

    from lit_cnn.architectures.catalog import create_model
    from lit_cnn.training.activation_checkpointing import checkpoint_activations

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    torch.manual_seed(0)
    network = create_model(name).to(memory_format=torch.channels_last).train()
    if checkpointing:
        checkpoint_activations(network)
    images = torch.randn(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
    for _ in range(2):
        start = time.process_time()
        network.zero_grad(set_to_none=True)
        network(images).sum().backward()
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    weights = sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())
    return {"peak_mb": (peak - before) / 1e3, "weights_mb": weights / 1e6, "seconds": seconds}


def in_processes(arguments: list[str]) -> dict[str, float]:
    """Seconds of one process, memory of another."""
    command = [sys.executable, __file__, *arguments, "--json"]
    found = []
    plain = {name: value for name, value in os.environ.items() if name != THRESHOLD}
    for settings in ({}, {THRESHOLD: str(2**18)}):
        done = subprocess.run(command, env={**plain, **settings}, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout))
    return {**found[1], "seconds": found[0]["seconds"]}


def row(name: str, batch: Any, plain: dict[str, float], kept: dict[str, float]) -> str:
    saved = 1 - kept["peak_mb"] / plain["peak_mb"]
    memory = f"{plain['peak_mb']:9.0f} {kept['peak_mb']:9.0f} {saved:7.0%}"
    return f"{name:18s} {batch!s:>5s} {memory} {plain['seconds']:9.2f} {kept['seconds']:9.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpointing", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)  # the one measurement of a subprocess
    options = parser.parse_args()
    name, side, threads = options.name, options.image_size, options.threads
    if options.json:
        batch = options.batch_sizes[0]
        print(json.dumps(measure(name, side, batch, checkpointing=options.checkpointing, threads=threads)))
        return
    print(f"{side} px; MB and s: without | with checkpointing")
    results = []
    for batch in options.batch_sizes:
        arguments = [name, f"--image-size={side}", f"--batch-sizes={batch}", f"--threads={threads}"]
        plain, kept = in_processes(arguments), in_processes([*arguments, "--checkpointing"])
        results.append((batch, plain["peak_mb"], kept["peak_mb"]))
        print(row(name, batch, plain, kept), flush=True)
    print(f"weights {plain['weights_mb']:.0f} MB, gradients as much")
    if len(results) > 1:
        (few, *first), (many, *last) = results[0], results[-1]
        costs = [(after - before) / (many - few) for before, after in zip(first, last, strict=True)]
        print(f"per image {costs[0]:.0f} MB without, {costs[1]:.0f} MB with checkpointing")


if __name__ == "__main__":
    main()
