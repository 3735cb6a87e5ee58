"""Predict networks drawn from a search space by a table of its operations, and measure them.

    OMP_NUM_THREADS=1 python benchmarks/latency_table.py cells --image-size 16 --table runs/cells.json

The networks are drawn apart from those that the operations were collected from. A rerun takes what the table has.
"""

import argparse
import random
import time
from functools import partial
from pathlib import Path

from lit_cnn.allocation import keep_freed_memory
from lit_cnn.architectures import create_model
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.latency_table import LatencyTable, condition_of
from lit_cnn.profiling.operations import Operation, operations_of
from lit_cnn.profiling.prediction_errors import errors_of
from lit_cnn.profiling.table_timing import TimedNetwork, spread, time_networks
from lit_cnn.profiling.timing import TimingSettings
from lit_cnn.search.space_networks import networks_of_space
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.macro import MacroSpace
from lit_cnn.search.spaces.space import SearchSpace
from lit_cnn.search.strategies.strategy import random_point

SPACES = {"cells": CellSpace(repeats=1, filters=8), "blocks": BlockSpace(), "macro": MacroSpace()}


def lacks(table: LatencyTable, network: TimedNetwork) -> bool:
    """Whether an earlier call was interrupted before this network."""
    return bool(table.missing(operations(network)))


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
    networks = [each for each in networks if lacks(table, each)]
    known = set(table.rows).union(*(operations(each) for each in networks))
    drawn, lacking = draw(space, options.image_size, options.networks, known)
    print(f"{lacking} of {lacking + len(drawn)} drawn networks have an operation that was not found", flush=True)
    measured = []
    started = time.process_time()
    for each in time_networks(table, spread([*networks, *drawn]), settings):
        measured.append(each)
        table.save(options.table)
    print(f"{len(table.rows)} operations timed in {time.process_time() - started:.0f} s; {table.condition}", flush=True)
    predictions = [each.against(table) for each in measured]
    for each in predictions:
        name = each.name if not each.used else "for the table"
        print(f"{name}: {each.predicted_ms:.2f} ms, measured {each.measured_ms:.2f}, {each.error_percent:+.1f} %")
    for used in (True, False):
        group = [each for each in predictions if each.used == used]
        print(f"used: {used}, {errors_of(group)}" if group else "all operations were in the table")


def draw(space: SearchSpace, image_size: int, number: int, known: set[Operation]) -> tuple[list[TimedNetwork], int]:
    """So many random networks whose operations are known, and how many others were drawn among them."""
    draws, drawn, lacking = random.Random("drawn apart"), [], 0
    while len(drawn) < number:
        point = random_point(space, draws)
        candidate = space.candidate(point)
        build = partial(create_model, candidate.architecture, num_classes=10, **candidate.options)
        network = TimedNetwork(space.encode(point), build, image_size, used=False)
        if operations(network) <= known:
            drawn.append(network)
        else:
            lacking += 1
    return drawn, lacking


def operations(network: TimedNetwork) -> set[Operation]:
    with on_meta():
        built = network.build()
    return set(operations_of(built, network.image_size))


if __name__ == "__main__":
    main()
