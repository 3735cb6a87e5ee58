"""Hostile and broken input, case by case: what is given, and what lit-cnn says.

    python tests/cli/bad_input.py > docs/reliability.md

runs every case and writes the page; the tests run the same cases and hold the page to them.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

import lit_cnn
from lit_cnn.cli.main import main
from lit_cnn.cli.recipe import RecipeCLI
from lit_cnn.training.runs import FORMAT

PREPROCESSING = {
    "image_size": 16,
    "crop_ratio": 1.0,
    "interpolation": "bilinear",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "in_channels": 3,
}


@dataclass(frozen=True)
class Case:
    """One input and its answer.

    Args:
        group: images, data sets, recipes, checkpoints or files.
        name: What is wrong, in a few words.
        arguments: Makes the input in a folder that holds ``images/`` and returns the command line.
        says: Part of the sentence, in which PATH stands for the folder; of the output where the code is 0.
        code: Exit code.
    """

    group: str
    name: str
    arguments: Callable[[Path], list[str]]
    says: str
    code: int = 1


def make_images(folder: Path) -> None:
    """``images/{train,val}/{cat,dog}`` with four 20x20 JPEGs each."""
    for split in ("train", "val"):
        for name in ("cat", "dog"):
            (folder / "images" / split / name).mkdir(parents=True)
            for number in range(4):
                pixels = np.random.default_rng(number).integers(0, 255, (20, 20, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / "images" / split / name / f"{number}.jpg")


def write_checkpoint(folder: Path, **changes: Any) -> Path:
    """A checkpoint of a CIFAR ResNet-20 with random weights for two classes."""
    torch.manual_seed(0)
    network = lit_cnn.create_model("cifar_resnet20", num_classes=2)
    content: dict[str, Any] = {
        "network": {"architecture": "cifar_resnet20", "options": {}, "num_classes": 2, "in_channels": 3},
        "state_dict": {f"net.{name}": value for name, value in network.state_dict().items()},
        "format": FORMAT,
        "class_names": ["cat", "dog"],
        "preprocessing": PREPROCESSING,
        "recipe": {},
        "global_step": 1,
    }
    torch.save({**content, **changes}, folder / "last.ckpt")
    return folder / "last.ckpt"


# Images: predicted by a checkpoint ------------------------------------------------------------------------------


def image(name: str, write: Callable[[Path], Any]) -> Callable[[Path], list[str]]:
    """Predict the file ``name`` that ``write`` makes."""

    def arguments(folder: Path) -> list[str]:
        write(folder / name)
        return ["predict", str(write_checkpoint(folder)), str(folder / name), "--json"]

    return arguments


def pixels(mode: str, size: tuple[int, int] = (24, 20)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(noise, "RGBA").convert(mode)


def torn(path: Path) -> None:
    pixels("RGB").save(path)
    path.write_bytes(path.read_bytes()[:300])


def sixteen_bit(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 65535, (20, 24), dtype=np.uint16)).save(path)


def palette(path: Path) -> None:
    image = pixels("RGB").quantize(16)
    image.save(path, transparency=0)


def rotated(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels("RGB").save(path, exif=exif)


def animated(path: Path) -> None:
    pixels("RGB").save(path, save_all=True, append_images=[pixels("RGB").rotate(90)])


def bomb(path: Path) -> None:
    """A PNG of a few kB that claims 40,000 x 40,000 pixels."""
    Image.new("1", (40000, 40000)).save(path)


IMAGES = [
    Case("images", "cut off", image("torn.jpg", torn), "PATH/torn.jpg cannot be decoded"),
    Case("images", "zero bytes", image("empty.png", Path.touch), "PATH/empty.png cannot be decoded"),
    Case(
        "images",
        "text with an image's ending",
        image("note.jpg", lambda path: path.write_text("hello")),
        "PATH/note.jpg cannot be decoded",
    ),
    Case("images", "decompression bomb", image("bomb.png", bomb), "PATH/bomb.png cannot be decoded"),
    Case(
        "images",
        "PNG with the ending .jpg",
        image("wrong.jpg", lambda path: pixels("RGB").save(path, "PNG")),
        "wrong.jpg",
        0,
    ),
    Case("images", "CMYK", image("print.jpg", lambda path: pixels("CMYK").save(path)), "print.jpg", 0),
    Case("images", "16-bit gray", image("deep.png", sixteen_bit), "deep.png", 0),
    Case("images", "palette with transparency", image("palette.png", palette), "palette.png", 0),
    Case("images", "turned by EXIF", image("turned.jpg", rotated), "turned.jpg", 0),
    Case("images", "animated: its first frame", image("film.gif", animated), "film.gif", 0),
    Case("images", "1 x 1 pixel", image("dot.png", lambda path: pixels("RGB", (1, 1)).save(path)), "dot.png", 0),
    Case(
        "images",
        "20,000 pixels wide",
        image("wide.png", lambda path: Image.new("RGB", (20000, 8)).save(path)),
        "wide.png",
        0,
    ),
    Case(
        "images",
        "name with umlauts and blanks",
        image("über alles ☃.png", lambda path: pixels("RGB").save(path)),
        " alles ",
        0,
    ),
    Case(
        "images",
        "no such file",
        lambda folder: ["predict", str(write_checkpoint(folder)), str(folder / "gone.jpg")],
        "there is no image PATH/gone.jpg",
    ),
    Case(
        "images",
        "folder without images",
        lambda folder: ["predict", str(write_checkpoint(folder)), str(folder / "images" / "train")[:-5] + "empty"],
        "there is no image",
    ),
]


# Recipes and data sets: what fit says ------------------------------------------------------------------------------


def recipe(*changes: tuple[str, Any], text: str | None = None) -> Callable[[Path], list[str]]:
    """Fit a small sound recipe with dotted keys changed (None removes one), or the literal ``text``."""

    def arguments(folder: Path) -> list[str]:
        path = folder / "recipe.yaml"
        path.write_text(text if text is not None else yaml.safe_dump(changed(folder, changes)))
        return ["fit", "--config", str(path)]

    return arguments


def changed(folder: Path, changes: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "model": {"architecture": "cifar_resnet20"},
        "data": {
            "source": "imagefolder",
            "path": str(folder / "images"),
            "image_size": 16,
            "batch_size": 4,
            "workers": 0,
            "crop": {"kind": "resize"},
        },
        "trainer": {"max_epochs": 1, "accelerator": "cpu", "enable_progress_bar": False},
        "tracking": {"mode": "disabled"},
    }
    for key, value in changes:
        *parents, last = key.split(".")
        place = content
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value.replace("PATH", str(folder)) if isinstance(value, str) else value
    return content


def after(change: Callable[[Path], Any], *changes: tuple[str, Any]) -> Callable[[Path], list[str]]:
    """Fit the sound recipe after ``change`` has spoiled its images."""

    def arguments(folder: Path) -> list[str]:
        change(folder)
        return recipe(*changes)(folder)

    return arguments


def empty_class(folder: Path) -> None:
    for path in (folder / "images" / "train" / "cat").iterdir():
        path.unlink()


def one_class(folder: Path) -> None:
    for split in ("train", "val"):
        os.rename(folder / "images" / split / "dog", folder / f"{split}-dog")


def class_in_val_only(folder: Path) -> None:
    os.rename(folder / "images" / "train" / "dog", folder / "images" / "train" / "wolf")


def torn_training_image(folder: Path) -> None:
    path = folder / "images" / "train" / "cat" / "2.jpg"
    path.write_bytes(path.read_bytes()[:200])


def npz(**arrays: Any) -> Callable[[Path], list[str]]:
    """Fit an npz of eight gray images with arrays changed (None removes one)."""

    def arguments(folder: Path) -> list[str]:
        content = {"train_images": np.zeros((8, 16, 16), np.uint8), "train_labels": np.arange(8) % 2}
        content |= {"val_images": content["train_images"], "val_labels": content["train_labels"], **arrays}
        path = folder / "set.npz"
        np.savez(path, **{name: array for name, array in content.items() if array is not None})
        return recipe(("data.source", "npz"), ("data.path", str(path)))(folder)

    return arguments


def random_bytes(folder: Path) -> list[str]:
    (folder / "set.npz").write_bytes(np.random.default_rng(0).bytes(2000))
    return recipe(("data.source", "npz"), ("data.path", str(folder / "set.npz")))(folder)


DATA = [
    Case("data sets", "no such folder", recipe(("data.path", "/nowhere/at/all")), "there is no /nowhere/at/all"),
    Case("data sets", "empty class folder", after(empty_class), "PATH/images/train/cat holds no image"),
    Case("data sets", "a single class", after(one_class), "PATH/images/train holds one class only (cat)"),
    Case("data sets", "class in val only", after(class_in_val_only), "PATH/images/val/dog has no counterpart"),
    Case("data sets", "broken training image", after(torn_training_image), "train/cat/2.jpg cannot be decoded"),
    Case(
        "data sets",
        "broken training image, read by a worker",
        after(torn_training_image, ("data.workers", 1)),
        "train/cat/2.jpg cannot be decoded",
    ),
    Case(
        "data sets",
        "a file where a folder is expected",
        recipe(("data.path", "PATH/images/train/cat/0.jpg")),
        "0.jpg is a file; data.source imagefolder expects a folder",
    ),
    Case("data sets", "npz with other array names", npz(train_images=None), "has no array 'train_images'"),
    Case("data sets", "npz of floats", npz(train_images=np.zeros((8, 16, 16))), "has type float64; uint8"),
    Case(
        "data sets",
        "npz with labels out of range",
        npz(val_labels=np.full(8, 7)),
        "holds label 7, but there are only 2 classes",
    ),
    Case(
        "data sets",
        "npz with fewer labels than images",
        npz(train_labels=np.zeros(3, np.int64)),
        "has 3 labels for 8 images",
    ),
    Case(
        "data sets",
        "npz of pickled objects",
        npz(train_images=np.array([None] * 8, dtype=object)),
        "is not a readable npz file of plain arrays",
    ),
    Case("data sets", "npz of random bytes", random_bytes, "is not a readable npz file"),
    Case(
        "data sets", "batch larger than the set", recipe(("data.batch_size", 64)), "larger than the training set of 8"
    ),
    Case("data sets", "image too small for the net", recipe(("model.architecture", "vgg11")), "at least 32x32 pixels"),
    Case(
        "data sets",
        "other classes than the recipe states",
        recipe(("model.num_classes", 7)),
        "model.num_classes is 7 but the data has 2",
    ),
]
RECIPES = [
    Case("recipes", "no such recipe", lambda _: ["fit", "--config", "quickstrt"], "did you mean quickstart"),
    Case("recipes", "misspelt key", recipe(("model.architecure", "x")), "did you mean 'model.architecture'"),
    Case(
        "recipes",
        "misspelt nested key",
        recipe(("data.rand_augment.layer", 2)),
        "did you mean 'data.rand_augment.layers'",
    ),
    Case(
        "recipes",
        "abbreviated key",
        lambda folder: [*recipe()(folder), "--data.rand_augment.magnitud", "5"],
        "did you mean 'data.rand_augment.magnitude'",
    ),
    Case("recipes", "wrong type", recipe(("data.batch_size", "lots")), "data.batch_size"),
    Case("recipes", "YAML syntax", recipe(text="model:\n  architecture: [cifar\ndata: x\n"), "recipe.yaml, line"),
    Case("recipes", "not a mapping", recipe(text="- a\n- b\n"), "must hold a mapping"),
    Case(
        "recipes",
        "unknown architecture",
        recipe(("model.architecture", "cifar_resnt20")),
        "did you mean 'cifar_resnet20'",
    ),
    Case(
        "recipes",
        "option of another network",
        recipe(("model.options.stride_in", "1x1")),
        "cifar_resnet20 has no option 'stride_in'",
    ),
    Case("recipes", "negative size", recipe(("data.image_size", -1)), "data.image_size is -1"),
    Case("recipes", "no end of training", recipe(("trainer.max_epochs", -1)), "needs an end"),
    Case(
        "recipes",
        "warm-up longer than the run",
        recipe(("model.schedule.warmup_epochs", 9)),
        "longer than the run of 1 epochs",
    ),
    Case(
        "recipes",
        "Lightning's own clipping",
        recipe(("trainer.gradient_clip_val", 1.0)),
        "set model.clipping.kind norm",
    ),
    Case(
        "recipes",
        "more stages than epochs",
        recipe(("progressive_learning", {"stages": 4, "image_size": 8})),
        "progressive_learning.stages is 4, more than the run's 1 epochs",
    ),
    Case(
        "recipes",
        "batch that does not divide",
        recipe(("data.batch_size", 5), ("trainer.accumulate_grad_batches", 2)),
        "does not divide into 1 devices x 2 accumulated batches",
    ),
    Case(
        "recipes",
        "a learning rate that diverges",
        recipe(("model.optimizer.learning_rate", 1.0e30), ("trainer.max_epochs", 3)),
        "the training loss is not finite in step",
    ),
    Case(
        "recipes",
        "no such initial weights",
        recipe(("model.initial.checkpoint", "nowhere.ckpt")),
        "there is no checkpoint nowhere.ckpt",
    ),
    Case("recipes", "no such command", lambda _: ["model"], "did you mean 'models'", 2),
]


# Checkpoints ------------------------------------------------------------------------------


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


NO_CODE = "holds Python objects besides tensors and built-in types"
CHECKPOINTS = [
    Case("checkpoints", "none there", of("predict", lambda folder: folder / "gone.ckpt"), "there is no checkpoint"),
    Case("checkpoints", "cut off: predict", of("predict", torn_checkpoint), "is truncated or not a checkpoint"),
    Case("checkpoints", "cut off: validate", of("validate", torn_checkpoint), "is truncated or not a checkpoint"),
    Case("checkpoints", "code inside: predict", of("predict", evil_checkpoint), NO_CODE),
    Case("checkpoints", "code inside: validate", of("validate", evil_checkpoint), NO_CODE),
    Case("checkpoints", "code inside: test", of("test", evil_checkpoint), NO_CODE),
    Case("checkpoints", "code inside: fit --resume", evil_run, NO_CODE),
    Case(
        "checkpoints",
        "code inside: initial weights",
        lambda folder: recipe(("model.initial.checkpoint", evil_checkpoint(folder)))(folder),
        NO_CODE,
    ),
    Case(
        "checkpoints",
        "of a newer version",
        of("predict", lambda folder: write_checkpoint(folder, format=FORMAT + 1)),
        "upgrade lit-cnn",
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
        "was not written by lit-cnn fit",
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
    Case(
        "files",
        "predictions of an unknown kind",
        lambda folder: [
            "predict",
            str(write_checkpoint(folder)),
            str(folder / "images" / "val"),
            "--out",
            str(folder / "out.txt"),
        ],
        "predictions are written as .csv or .json, not .txt",
    ),
]
CASES = [*IMAGES, *DATA, *RECIPES, *CHECKPOINTS, *FILES]


def answer(case: Case, folder: Path) -> tuple[int, str, str]:
    """Run a case in ``folder``: exit code, the sentence (or "works"), and all that was printed."""
    make_images(folder)
    out, error = io.StringIO(), io.StringIO()
    before = Path.cwd()
    os.chdir(folder)
    try:
        arguments = case.arguments(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            code = main(arguments)
    finally:
        os.chdir(before)
    said = [line for line in error.getvalue().splitlines() if line.startswith("lit-cnn: ")]
    text = said[0].removeprefix("lit-cnn: ") if len(said) == 1 else "works" if not said else "\n".join(said)
    return code, text.replace(str(folder), "PATH"), out.getvalue() + error.getvalue()


PAGE = """# What lit-cnn says to broken and hostile input

Every row is a test (`tests/cli/test_bad_input.py`); this page is written by `python tests/cli/bad_input.py`. PATH
stands for the folder of the case. "works" means exit code 0 and a prediction. `LIT_CNN_DEBUG=1` adds the traceback.

A broken training image ends a run and is named; with `data.on_error: skip` it is left out of losses and metrics, and
every epoch's line counts those left out. `lit-cnn check` finds broken and duplicate images before a run does.
"""


def page() -> str:
    """The page as Markdown."""
    lines, group = [PAGE], ""
    for case in CASES:
        if case.group != group:
            group = case.group
            lines += [f"\n## {group.capitalize()}\n", "| input | exit code | answer |", "| --- | ---: | --- |"]
        with TemporaryDirectory() as folder:
            code, text, _ = answer(case, Path(folder).resolve())
        lines.append(f"| {case.name} | {code} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
