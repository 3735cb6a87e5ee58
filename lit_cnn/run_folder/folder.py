"""Run folders: where a run writes, how it is found again, and which checkpoint continues it."""

import contextlib
import datetime
import json
import os
import platform
import secrets
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lit_cnn.run_folder.atomic import replacing, write_text
from lit_cnn.run_folder.checkpoint import BEST, LAST, PREVIOUS, load_checkpoint

ENVIRONMENT = "environment.json"
DATA_SET = "data.json"
"""What the data set turned out to be."""
LAST_RUN = ".last"
"""File below the folder of runs that names the one started or continued last."""
RUN_DIR_VARIABLE = "LIT_CNN_RUN_DIR"
"""Tells a started process, such as rank 1 or a trial of a sweep, in which folder its run is."""


def create_run_dir(root: Path, recipe: str) -> Path:
    """Make ``root/<recipe>/<time>-<id>``; the id keeps runs apart that start in the same second.

    Raises:
        ValueError: If it cannot be made, such as below a file, a link to nothing, or where this user may not write.
    """
    path = parent = root / recipe
    try:
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            started = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
            path = parent / f"{started}-{secrets.token_hex(3)}"
            with contextlib.suppress(FileExistsError):
                path.mkdir()
                return path
    except OSError as error:
        raise ValueError(f"cannot create the run folder {path}: {_reason(path, error)}") from None


def _reason(path: Path, error: OSError) -> str:
    """Why a folder cannot be made, and what to do."""
    for place in (path, *path.parents):
        if os.path.islink(place) and not os.path.exists(place):
            return f"{place} is a link to nothing; restore its target, or choose another folder of runs"
        if os.path.isfile(place):
            return f"{place} is a file; move it away, or choose another folder of runs"
    return f"{error.strerror}; make the folder above it writable, or choose another folder of runs"


def note_last(root: Path, run: Path) -> None:
    """Note that ``run`` below ``root`` is the one started or continued last, whatever the clock says."""
    with replacing(root / LAST_RUN) as partial:
        partial.write_bytes(os.fsencode(f"{run.relative_to(root)}\n"))


def find_run(run: str, root: Path) -> Path:
    """The folder that ``--resume`` or ``--extend`` means: a run folder, or "last" for the one below ``root`` started or
    continued last.

    Where that is not noted, or has written nothing yet, file times show which run wrote last.

    Raises:
        ValueError: If there is none.
    """
    if run != "last":
        folder = Path(run).expanduser()
        if not folder.is_dir():
            raise ValueError(f"there is no run folder {run}: pass a folder under {root}/, or last")
        if not (folder / "config.yaml").is_file():
            raise ValueError(f"{run} is not a run folder, it has no config.yaml: pass a folder under {root}/, or last")
        return folder
    noted = root / LAST_RUN
    named = root / os.fsdecode(noted.read_bytes()).removesuffix("\n") if noted.is_file() else None
    if named is not None and (named / "config.yaml").is_file():
        return named
    runs = [path for path in root.glob("*/*") if (path / "config.yaml").is_file()]
    if not runs:
        raise ValueError(f"there is no run below {root}/ to resume")
    return max(runs, key=_written_at)


def find_checkpoint(path: str | Path) -> str | Path:
    """The checkpoint that is meant: of a run folder its best one, or the last where none is best; else ``path`` itself.

    Raises:
        ValueError: If a folder holds none.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        return path
    for parent in (folder / "checkpoints", folder):
        for name in (BEST, LAST, PREVIOUS):
            if (parent / name).is_file():
                return parent / name
    raise ValueError(
        f"the folder {path} holds no checkpoint: pass a checkpoint of lit-cnn fit, or the folder of one run, which has "
        f"checkpoints/{BEST}"
    )


def _written_at(run: Path) -> float:
    """When a run started or last saved."""
    return max(file.stat().st_mtime for file in (run / "config.yaml", *run.glob("checkpoints/*.ckpt")))


class Resumable(NamedTuple):
    """A checkpoint that continues a run, and what was read from it."""

    path: Path
    checkpoint: dict[str, Any]


def resumable_checkpoint(run: Path) -> tuple[Resumable | None, str | None]:
    """The newest readable checkpoint of a run, and a sentence when it is not the newest written.

    A run that was killed before its first checkpoint has none, and starts over.

    Raises:
        ValueError: If there are checkpoints but none can be read.
    """
    problem = None
    for name in (LAST, PREVIOUS):
        path = run / "checkpoints" / name
        if not path.is_file():
            continue
        try:
            found = Resumable(path, load_checkpoint(path))
        except ValueError as error:
            problem = str(error)
            continue
        return found, problem and f"{problem}; continuing from the previous checkpoint"
    if problem is None:
        return None, f"{run} has no checkpoint yet: starting it from the beginning"
    raise ValueError(f"{run} holds no readable checkpoint to resume from: {problem}")


def has_checkpoint(run: Path) -> bool:
    """Whether a run has saved its state."""
    return any((run / "checkpoints" / name).is_file() for name in (LAST, PREVIOUS))


def describe_environment(command: Sequence[str], slurm_job: str | None = None) -> dict[str, Any]:
    """Where a run was made: command (as one pastes it), scheduler's job, versions, machine and git state, in built-in
    types."""
    from importlib.metadata import version

    packages = ("lit-cnn", "torch", "torchvision", "lightning", "torchmetrics", "timm", "wandb")
    return {
        "command": shlex.join(command),
        "slurm_job": slurm_job,
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in packages},
        "machine": {"platform": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "git": git_state(Path.cwd()),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and whether files differ from it, or None outside a checkout or without git."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2) + "\n")
