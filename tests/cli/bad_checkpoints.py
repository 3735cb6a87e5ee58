"""Checkpoints that are broken or run code, and files where none can be."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bad_case import Case, write_checkpoint
from bad_recipes import recipe

from lit_cnn.experiment.parser import RecipeCLI
from lit_cnn.run_folder.checkpoint import FORMAT


class Evil:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("executed",)


def torn_checkpoint(folder: Path) -> str:
    path = write_checkpoint(folder)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return str(path)


def evil_checkpoint(folder: Path) -> str:
    torch.save({"network": Evil()}, folder / "evil.ckpt")
    return str(folder / "evil.ckpt")


def evil_run(folder: Path) -> list[str]:
    run = folder / "runs" / "recipe" / "1"
    (run / "checkpoints").mkdir(parents=True)
    arguments = recipe()(folder)
    (run / "config.yaml").write_text(RecipeCLI(arguments[1:]).dump())
    torch.save({"network": Evil()}, run / "checkpoints" / "last.ckpt")
    return ["fit", "--resume", str(run)]


def of(command: str, make: Callable[[Path], Any]) -> Callable[[Path], list[str]]:
    """``command`` on the checkpoint that ``make`` writes."""

    def arguments(folder: Path) -> list[str]:
        return [command, str(make(folder)), *([str(folder / "images")] if command == "predict" else [])]

    return arguments


def predicted_into(name: str) -> Callable[[Path], list[str]]:
    """Predictions that are to be written to ``name`` below the case's folder."""

    def arguments(folder: Path) -> list[str]:
        (folder / "locked").mkdir(0o500)
        images = str(folder / "images" / "val")
        return ["predict", str(write_checkpoint(folder)), images, "--out", str(folder / name)]

    return arguments


def secret_checkpoint(folder: Path) -> str:
    path = write_checkpoint(folder)
    path.chmod(0)
    return str(path)


def read_only_run(folder: Path) -> list[str]:
    """Continue a run whose folder was made read-only."""
    run = folder / "runs" / "recipe" / "1"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(RecipeCLI(recipe()(folder)[1:]).dump())
    run.chmod(0o555)
    return ["fit", "--resume", str(run)]


def read_only_runs(folder: Path) -> list[str]:
    (folder / "runs").mkdir(mode=0o555)
    return recipe()(folder)


NO_CODE = "holds Python objects besides tensors and built-in types"
CHECKPOINTS = [
    Case(
        "checkpoints",
        "a folder without one",
        lambda folder: ["predict", str(folder / "images"), str(folder / "images")],
        "the folder PATH/images holds no checkpoint",
    ),
    Case("checkpoints", "none there", of("predict", lambda folder: folder / "gone.ckpt"), "there is no checkpoint"),
    Case("checkpoints", "cut off: predict", of("predict", torn_checkpoint), "is truncated or not a checkpoint"),
    Case("checkpoints", "cut off: validate", of("validate", torn_checkpoint), "is truncated or not a checkpoint"),
    Case("checkpoints", "code inside: predict", of("predict", evil_checkpoint), NO_CODE),
    Case("checkpoints", "code inside: validate", of("validate", evil_checkpoint), NO_CODE),
    Case("checkpoints", "code inside: test", of("test", evil_checkpoint), NO_CODE),
    *(
        Case("checkpoints", f"code inside: {command}", of(command, evil_checkpoint), NO_CODE)
        for command in ("calibrate", "corruptions", "check")
    ),
    Case("checkpoints", "code inside: ensemble", lambda folder: ["ensemble", *[evil_checkpoint(folder)] * 2], NO_CODE),
    Case("checkpoints", "code inside: fit --resume", evil_run, NO_CODE),
    Case(
        "checkpoints",
        "code inside: initial weights",
        lambda folder: recipe(("model.initial.checkpoint", evil_checkpoint(folder)))(folder),
        NO_CODE,
    ),
    Case(
        "checkpoints",
        "no right to read the checkpoint",
        of("predict", secret_checkpoint),
        "last.ckpt cannot be read (Permission denied)",
        rights=True,
    ),
    Case(
        "checkpoints",
        "of a newer version",
        of("predict", lambda folder: write_checkpoint(folder, format=FORMAT + 1)),
        "upgrade lit-cnn",
    ),
    Case(
        "checkpoints",
        "of a version too old",
        of("predict", lambda folder: write_checkpoint(folder, format=0)),
        "has format 0, which this lit-cnn no longer reads",
    ),
    Case(
        "checkpoints",
        "of another architecture",
        of("predict", lambda folder: write_checkpoint(folder, state_dict={"net.fc.weight": torch.ones(2, 2)})),
        "does not fit cifar_resnet20",
    ),
    Case(
        "checkpoints",
        "of another program",
        of("predict", lambda folder: write_checkpoint(folder, network=None) and foreign(folder)),
        "was not written by lit-cnn",
    ),
    Case(
        "checkpoints",
        "a URL",
        lambda folder: ["predict", "https://example.org/x.ckpt", str(folder / "images")],
        "is a URL: download the checkpoint first",
    ),
]


def foreign(folder: Path) -> Path:
    torch.save({"model": {"w": torch.ones(2)}}, folder / "last.ckpt")
    return folder / "last.ckpt"


def file_as_runs(folder: Path) -> list[str]:
    (folder / "runs").write_text("a file where the folder of runs should be")
    return recipe()(folder)


FILES = [
    Case("files", "no run to resume", lambda _: ["fit", "--resume", "last"], "there is no run below"),
    Case("files", "no such run folder", lambda _: ["fit", "--resume", "elsewhere"], "there is no run folder elsewhere"),
    Case("files", "run folder cannot be made", file_as_runs, "cannot create the run folder"),
    Case("files", "folder of runs is read-only", read_only_runs, "cannot create the run folder", rights=True),
    Case("files", "run folder is read-only", read_only_run, "Permission denied", rights=True),
    Case(
        "files",
        "predictions of an unknown kind",
        predicted_into("out.txt"),
        "--out PATH/out.txt ends in .txt, but .csv, .json or .jsonl is expected",
    ),
    Case("files", "predictions into a folder that is not there", predicted_into("none/out.csv"), "make it first"),
    Case(
        "files",
        "predictions into a folder without rights",
        predicted_into("locked/out.csv"),
        "cannot be written (permission denied)",
        rights=True,
    ),
]
