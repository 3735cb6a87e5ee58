"""Rounds of two sweep workers that are killed at random times: no trial may be lost or run twice.

    python tests/sweeps/kill_rounds.py FOLDER --rounds 20 --seed 0

Each round is a sweep of its own: real trainings in the workers' processes, in a journal or in SQLite. Two workers are
started; one of them gets SIGKILL or SIGTERM at a random time of its start or, mostly, of its first trial, and a new one
is started in its place, up to three times; then the last two run to the end. A trial is lost where it does not end
complete; it runs twice where two trials of the study are complete for one point, or where its metrics have a step twice
or are not those of a run that nobody has killed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import optuna

import lit_cnn.cli.sweep
import lit_cnn.experiment.fit
import lit_cnn.sweeps.engine  # noqa: F401
from lit_cnn.cli.main import main as lit_cnn_main
from lit_cnn.sweeps.storage import open_storage

BASE = """
about: {title: digits}
trainer: {max_epochs: 3, accelerator: cpu, devices: 1, precision: 32-true, limit_train_batches: 3,
          limit_val_batches: 1}
model: {architecture: cifar_resnet8}
data: {source: digits, image_size: 8, batch_size: 16, workers: 0, crop: {kind: pad, padding: 1}}
tracking: {mode: disabled}
machine: {threads: 1}
"""
SPACE = "keys: {model.optimizer.learning_rate: {choices: [0.05, 0.1, 0.2]}}\n"
POINTS = 3
KILLS = 3
COMMAND = ["sweep", "--config", "../base.yaml", "--space", "../space.yaml", "--sweep-dir", "s"]


class Worker:
    """``lit-cnn sweep`` in a process of its own, with its own log.

    It is forked from this one, which has imported all it needs, so that a start takes one second and not ten.
    """

    def __init__(self, folder: Path, storage: list[str]) -> None:
        self.log = folder / f"worker{len(list(folder.glob('worker*')))}.log"
        self.log.touch()
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.chdir(folder)
            log = os.open(self.log, os.O_WRONLY)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = 1
            try:
                code = lit_cnn_main([*COMMAND, *storage])
            finally:
                sys.stdout.flush()
                os._exit(code)

    @property
    def alive(self) -> bool:
        return self._ended(os.WNOHANG) is None

    def wait(self) -> int:
        """Its exit code; that of a killed one is negative."""
        code = self._ended(0)
        assert code is not None
        return code

    def _ended(self, option: int) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, option)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait_for_trial(self) -> None:
        """Until it has begun its first trial, or has ended."""
        while self.alive and "trial " not in self.log.read_text():
            time.sleep(0.02)


def run_round(folder: Path, draw: random.Random, kills: int = KILLS, database: bool = False) -> Counter:
    """One sweep whose workers are killed; returns how many signals of each kind were sent."""
    folder.mkdir(parents=True)
    storage = ["--storage", f"sqlite:///{folder.resolve()}/trials.db"] if database else []
    workers, sent = [Worker(folder, storage), Worker(folder, storage)], Counter()
    for _ in range(kills):
        victim, number = draw.randrange(2), draw.choice([signal.SIGKILL, signal.SIGTERM])
        if draw.random() < 0.8:
            workers[victim].wait_for_trial()
        time.sleep(draw.uniform(0.0, 3.0))
        if not any(worker.alive for worker in workers):
            break
        if workers[victim].alive:
            workers[victim].send(number)
            sent[number.name] += 1
        workers[victim].wait()
        workers[victim] = Worker(folder, storage)
    codes = [worker.wait() for worker in workers]
    assert codes == [0, 0], (codes, [worker.log.read_text()[-2000:] for worker in workers])
    return sent


def findings(folder: Path, expected: dict[str, str]) -> dict[str, int]:
    """What became of the trials of a round.

    Args:
        folder: The round's.
        expected: Value of the swept key -> the ``metrics.csv`` of a run that nobody has killed.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    database = folder / "trials.db"
    url = f"sqlite:///{database.resolve()}" if database.is_file() else None
    study = optuna.load_study(storage=open_storage(folder / "s", url, print), study_name="s")
    complete = [trial for trial in study.get_trials() if trial.state == optuna.trial.TrialState.COMPLETE]
    slots = Counter(trial.user_attrs["slot"] for trial in complete)
    metrics = [
        ((Path(trial.user_attrs["run"]) / "metrics.csv").read_text(), expected[str(next(iter(trial.params.values())))])
        for trial in complete
    ]
    rows = [[line.split(",")[1] for line in text.splitlines()[1:]] for text, _ in metrics]
    return {
        "trials": POINTS,
        "lost": POINTS - len(slots),
        "run twice": sum(count > 1 for count in slots.values()),
        "steps twice": sum(len(set(steps)) < len(steps) for steps in rows),
        "other metrics": sum(found != wanted for found, wanted in metrics),
        "attempts": len(study.get_trials()),
    }


def whole_runs(folder: Path) -> dict[str, str]:
    """Value of the swept key -> ``metrics.csv`` of a sweep that nobody kills."""
    run_round(folder, random.Random(0), kills=0)
    lines = (folder / "s" / "trials.csv").read_text().splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    key = next(name for name in names if "." in name)
    return {row[key]: (Path(row["run"]) / "metrics.csv").read_text() for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base.yaml").write_text(BASE)
    (folder / "space.yaml").write_text(SPACE)
    expected, total = whole_runs(folder / "whole"), Counter()
    for number in range(options.rounds):
        place = folder / f"round{number}"
        sent = run_round(place, random.Random(f"{options.seed}-{number}"), database=number % 2 == 1)
        found = findings(place, expected)
        total.update(found)
        total.update(sent)
        print(json.dumps({"round": number, **sent, **found}), flush=True)
        if not any(found[name] for name in ("lost", "run twice", "steps twice", "other metrics")):
            shutil.rmtree(place)
    print(json.dumps({"rounds": options.rounds, **total}))
    return 1 if any(total[name] for name in ("lost", "run twice", "steps twice", "other metrics")) else 0


if __name__ == "__main__":
    sys.exit(main())
