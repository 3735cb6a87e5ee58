"""The weights of a checkpoint alone, as safetensors whose metadata says what is needed to use them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from lit_cnn.run_folder.atomic import replacing

NEEDED = ("architecture", "options", "num_classes", "in_channels", "class_names", "preprocessing")
"""What the metadata holds, all but the architecture as JSON."""
OPTIONAL = ("provenance", "task", "category_ids", "decoding", "thresholds")
"""What it holds of imported weights, and of those of another task than classification."""
VERSION = "checkpoint_format"
"""Format of the checkpoint that the entries were taken from; without it, they are of format 3."""


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a header, and the header in JSON.

    Raises:
        ValueError: If it may not be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise ValueError(
            f"the checkpoint {path} cannot be read ({error.strerror or error}): check its permissions"
        ) from None
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size


def write_described(tensors: Mapping[str, Tensor], described: Mapping[str, Any], path: Path) -> None:
    """Write tensors with their description, with the rights of any new file.

    Args:
        tensors: By name; they are written in row-major order.
        described: The entries of NEEDED, and others of built-in types.
        path: The file, which is written whole or not at all.
    """
    from safetensors.torch import save

    texts = {name: json.dumps(value) for name, value in described.items() if name != "architecture"}
    metadata = {"format": "pt", "architecture": str(described["architecture"]), **texts}
    content = save({name: value.contiguous() for name, value in tensors.items()}, metadata)
    with replacing(path) as partial:  # safetensors' own writer makes a file that only its owner may read
        partial.write_bytes(content)


def read_described(path: Path) -> dict[str, Any]:
    """The checkpoint that described weights make: network, weights, classes and preprocessing, without a recipe.

    Entries of the metadata that say something else, such as an export's license, are not read.

    Raises:
        ValueError: If the file is damaged, or its metadata lacks one of NEEDED.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {f"net.{name}": file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from None
    if not set(NEEDED) <= metadata.keys():
        raise ValueError(
            f"{path} was not written by lit-cnn: its metadata does not say which network it holds; weights of another "
            "program come in by lit-cnn import FILE --architecture NAME"
        )
    meant = {*NEEDED, *OPTIONAL, VERSION, "detector"} - {"architecture"}
    try:
        read = {name: json.loads(text) for name, text in metadata.items() if name in meant}
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the metadata of {path} is damaged ({error}): use the run's checkpoint") from None
    architecture = None if metadata["architecture"] == "None" else metadata["architecture"]
    network = {name: read[name] for name in ("options", "num_classes", "in_channels", "detector") if name in read}
    return {
        "format": read.get(VERSION, 3),
        "network": {"architecture": architecture, **network},
        "state_dict": tensors,
        "global_step": 0,
        **{name: read[name] for name in ("class_names", "preprocessing", *OPTIONAL) if name in read},
    }
