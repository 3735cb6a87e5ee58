"""Groups that cannot be held out, and runs that are to go on with other images."""

import contextlib
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bad_case import Case
from bad_recipes import npz, recipe
from PIL import Image

from lit_cnn.cli.main import main


def without_val(*changes: tuple[str, Any]) -> Callable[[Path], list[str]]:
    """Fit the sound recipe on its training images alone."""

    def arguments(folder: Path) -> list[str]:
        shutil.rmtree(folder / "images" / "val")
        return recipe(*changes)(folder)

    return arguments


def grouped_npz(folder: Path) -> list[str]:
    return [*npz()(folder), "--data.group_by", "p"]


def resumed_after(change: Callable[[Path], Any]) -> Callable[[Path], list[str]]:
    """Continue a run in the middle, whose training images ``change`` has changed meanwhile."""

    def arguments(folder: Path) -> list[str]:
        with contextlib.redirect_stdout(io.StringIO()):
            main([*recipe(("trainer.max_epochs", 2))(folder), "--runs", str(folder / "runs")])
        (run,) = (folder / "runs" / "recipe").iterdir()
        shutil.copy(run / "checkpoints" / "previous.ckpt", run / "checkpoints" / "last.ckpt")
        change(folder / "images" / "train")
        return ["fit", "--resume", str(run)]

    return arguments


def rename(train: Path) -> None:
    os.rename(train / "cat" / "3.jpg", train / "cat" / "new.jpg")


def replace(train: Path) -> None:
    Image.new("RGB", (50, 50)).save(train / "dog" / "1.jpg")


HOLD_OUT = [
    Case("data sets", "unknown rule of holding out", without_val(("data.hold_out", "names")), "hold_out"),
    Case(
        *("data sets", "groups by a broken expression", without_val(("data.group_by", "p("))),
        "data.group_by 'p(' is not a regular expression (missing ), unterminated subpattern at position 1)",
    ),
    Case(
        *("data sets", "an image without a group", without_val(("data.group_by", "[1-9]"))),
        "matches nothing of the image cat/0.jpg, but every image needs a group",
    ),
    Case(
        *("data sets", "one group for all", without_val(("data.group_by", "jpg"))),
        "data.group_by makes 1 group (jpg) of the training images, of which none can be held out",
    ),
    Case(
        *("data sets", "groups by a column that is not there", without_val(("data.group_by", "column:patient"))),
        "data.group_by names the column 'patient', which the data does not have (only lists of files have columns)",
    ),
    Case("data sets", "groups of an npz", grouped_npz, "data.source npz holds pixels without names: set it to null"),
    Case(
        *("data sets", "resume after a training image was renamed", resumed_after(rename)),
        "it has 1 training image not in it before (cat/new.jpg), so order and held-out images would be others",
    ),
    Case(
        *("data sets", "resume after a training image was replaced", resumed_after(replace)),
        "it has 1 training image of another size in bytes (dog/1.jpg)",
    ),
]
