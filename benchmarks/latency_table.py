"""Predict networks drawn from a search space by a table of its operations, and measure them.

    OMP_NUM_THREADS=1 python benchmarks/latency_table.py cells --image-size 16 --table runs/cells.json

The networks are drawn apart from those that the operations were collected from. A rerun takes what the table has.
"""

import argparse
import random
import time
from pathlib import Path

import torch

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.architectures import create_model
from lit_cnn.profiling.latency_table import LatencyTable, condition_of
from lit_cnn.profiling.operations import operations_of
from lit_cnn.profiling.prediction_errors import errors_of
from lit_cnn.profiling.table_timing import TimedNetwork, time_networks
from lit_cnn.profiling.timing import TimingSettings
from lit_cnn.search.costs import costs_of
from lit_cnn.search.space_networks import networks_of_space
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.macro import MacroSpace
from lit_cnn.search.strategies.strategy import random_point

SPACES = {"cells": CellSpace(repeats=1, filters=8), "blocks": BlockSpace(), "macro": MacroSpace()}


def lacks(table: LatencyTable, network: TimedNetwork) -> bool:
    """Whether the table has been interrupted before this network."""
    with torch.device("meta"):
        built = network.build()
    return bool(table.missing(operations_of(built, network.image_size)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("space", choices=SPACES)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--image-size", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--patience", type=int, default=100)
    parser.add_argument("--clock", choices=("wall", "processor"), default="processor")
    options = parser.parse_args()
    keep_freed_memory()
    settings = TimingSettings(batch_size=options.batch_size)
    table = LatencyTable.open(options.table, condition_of(settings, options.clock))
    space, started = SPACES[options.space], time.process_time()
    networks = networks_of_space(space, options.image_size, 10, patience=options.patience)
    print(f"{len(networks)} networks found in {time.process_time() - started:.0f} s of processor time", flush=True)
    started = time.process_time()
    networks = [each for each in networks if lacks(table, each)]
    used = []
    for measured in time_networks(table, networks, settings):
        used.append(measured)
        table.save(options.table)
    print(f"{len(table.rows)} operations timed in {time.process_time() - started:.0f} s; {table.condition}", flush=True)
    print(errors_of([each.against(table) for each in used]) if used else "all in the table", flush=True)

    draws, covered, lacking = random.Random("drawn apart"), [], 0
    while len(covered) < options.networks:
        candidate = space.candidate(random_point(space, draws))
        build = lambda candidate=candidate: create_model(candidate.architecture, num_classes=10, **candidate.options)  # noqa: E731
        network = TimedNetwork(f"{options.space} {len(covered) + 1}", build, options.image_size, used=False)
        try:
            costs = costs_of(
                candidate.architecture, candidate.options, options.image_size, 10, 3, ["madds", "latency_ms"], table
            )
        except ValueError as error:
            lacking += 1
            print(f"not predicted: {error}", flush=True)
            continue
        covered.append((network, costs))
    print(f"{lacking} of {lacking + len(covered)} drawn networks have an operation that the table lacks", flush=True)
    predictions = []
    measured = time_networks(table, [network for network, _ in covered], settings)
    for (_, costs), network in zip(covered, measured, strict=True):
        each = network.against(table)
        predictions.append(each)
        print(f"{each.name}: {costs['madds'] / 1e6:.2f} M, predicted {each.predicted_ms:.2f} ms, measured "
              f"{each.measured_ms:.2f}, {each.error_percent:+.1f} %", flush=True)  # fmt: skip
    print(errors_of(predictions))


if __name__ == "__main__":
    main()
