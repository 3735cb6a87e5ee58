"""Signal a run in every way at chosen moments, continue it, and compare its end with the undisturbed run's.

    python tests/training/signal_matrix.py            # the whole table: 48 runs that are signalled and continued
    python tests/training/signal_matrix.py SIGTERM    # one signal

The run is that of ``torture.py``, two epochs of three steps with a checkpoint after each. A life of it is a process and
process group of its own in which one function is wrapped: at the chosen moment it says so, and goes on once it was
signalled. SIGUSR1 comes in a job of a stub of SLURM. Prints a Markdown table: what the exit code was, which step was
saved, and whether the run, continued, ended with the bits of the undisturbed one; exits 1 if a row is not as promised.
"""

import contextlib
import io
import itertools
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import torch
from aimed_kills import SHORT
from torture import RECIPE, digest, only_run

from lit_cnn.cli.main import main as lit_cnn
from lit_cnn.data.module import ImageData
from lit_cnn.run_folder.checkpoint import BEST, LAST, load_checkpoint
from lit_cnn.training.classifier import Classifier

SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGUSR1": 138}
"""Signal -> the promised exit code."""
TARGETS = ("process", "group")
WORKERS = (0, 2)
MOMENT_STEP = 1
"""Steps done, of an epoch's three, when a signal comes."""
JOB = {"JOB_ID": "77", "JOB_NAME": "train", "NTASKS": "1", "NTASKS_PER_NODE": "1", "NNODES": "1"}
JOB |= {"PROCID": "0", "LOCALID": "0", "NODEID": "0", "JOB_NODELIST": "localhost"}
Pause = Callable[[], None]


@dataclass(frozen=True)
class Moment:
    """What a run is doing when it is signalled.

    Args:
        aim: Wraps a function of the living process, which pauses then.
        saved: Steps of which the state may be saved afterwards; none where the run leaves no folder.
    """

    aim: Callable[[Pause], Any]
    saved: tuple[int, ...]


def starting_up(pause: Pause) -> Any:
    """Before the data are read."""
    setup = ImageData.setup

    def paused(self: ImageData, stage: str | None = None) -> None:
        pause()
        setup(self, stage)

    return mock.patch.object(ImageData, "setup", paused)


def in_step(pause: Pause) -> Any:
    """In the second step, before its forward pass."""
    step = Classifier.training_step

    def paused(self: Classifier, batch: Any, batch_idx: int) -> Any:
        if self.trainer.global_step == MOMENT_STEP and batch_idx % 2 == 0:
            pause()
        return step(self, batch, batch_idx)

    return mock.patch.object(Classifier, "training_step", paused)


def in_validation(pause: Pause) -> Any:
    """In the third of the first epoch's four validation batches."""
    step = Classifier.validation_step

    def paused(self: Classifier, batch: Any, batch_idx: int) -> Any:
        if batch_idx == 2 and self.trainer.current_epoch == 0:
            pause()
        return step(self, batch, batch_idx)

    return mock.patch.object(Classifier, "validation_step", paused)


def in_checkpoint(pause: Pause) -> Any:
    """When half of the second checkpoint's bytes are in its file."""
    save, count = torch.save, itertools.count(1)

    def paused(content: Any, file: Any, *arguments: Any) -> None:
        if next(count) != 2:
            return save(content, file, *arguments)
        whole = io.BytesIO()
        save(content, whole)
        half = len(whole.getvalue()) // 2
        file.write(whole.getvalue()[:half])
        file.flush()
        pause()
        file.write(whole.getvalue()[half:])
        return None

    return mock.patch.object(torch, "save", paused)


MOMENTS = {
    "start-up": Moment(starting_up, ()),
    "step": Moment(in_step, (MOMENT_STEP + 1,)),
    "validation": Moment(in_validation, (3,)),
    "checkpoint": Moment(in_checkpoint, (2, 3)),
}


def live(
    folder: Path, arguments: tuple[str, ...], moment: str | None, environment: dict[str, str], pipe: Connection
) -> None:
    """One life, in a process group of its own: ``lit-cnn fit``."""
    os.setsid()
    os.environ.update(environment)
    os.chdir(folder)
    torch.set_num_threads(1)
    paused = []

    def pause() -> None:
        if not paused:
            paused.append(True)
            pipe.send("here")
            pipe.recv()

    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "log.txt").open("w"))
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(contextlib.redirect_stderr(log))
        if moment is not None:
            stack.enter_context(MOMENTS[moment].aim(pause))
        code = lit_cnn(["fit", *arguments])
    sys.exit(code)


def begin(
    folder: Path, arguments: tuple[str, ...], moment: str | None = None, environment: dict[str, str] | None = None
) -> tuple[Any, Connection]:
    """Start a life in a fork of a process that has imported everything already."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["signal_matrix"])
    ours, theirs = processes.Pipe()
    process = processes.Process(target=live, args=(folder, arguments, moment, environment or {}, theirs))
    process.start()
    theirs.close()
    return process, ours


def finish(folder: Path, arguments: tuple[str, ...]) -> None:
    process, _ = begin(folder, arguments)
    process.join(300)
    if process.exitcode:
        raise RuntimeError((folder / "log.txt").read_text())


def slurm_job(folder: Path) -> dict[str, str]:
    """The environment of a job whose ``scontrol`` notes its arguments."""
    stub = folder / "bin" / "scontrol"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\necho "$@" >> {folder}/scontrol.txt\n')
    stub.chmod(0o755)
    return {f"SLURM_{name}": value for name, value in JOB.items()} | {"PATH": f"{stub.parent}:{os.environ['PATH']}"}


@dataclass(frozen=True)
class Row:
    """What one signal did."""

    code: int | None
    step: int | None
    equal: bool | None
    problem: str


def signalled(folder: Path, name: str, target: str, workers: int, moment: str, expected: str) -> Row:
    """Signal one life, continue it to its end, and compare it with the digests ``expected``."""
    (folder / "recipe.yaml").write_text(RECIPE)
    machine = ("--data.workers", str(workers))
    environment = slurm_job(folder) if name == "SIGUSR1" else {}
    process, pipe = begin(folder, ("--config", "recipe.yaml", *SHORT, *machine), moment, environment)
    if not pipe.poll(120):
        process.kill()
        return Row(None, None, None, "the run never came to the moment")
    pipe.recv()
    (os.killpg if target == "group" else os.kill)(process.pid, getattr(signal, name))
    time.sleep(0.2)  # the workers, too, have it by now
    with contextlib.suppress(OSError):  # of a run that has ended
        pipe.send("go on")
    process.join(120)
    said = (folder / "log.txt").read_text()
    if process.exitcode != SIGNALS[name]:
        process.kill()
        return Row(process.exitcode, None, None, said.strip().splitlines()[-1] if said.strip() else "said nothing")
    if moment == "start-up":
        left = list(folder.glob("runs/*/*"))
        return Row(process.exitcode, None, None, f"left {left[0].name}" if left else "")
    step = load_checkpoint(only_run(folder) / "checkpoints" / LAST)["global_step"]
    stated = re.search(r"the state after step (\d+) is saved", said)
    problem = "" if stated and int(stated[1]) == step else f"says: {said.strip().splitlines()[-1]}"
    if name == "SIGUSR1" and (folder / "scontrol.txt").read_text() != "requeue 77\n":
        problem = "the job was not requeued"
    finish(folder, ("--resume", "last", *machine))
    return Row(process.exitcode, step, ends(folder) == expected, problem)


def ends(folder: Path) -> str:
    return f"{digest(only_run(folder))} {digest(only_run(folder), BEST)}"


def main() -> int:
    chosen = sys.argv[1:] or list(SIGNALS)
    wrong = 0
    with TemporaryDirectory() as whole:
        (Path(whole) / "recipe.yaml").write_text(RECIPE)
        finish(Path(whole), ("--config", "recipe.yaml", *SHORT))
        expected = ends(Path(whole))
    print("| signal | to | workers | moment | exit code | saved step | resumed bit-equal | |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name, target, workers, moment in itertools.product(chosen, TARGETS, WORKERS, MOMENTS):
        with TemporaryDirectory() as folder:
            row = signalled(Path(folder), name, target, workers, moment, expected)
        promised = row.code == SIGNALS[name] and not row.problem
        if moment != "start-up":
            promised = promised and row.equal is True and row.step in MOMENTS[moment].saved
        wrong += not promised
        step, equal = ("no run folder", "–") if moment == "start-up" and promised else (row.step, row.equal)
        print(
            f"| {name} | {target} | {workers} | {moment} | {row.code} | {step} | {equal} | {row.problem} |", flush=True
        )
    print(f"\n{wrong} rows are not as promised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
