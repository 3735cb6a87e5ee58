"""A live search on CIFAR-10: killed and continued by two workers on PostgreSQL, it trains what one worker would.

    LIT_CNN_DATA=... python benchmarks/search_live.py --folder /tmp/live     # continues where it was stopped
    python benchmarks/search_live.py --folder /tmp/live --report             # docs/measurements/search_live.csv, tables

For random search, evolution and local search: (a) one worker with one thread and a journal, never interrupted; (b) on a
PostgreSQL server of its own, one worker that gets SIGKILL after a third of the evaluations, then two at once, of which
one gets SIGKILL after two thirds and is started again. The networks and accuracies of (a) and (b) must be equal, slot
by slot. Then the best network of the three searches, the cells of NASNet-A and AmoebaNet-A and three random ones are
trained again, with the same seeds. Space: cells of 5 blocks, N = 1, F = 8; recipe: search/cells_cifar10_small, with one
epoch of 80 steps of 64 images at 16 px, accuracy on 2,500 held-out images.
"""

import argparse
import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

STRATEGIES = ("random", "evolution", "local_search")
EVALUATIONS = 40
PROXY = ("--trainer.max_epochs=1", "--trainer.limit_train_batches=80")
RETRAINED = ("--trainer.max_epochs=5", "--trainer.limit_train_batches=80", "--trainer.check_val_every_n_epoch=5")
RESULTS = Path(__file__).resolve().parent.parent / "docs" / "measurements" / "search_live.csv"
SEEDS = 3
PORT = 5547


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "lit_cnn", "search", *words]


def search_words(strategy: str, folder: Path, *more: str) -> list[str]:
    stated = (f"--search.strategy.name={strategy}", f"--search.evaluations={EVALUATIONS}", "--search.lag=1")
    return command("search/cells_cifar10_small", "--search-dir", str(folder), *stated, *PROXY, *more)


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def start(words: list[str], log: Path) -> subprocess.Popen:
    with log.open("a") as file:
        return subprocess.Popen(words, stdout=file, stderr=file, env=environment(), start_new_session=True)


def ended(folder: Path) -> int:
    return len(list(folder.glob("*/checkpoints/weights.safetensors")))


def wait_for(folder: Path, count: int, process: subprocess.Popen) -> None:
    while ended(folder) < count and process.poll() is None:
        time.sleep(0.2)


def kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a database on a server in ``folder``, which is stopped afterwards; its data stay."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    data = folder / "db"

    def as_postgres(*words: str) -> None:
        words = words if os.geteuid() else ("runuser", "-u", "postgres", "--", *words)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    new = not data.is_dir()
    if new:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, "postgres")
        as_postgres(str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres")
    options = f"-p {PORT} -k {data} -c listen_addresses=127.0.0.1"
    control = str(programs / "pg_ctl")
    as_postgres(control, "-D", str(data), "-o", options, "-l", f"{data}/server.log", "-w", "start")
    try:
        if new:
            words = ("psql", "-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres", "-c", "create database litcnn")
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        yield f"postgresql+psycopg://postgres@127.0.0.1:{PORT}/litcnn"
    finally:
        as_postgres(control, "-D", str(data), "-m", "fast", "-w", "stop")


def interrupted(strategy: str, folder: Path, url: str, log: Path) -> None:
    """The search of a strategy with two kills."""
    words = search_words(strategy, folder, "--storage", url)
    first = start(words, log)
    wait_for(folder, EVALUATIONS // 3, first)
    kill(first)
    second, third = start(words, log), start(words, log)
    wait_for(folder, 2 * EVALUATIONS // 3, second)
    kill(third)
    fourth = start(words, log)
    for process in (second, fourth):
        if process.wait() != 0:
            raise RuntimeError(f"the search failed: {log} says why")


def run(folder: Path) -> None:
    for strategy in STRATEGIES:
        whole = folder / f"whole_{strategy}"
        if start(search_words(strategy, whole), folder / f"whole_{strategy}.log").wait() != 0:
            raise RuntimeError(f"the search failed: {folder}/whole_{strategy}.log says why")
    with postgresql(folder / "postgresql") as url:
        for strategy in STRATEGIES:
            shared = folder / f"shared_{strategy}"
            if (shared / "equal.json").is_file():
                continue
            interrupted(strategy, shared, url, folder / f"shared_{strategy}.log")
            same = rows(folder / f"whole_{strategy}") == rows(shared)
            (shared / "equal.json").write_text(json.dumps({"equal": same}))
            print(f"{strategy}: interrupted search {'equals' if same else 'DIFFERS FROM'} the whole one", flush=True)
    winner = max(STRATEGIES, key=lambda name: max(float(row[1]) for row in rows(folder / f"whole_{name}")))
    words = command("retrain", str(folder / f"whole_{winner}"), "--published", "--seeds", str(SEEDS), *RETRAINED)
    with (folder / "retrained.json").open("w") as out:
        subprocess.run([*words, "--json"], check=True, stdout=out, env=environment())


def report(folder: Path) -> None:
    """Write all trials of the whole searches, and print what the page has."""
    columns = ("slot", "name", "accuracy", "params", "madds", "seconds", "network")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("strategy", *columns))
        for strategy in STRATEGIES:
            with (folder / f"whole_{strategy}" / "trials.csv").open(newline="") as trials:
                found = list(csv.DictReader(trials))
            writer.writerows([strategy, *(row[column] for column in columns)] for row in found)
            accuracies = sorted((100 * float(row["accuracy"]) for row in found), reverse=True)
            different, equal = len({row["network"] for row in found}), folder / f"shared_{strategy}" / "equal.json"
            same = json.loads(equal.read_text())["equal"] if equal.is_file() else "not finished"
            print(
                f"| {strategy} | {len(found)} | {different} | {accuracies[0]:.2f} | {sum(accuracies[:5]) / 5:.2f} | "
                f"{sum(accuracies) / len(accuracies):.2f} | {same} |"
            )
    retrained = folder / "retrained.json"
    for row in json.loads(retrained.read_text()) if retrained.is_file() else []:
        against = row["against_random"] or {}
        figures = [f"{100 * against[name]:+.2f}" for name in ("mean", "low", "high")] if against else []
        print(row["name"], row["chosen"], f"{100 * row['mean']:.2f} ± {100 * (row['sd'] or 0):.2f}", row["n"], *figures)


def rows(folder: Path) -> list[tuple[str, str]]:
    """Network and accuracy of each slot of a search."""
    with (folder / "trials.csv").open(newline="") as file:
        return [(row["network"], row["accuracy"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the searches are kept")
    parser.add_argument("--report", action="store_true", help="train nothing: write the results and print them")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    (report if options.report else run)(options.folder.resolve())
