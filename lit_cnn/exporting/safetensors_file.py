"""safetensors files: the weights as they are, which our network of the same name and options takes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from lit_cnn.architectures.catalog import create_model
from lit_cnn.exporting.metadata import describe
from lit_cnn.run_folder.atomic import replacing

if TYPE_CHECKING:
    from lit_cnn.evaluation.trained import Trained
    from lit_cnn.exporting.verifying import Run


def export_safetensors(trained: Trained, path: str | Path, license: str | None = None) -> None:
    """Write the weights, not folded, with the metadata in the file's header."""
    from safetensors.torch import save

    tensors = {name: value.cpu().contiguous() for name, value in trained.network.state_dict().items()}
    content = save(tensors, {"format": "pt", **describe(trained, license)})
    with replacing(Path(path)) as partial:  # safetensors' own writer makes a file that only its owner may read
        partial.write_bytes(content)


def open_safetensors(path: Path, like: torch.nn.Module) -> Run:
    """The network that the file's metadata names, with its weights.

    Args:
        path: The file.
        like: A network outside the catalog, whose code the file cannot hold; its weights are not used.
    """
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        metadata: dict[str, Any] = file.metadata()
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if metadata["architecture"] == "None":
        network = copy.deepcopy(like).cpu()
    else:
        options = {name: json.loads(metadata[name]) for name in ("num_classes", "in_channels")}
        network = create_model(metadata["architecture"], **options, **json.loads(metadata["options"]))
    network.load_state_dict(state)
    return torch.no_grad()(network.eval().to(memory_format=torch.channels_last))
