"""Kill a run with SIGKILL at chosen moments, continue it each time, and compare its end with the undisturbed run's.

    python tests/training/aimed_kills.py

The run is that of ``torture.py`` beside this. Each life of it is a process in which one function is wrapped: at the
chosen moment it tells where it is and waits, and is killed there. What then lies in the folder of checkpoints shows
that the kill fell where it was meant to. Prints one line per kill and the digests of both ends; exits 1 if they differ.
"""

import contextlib
import io
import json
import multiprocessing
import os
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
from torture import RECIPE, digest, only_run

from lit_cnn.cli.main import main as lit_cnn
from lit_cnn.run_folder.checkpoint import BEST, LAST, PREVIOUS, load_checkpoint
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.metrics_file import METRICS, _Table

SHORT = ("--trainer.max_epochs", "2", "--data.batch_size", "360", "--data.eval_batch_size", "90")
"""Two epochs of three steps, each with four validation batches."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Moment:
    """Where a life ends.

    Args:
        name: What the run is doing.
        aim: Wraps a function of the living process, which at that moment calls what it is given and does not return.
        evidence: What is on the disk then; raises AssertionError if the kill fell elsewhere.
    """

    name: str
    aim: Callable[[Tell], Any]
    evidence: Callable[[Path], str]


def in_validation(tell: Tell) -> Any:
    """The third of an epoch's four validation batches."""
    step = Classifier.validation_step

    def validation_step(self: Classifier, batch: Any, batch_idx: int) -> Any:
        if batch_idx == 2:
            tell(f"validation batch {batch_idx} after step {self.trainer.global_step}")
        return step(self, batch, batch_idx)

    return mock.patch.object(Classifier, "validation_step", validation_step)


def half_written(tell: Tell) -> Any:
    """The second checkpoint of a life, when half of its bytes are in the file."""
    save, count = torch.save, iter(range(1, 10**6))

    def half(content: Any, file: Any, *arguments: Any) -> None:
        if next(count) < 2:
            return save(content, file, *arguments)
        whole = io.BytesIO()
        save(content, whole)
        file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
        file.flush()
        return tell(f"writing {Path(file.name).name}, {file.tell()} of {len(whole.getvalue())} bytes")

    return mock.patch.object(torch, "save", half)


def renaming(target: str, done: bool, nth: int = 1) -> Callable[[Tell], Any]:
    """Just before or after (``done``) a file gets the name ``target`` for the nth time in a life."""

    def aim(tell: Tell) -> Any:
        replace, count = os.replace, iter(range(1, 10**6))

        def replace_and_tell(source: Any, destination: Any) -> None:
            hit = Path(destination).name == target and next(count) == nth
            if hit and not done:
                tell(f"before {Path(source).name} becomes {target}")
            replace(source, destination)
            if hit:
                tell(f"after {Path(source).name} became {target}")

        return mock.patch.object(os, "replace", replace_and_tell)

    return aim


def step_of(path: Path) -> int:
    return load_checkpoint(path)["global_step"]


def validation_is_open(run: Path) -> str:
    """The epoch's last step is in the metrics, its validation is not; the newest checkpoint is one step older."""
    rows = read_metrics(run / METRICS)
    saved = step_of(run / "checkpoints" / LAST)
    assert rows[-1]["step"] == saved
    assert "val/acc1" not in rows[-1]
    return f"{LAST} is at step {saved}, {METRICS} has step {saved + 1} without its validation"


def partial_is_torn(run: Path) -> str:
    folder = run / "checkpoints"
    torn, whole = folder / f".{LAST}.partial", folder / LAST
    assert 0.4 < torn.stat().st_size / whole.stat().st_size < 0.6
    try:
        load_checkpoint(torn)
    except ValueError:
        return f"{LAST} is whole at step {step_of(whole)}, {torn.name} has {torn.stat().st_size} bytes and is torn"
    raise AssertionError("the partial file is whole")


def last_is_missing(run: Path) -> str:
    folder = run / "checkpoints"
    assert not (folder / LAST).exists()
    before, after = step_of(folder / PREVIOUS), step_of(folder / f".{LAST}.partial")
    assert before < after
    return f"there is no {LAST}, {PREVIOUS} is at step {before}, .{LAST}.partial at step {after}"


def best_is_newer(run: Path) -> str:
    folder = run / "checkpoints"
    before, after = step_of(folder / LAST), step_of(folder / BEST)
    assert before < after
    return f"{BEST} is at step {after}, {LAST} at step {before}"


def half_appended(tell: Tell) -> Any:
    """The second row that a life appends to metrics.csv, of which the last bytes are missing."""
    append, count = _Table._append, iter(range(1, 10**6))

    def half(self: _Table) -> None:
        append(self)
        if self.path.name == METRICS and next(count) == 2:
            content = self.path.read_bytes()
            self.path.write_bytes(content[:-5])
            tell(f"{METRICS} lacks its last 5 of {len(content)} bytes")

    return mock.patch.object(_Table, "_append", half)


def row_is_torn(run: Path) -> str:
    text, rows = (run / METRICS).read_text(), read_metrics(run / METRICS)
    assert not text.endswith("\n")
    assert len(rows) == len(text.splitlines()) - 2
    return f"{METRICS} has {len(rows)} whole rows and a torn one"


MOMENTS = (
    Moment("while a row is appended to metrics.csv", half_appended, row_is_torn),
    Moment("in validation", in_validation, validation_is_open),
    Moment("between best and last", renaming(BEST, done=True), best_is_newer),
    Moment("while a checkpoint is written", half_written, partial_is_torn),
    Moment("between the renames", renaming(PREVIOUS, done=True), last_is_missing),
)


def live(folder: Path, arguments: tuple[str, ...], moment: int | None, told: Connection) -> None:
    """One life, in a process of its own: ``lit-cnn fit``, which ends at its moment or at the end of training."""
    os.chdir(folder)
    torch.set_num_threads(1)

    def tell(where: str) -> None:
        told.send(where)
        time.sleep(600)  # until the kill

    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "log.txt").open("a"))
        stack.enter_context(contextlib.redirect_stdout(log))
        stack.enter_context(contextlib.redirect_stderr(log))
        if moment is not None:
            stack.enter_context(MOMENTS[moment].aim(tell))
        code = lit_cnn(["fit", *arguments])
    sys.exit(code)


def begin(folder: Path, arguments: tuple[str, ...], moment: int | None = None) -> tuple[Any, Connection]:
    """Start a life in a fork of a process that has imported everything already."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["aimed_kills"])
    told, tells = processes.Pipe(duplex=False)
    process = processes.Process(target=live, args=(folder, arguments, moment, tells))
    process.start()
    tells.close()
    return process, told


def finish(folder: Path, arguments: tuple[str, ...]) -> None:
    process, _ = begin(folder, arguments)
    process.join(300)
    if process.exitcode:
        raise RuntimeError((folder / "log.txt").read_text())


def kill(folder: Path, arguments: tuple[str, ...], number: int) -> str:
    """Live until a moment, and die there; what the life told and what is on the disk."""
    moment, (process, told) = MOMENTS[number], begin(folder, arguments, number)
    try:
        if not told.poll(120):
            raise RuntimeError(f"the run never came to the moment {moment.name}")
        said = told.recv()
    except EOFError:
        raise RuntimeError((folder / "log.txt").read_text()) from None
    finally:
        process.kill()
        process.join()
    return f"{said}; {moment.evidence(only_run(folder))}"


@dataclass(frozen=True)
class Ends:
    """Digests of an undisturbed and a killed run, and where the kills fell."""

    undisturbed: str
    killed: str
    kills: dict[str, str]


def compare(folder: Path, recipe: str = RECIPE, changes: tuple[str, ...] = SHORT) -> Ends:
    """Train once undisturbed and once through every moment, in folders made in ``folder``."""
    fresh = ("--config", "recipe.yaml", *changes)
    for name in ("whole", "parts"):
        (folder / name).mkdir()
        (folder / name / "recipe.yaml").write_text(recipe)
    finish(folder / "whole", fresh)
    arguments, kills = fresh, {}
    for number, moment in enumerate(MOMENTS):
        kills[moment.name] = kill(folder / "parts", arguments, number)
        arguments = ("--resume", "last")
    finish(folder / "parts", arguments)
    whole, parts = only_run(folder / "whole"), only_run(folder / "parts")
    return Ends(f"{digest(whole)} {digest(whole, BEST)}", f"{digest(parts)} {digest(parts, BEST)}", kills)


def main() -> int:
    with TemporaryDirectory() as folder:
        ends = compare(Path(folder))
    for name, where in ends.kills.items():
        print(f"killed {name}: {where}")
    equal = ends.undisturbed == ends.killed
    print(json.dumps({"undisturbed": ends.undisturbed, "killed": ends.killed, "equal": equal}))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
