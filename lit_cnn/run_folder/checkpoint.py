"""The checkpoint format: what is read, how older versions become the present one, and the weights in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lit_cnn.run_folder.stored_recipe import completed
from lit_cnn.run_folder.weights_file import OPTIONAL, VERSION, is_safetensors, read_described, write_described

LAST = "last.ckpt"
PREVIOUS = "previous.ckpt"
BEST = "best.ckpt"
DATA = "ImageData"
"""Key of what a checkpoint keeps of its data (the class of the data module, under which Lightning puts its state)."""
CLASSIFICATION = "classification"
"""Task of a checkpoint that states none."""
DETECTION = "detection"
FORMAT = 3
"""Version of the checkpoint's layout."""


def _with_classes_and_preprocessing(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Until version 1 these were recorded by ``lit-cnn fit`` alone; a script's own Trainer left out the version too."""
    classes = (checkpoint.get("network") or {}).get("num_classes", 0)
    return {"class_names": [str(number) for number in range(classes)], "preprocessing": None, **checkpoint}


def _with_resized_side(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Version 2 knew squares alone, and the side before the crop as the crop's over their ratio."""
    stored = checkpoint.get("preprocessing")
    if not isinstance(stored, dict) or not {"image_size", "crop_ratio"} <= stored.keys():
        return checkpoint
    size, ratio = stored["image_size"], stored["crop_ratio"]
    kept = {key: value for key, value in stored.items() if key != "crop_ratio"}
    now = {**kept, "image_size": [size, size], "resize": round(size / ratio), "resize_mode": "shorter_side"}
    return {**checkpoint, "preprocessing": now}


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _with_classes_and_preprocessing,
    2: _with_resized_side,
}
"""What makes of a checkpoint of an older version one of the next; a version without an entry is refused."""


def load_checkpoint(path: str | Path, *, mapped: bool = False) -> dict[str, Any]:
    """Read a checkpoint of tensors and built-in types, or the safetensors that ``export_weights`` made of one.

    The latter have no recipe and nothing to resume from, only what evaluation, prediction and fine-tuning need.

    Args:
        path: The file.
        mapped: Read a tensor when it is used, for who needs few of them; the file must stay.

    Raises:
        ValueError: If the file is missing, torn, of a version that cannot be read, or holds anything else.
    """
    text = str(path)
    if "://" in text:
        raise ValueError(f"{text} is a URL: download the checkpoint first, lit-cnn reads local files only")
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"there is no checkpoint {text}")
    checkpoint = read_described(file) if is_safetensors(file) else _read_tensors(file, text, mapped)
    if not isinstance(checkpoint, dict) or "network" not in checkpoint:
        raise ValueError(
            f"{text} was not written by lit-cnn: it does not say which network it holds; weights of another program "
            "come in by lit-cnn import FILE --architecture NAME"
        )
    checkpoint = migrate(checkpoint, text)
    if "state_dict" not in checkpoint:
        raise ValueError(f"{text} was not written by lit-cnn: it holds no weights")
    if "recipe" in checkpoint:
        checkpoint["recipe"] = completed(checkpoint["recipe"])
    return checkpoint


def _read_tensors(file: Path, text: str, mapped: bool) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    except OSError as error:
        raise ValueError(
            f"the checkpoint {text} cannot be read ({error.strerror or error}): check its permissions"
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


def migrate(checkpoint: dict[str, Any], name: str) -> dict[str, Any]:
    """Bring a checkpoint to the present format, version by version.

    Args:
        checkpoint: As it was read.
        name: Its file, for the sentence.

    Raises:
        ValueError: If it is of a newer version, or of an older one from which no way leads here.
    """
    version = checkpoint.get("format", 1)
    if not isinstance(version, int) or version > FORMAT:
        raise ValueError(f"{name} has format {version!r}, this lit-cnn reads up to {FORMAT}: upgrade lit-cnn")
    for older in range(version, FORMAT):
        if older not in MIGRATIONS:
            raise ValueError(
                f"{name} has format {version}, which this lit-cnn no longer reads: use the version of lit-cnn "
                "that wrote it"
            )
        checkpoint = {**MIGRATIONS[older](checkpoint), "format": older + 1}
    return checkpoint


def require_task(checkpoint: dict[str, Any], task: str, name: str) -> None:
    """Refuse a checkpoint of another task than what was asked makes sense for.

    Args:
        checkpoint: As ``load_checkpoint`` returns it.
        task: classification or detection.
        name: Its file, for the sentence.

    Raises:
        ValueError: Naming file and tasks.
    """
    found = checkpoint.get("task", CLASSIFICATION)
    if found != task:
        holds = {"classification": "a classifier", "detection": "a detector"}
        raise ValueError(
            f"{name} holds {holds.get(found, found)}, but this needs {holds[task]}: pass a checkpoint of {task}"
        )


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
    """Write the network's weights as safetensors that every command takes as it takes the checkpoint.

    The texts of its metadata are architecture, options, num_classes, in_channels, class_names, preprocessing and, of
    imported weights, provenance; of a detector task, detector, category_ids, decoding and thresholds. All but the
    architecture are JSON.
    """
    write_described(network_weights(checkpoint), {**checkpoint["network"], **described_weights(checkpoint)}, path)


def described_weights(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint says of its weights besides the network they belong to."""
    described = {"class_names": checkpoint["class_names"], "preprocessing": checkpoint["preprocessing"]}
    described |= {name: checkpoint[name] for name in OPTIONAL if name in checkpoint}
    return {**described, VERSION: FORMAT}
