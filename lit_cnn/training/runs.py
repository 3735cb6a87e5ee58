"""Run folders: where a run writes, how it is found again, and which checkpoint continues it."""

import datetime
import json
import os
import platform
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

LAST = "last.ckpt"
PREVIOUS = "previous.ckpt"
BEST = "best.ckpt"
ENVIRONMENT = "environment.json"
LAST_RUN = ".last"
"""File below the folder of runs that names the one started or continued last."""
FORMAT = 1
"""Version of the checkpoint's layout."""
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""What makes of a checkpoint of an older version one of the next; a version without an entry is refused."""
RUN_DIR_VARIABLE = "LIT_CNN_RUN_DIR"
"""Tells a started process, such as rank 1 or a trial of a sweep, in which folder its run is."""


def create_run_dir(root: Path, recipe: str) -> Path:
    """Make ``root/<recipe>/<time>-<id>``; the id keeps runs apart that start in the same second."""
    while True:
        started = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        path = root / recipe / f"{started}-{secrets.token_hex(3)}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise ValueError(f"cannot create the run folder {path}: {error.strerror}") from None
        return path


def note_last(root: Path, run: Path) -> None:
    """Note that ``run`` below ``root`` is the one started or continued last, whatever the clock says."""
    partial = root / f"{LAST_RUN}.partial"
    partial.write_text(f"{run.relative_to(root)}\n")
    os.replace(partial, root / LAST_RUN)


def find_run(run: str, root: Path) -> Path:
    """The folder that ``--resume`` means: a run folder, or "last" for the one below ``root`` started or continued last.

    Where that is not noted, or has written nothing yet, file times tell which run wrote last.

    Raises:
        ValueError: If there is none.
    """
    if run != "last":
        folder = Path(run).expanduser()
        if not folder.is_dir():
            raise ValueError(f"there is no run folder {run}: pass a folder below {root}/, or last")
        return folder
    noted = root / LAST_RUN
    if noted.is_file() and (root / noted.read_text().strip() / "config.yaml").is_file():
        return root / noted.read_text().strip()
    runs = [path for path in root.glob("*/*") if (path / "config.yaml").is_file()]
    if not runs:
        raise ValueError(f"there is no run below {root}/ to resume")
    return max(runs, key=_written_at)


def _written_at(run: Path) -> float:
    """When a run started or last saved."""
    return max(file.stat().st_mtime for file in (run / "config.yaml", *run.glob("checkpoints/*.ckpt")))


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint of tensors and built-in types.

    Raises:
        ValueError: If the file is missing, torn, of a version that cannot be read, or holds anything else.
    """
    text = str(path)
    if "://" in text:
        raise ValueError(f"{text} is a URL: download the checkpoint first, lit-cnn reads local files only")
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"there is no checkpoint {text}")
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ValueError(
            f"the checkpoint {text} cannot be read ({error.strerror or error}): check its rights"
        ) from None
    except Exception as error:
        if "weights_only" in str(error).lower():
            raise ValueError(
                f"{text} holds Python objects besides tensors and built-in types, so it is not loaded: such a file can "
                "run code"
            ) from None
        raise ValueError(
            f"{text} is truncated or not a checkpoint ({file.stat().st_size} bytes): use the run's {PREVIOUS} or {BEST}"
        ) from None
    if not isinstance(checkpoint, dict) or "network" not in checkpoint:
        raise ValueError(f"{text} was not written by lit-cnn fit: it does not say which network it holds")
    checkpoint = migrate(checkpoint, text)
    if "state_dict" not in checkpoint:
        raise ValueError(f"{text} was not written by lit-cnn fit: it holds no weights")
    return checkpoint


def migrate(checkpoint: dict[str, Any], name: str) -> dict[str, Any]:
    """Bring a checkpoint to the present format, version by version.

    Args:
        checkpoint: As it was read.
        name: Its file, for the sentence.

    Raises:
        ValueError: If it is of a newer version, or of an older one from which no way leads here.
    """
    version = checkpoint.get("format", 0)
    if not isinstance(version, int) or version > FORMAT:
        raise ValueError(f"{name} has format {version!r}, this lit-cnn reads up to {FORMAT}: upgrade lit-cnn")
    for older in range(version, FORMAT):
        if older not in MIGRATIONS:
            raise ValueError(
                f"{name} has format {version}, which this lit-cnn does not read any more: use the version of lit-cnn "
                "that wrote it"
            )
        checkpoint = {**MIGRATIONS[older](checkpoint), "format": older + 1}
    return checkpoint


def resumable_checkpoint(run: Path) -> tuple[Path | None, str | None]:
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
            load_checkpoint(path)
        except ValueError as error:
            problem = str(error)
            continue
        return path, problem and f"{problem}; continuing from the previous checkpoint"
    if problem is None:
        return None, f"{run} has no checkpoint yet: starting it from the beginning"
    raise ValueError(f"{run} holds no readable checkpoint to resume from: {problem}")


def describe_environment(command: Sequence[str], slurm_job: str | None = None) -> dict[str, Any]:
    """Where a run was made: command, scheduler's job, versions, machine and git state, in built-in types."""
    from importlib.metadata import version

    packages = ("lit-cnn", "torch", "torchvision", "lightning", "torchmetrics", "timm", "wandb")
    return {
        "command": list(command),
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
    path.write_text(json.dumps(content, indent=2) + "\n")


def network_weights(checkpoint: dict[str, Any], weights: str = "ema") -> dict[str, torch.Tensor]:
    """The network's tensors in a checkpoint: the average where one was kept, or the ``raw`` ones.

    Raises:
        ValueError: If ``weights`` is neither "ema" nor "raw".
    """
    if weights not in ("ema", "raw"):
        raise ValueError(f"weights must be ema or raw, got {weights!r}")
    state = checkpoint["state_dict"]
    if weights == "raw":
        state = checkpoint.get("current_model_state", state)
    return {name.removeprefix("net."): value for name, value in state.items() if name.startswith("net.")}


def export_weights(checkpoint: dict[str, Any], path: Path) -> None:
    """Write the network's weights as safetensors, without anything else of the checkpoint."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in network_weights(checkpoint).items()}
    save_file(tensors, path, metadata={"architecture": str(checkpoint["network"]["architecture"])})
