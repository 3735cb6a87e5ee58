"""Data sets and recipes that ``fit`` cannot train on."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bad_case import Case
from PIL import Image


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


def floating_training_image(folder: Path) -> None:
    Image.new("F", (20, 20)).save(folder / "images" / "train" / "cat" / "2.jpg", "TIFF")


def secret_training_image(folder: Path) -> None:
    (folder / "images" / "train" / "cat" / "2.jpg").chmod(0)


def read_only_images(folder: Path) -> None:
    for path in (folder / "images").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)


GREEDY = {"class_path": "bad_case.Greedy", "init_args": {"in_features": 1, "out_features": 2}}


def npz(*changes: tuple[str, Any], **arrays: Any) -> Callable[[Path], list[str]]:
    """Fit an npz of eight gray images with keys of the recipe, and arrays, changed (None removes one)."""

    def arguments(folder: Path) -> list[str]:
        content = {"train_images": np.zeros((8, 16, 16), np.uint8), "train_labels": np.arange(8) % 2}
        content |= {"val_images": content["train_images"], "val_labels": content["train_labels"], **arrays}
        path = folder / "set.npz"
        np.savez(path, **{name: array for name, array in content.items() if array is not None})
        return recipe(("data.source", "npz"), ("data.path", str(path)), *changes)(folder)

    return arguments


FOUR = {f"{split}_images": np.zeros((8, 16, 16, 4), np.uint8) for split in ("train", "val")}


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
        "training image of more pixels than allowed",
        recipe(("data.max_pixels", 300)),
        "make it smaller or remove it, or raise data.max_pixels, or set data.on_error to skip",
    ),
    Case(
        "data sets",
        "training image of floating-point numbers",
        after(floating_training_image),
        "save it as 8-bit levels, or set data.levels to the numbers [low, high]",
    ),
    Case(
        "data sets",
        "8-bit training image under the levels of deeper ones",
        recipe(("data.levels", [0, 4095])),
        "its 8 bits hold 0 to 255, and the levels [0, 4095] are those of deeper files",
    ),
    Case(
        "data sets",
        "levels for arrays of 8 bits",
        recipe(("data.source", "digits"), ("data.levels", [0, 15])),
        "data.levels is [0.0, 15.0], but the images of scikit-learn's digits are arrays of 8-bit levels",
    ),
    Case(
        "data sets",
        "no right to read a training image",
        after(secret_training_image),
        "train/cat/2.jpg cannot be read by this user",
        rights=True,
    ),
    Case("data sets", "read-only folder", after(read_only_images), "run folder: runs/recipe", 0, rights=True),
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
        "data sets",
        "batch larger than the set",
        recipe(("data.batch_size", 64)),
        "data.batch_size is 8 instead of 64, since the training set has no more images",
        0,
    ),
    Case("data sets", "image too small for the net", recipe(("model.architecture", "vgg11")), "at least 32x32 pixels"),
    Case(
        "data sets",
        "image of another size under crop.kind none",
        recipe(("data.crop.kind", "none")),
        "needs images of 16x16 pixels (data.image_size), but the image PATH/images/train/",
    ),
    Case(
        "data sets",
        "an alpha channel that no file has",
        recipe(("data.in_channels", 4)),
        "data.in_channels is 4, but none of 8 images of PATH/images has a transparent pixel",
    ),
    Case(
        "data sets",
        "npz of four channels read as RGB",
        npz(("data.in_channels", 3), **FOUR),
        "data.in_channels is 3, but the images of PATH/set.npz have 4 channels",
    ),
    Case(
        "data sets",
        "change of colors of four channels",
        npz(("data.rand_augment.layers", 2), **FOUR),
        "data.rand_augment changes the colors of gray and RGB images, but those of PATH/set.npz have 4 channels",
    ),
    Case(
        "data sets",
        "other channels than the recipe states",
        recipe(("model.in_channels", 1)),
        "set data.in_channels to 1 to read it so",
    ),
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
    Case(
        "recipes",
        "mean for levels up to 255",
        recipe(("data.normalize", {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]})),
        "data.normalize.mean is (123.675, 116.28, 103.53) but must be from 0 to 1",
    ),
    Case("recipes", "negative size", recipe(("data.image_size", -1)), "data.image_size is -1"),
    Case("recipes", "three sizes", recipe(("data.image_size", [16, 16, 16])), "data.image_size"),
    Case("recipes", "two channels", recipe(("data.in_channels", 2)), "data.in_channels is 2 but must be null"),
    Case(
        "recipes",
        "resized to less than the crop",
        recipe(("data.evaluation.resize", 15)),
        "data.evaluation.resize is 15 but must be null or at least 16",
    ),
    Case(
        "recipes",
        "no epochs",
        recipe(("trainer.max_epochs", 0)),
        "trainer.max_epochs is 0 but must be at least 1",
    ),
    Case(
        "recipes",
        "no batches",
        recipe(("trainer.limit_train_batches", 0)),
        "trainer.limit_train_batches is 0 but must be above 0",
    ),
    Case(
        "recipes",
        "no accumulated batches",
        recipe(("trainer.accumulate_grad_batches", 0)),
        "trainer.accumulate_grad_batches is 0 but must be at least 1",
    ),
    Case(
        "recipes",
        "misspelt unit of time",
        recipe(("trainer.max_time", {"minuts": 5})),
        "trainer.max_time must have numbers of days, hours, minutes, seconds, got minuts: 5",
    ),
    Case(
        "recipes",
        "no end of training",
        recipe(("trainer.max_epochs", -1)),
        "trainer.max_epochs is -1, but the schedule cosine needs an end",
    ),
    Case(
        "recipes",
        "warm-up longer than the run",
        recipe(("model.schedule.warmup_epochs", 9)),
        "model.schedule.warmup_epochs is 1 instead of 9, the whole run",
        0,
    ),
    Case(
        "recipes",
        "Lightning's own clipping",
        recipe(("trainer.gradient_clip_val", 1.0)),
        "set model.clipping.kind norm",
    ),
    Case("recipes", "another folder of runs", recipe(("trainer.default_root_dir", "x")), "written below --runs"),
    Case(
        "recipes",
        "no checkpoints",
        recipe(("trainer.enable_checkpointing", False)),
        "cannot be false",
    ),
    Case("recipes", "no such device", recipe(("trainer.devices", 0)), "trainer do not work here"),
    Case(
        "recipes",
        "averages of coarse weights",
        recipe(("trainer.precision", "bf16-true"), ("ema.decay", 0.9)),
        "too coarse to be averaged",
    ),
    Case("recipes", "section twice", recipe(text="data: {}\nmodel: {}\ndata: {}\n"), "line 3: the key data"),
    Case(
        "recipes",
        "section whose keys are commented out",
        recipe(text="model:\n  schedule:\n#   name: step\n"),
        "line 2: the section model.schedule is empty",
    ),
    Case(
        "recipes",
        "more stages than epochs",
        recipe(("progressive_learning", {"stages": 4, "image_size": 8})),
        "progressive_learning.stages is 1 instead of 4, one for each epoch of the run",
        0,
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
        "more memory than there is",
        recipe(("model.architecture", GREEDY)),
        "out of memory (DefaultCPUAllocator: can't allocate memory",
    ),
    Case(
        "recipes",
        "no such initial weights",
        recipe(("model.initial.checkpoint", "nowhere.ckpt")),
        "there is no checkpoint nowhere.ckpt",
    ),
    Case(
        "recipes",
        "a strategy that shards the weights",
        recipe(("trainer.strategy", "fsdp")),
        "trainer.strategy fsdp shards the weights over the devices",
    ),
    Case("recipes", "no such command", lambda _: ["model"], "did you mean 'models'", 2),
]
