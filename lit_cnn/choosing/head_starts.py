"""Networks with the classifier of a linear probe: what the trainings of candidates with weights start from.

Such a network classifies as the probe does, so what its training changes is seen from the first epoch on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.cifar_vgg import ScaledLogits
from lit_cnn.architectures.network import Network
from lit_cnn.choosing.linear_head import LinearHead
from lit_cnn.data.module import ImageData
from lit_cnn.pretrained.importing import PROVENANCE, checkpoint_of
from lit_cnn.run_folder.atomic import replacing
from lit_cnn.run_folder.checkpoint import DATA, FORMAT, load_checkpoint, network_weights
from lit_cnn.run_folder.folder import find_checkpoint
from lit_cnn.training.weight_copying import copy_matching


@dataclass(frozen=True)
class HeadStart:
    """A start that a recipe names.

    Args:
        file: The checkpoint.
        accuracy: Of the validation images of the recipe, before any training.
    """

    file: str
    accuracy: float


@dataclass(frozen=True)
class Backbone:
    """Weights in a network of the images' classes.

    Args:
        network: In evaluation mode; its classifier is untrained.
        described: What a checkpoint says of the network.
        kept: What else the weights' own checkpoint says of them: where they come from, and which images they know.
    """

    network: Network
    described: dict[str, Any]
    kept: dict[str, Any]


def read_backbone(weights: str, class_names: Sequence[str], in_channels: int) -> Backbone:
    """Weights as ``model.initial`` copies them, except the rows of classes.

    Raises:
        ValueError: If they cannot be read, or do not fit.
    """
    checkpoint = load_checkpoint(find_checkpoint(checkpoint_of(weights)))
    described = {**checkpoint["network"], "num_classes": len(class_names), "in_channels": in_channels}
    with torch.random.fork_rng(devices=[]):  # auxiliary classifiers start fresh, and always the same
        torch.manual_seed(0)
        network = create_model(
            described["architecture"],
            num_classes=len(class_names),
            in_channels=in_channels,
            **described["options"],
        )
        copy_matching(network, network_weights(checkpoint), checkpoint["class_names"], class_names, "fresh")
    kept = {key: checkpoint[key] for key in (PROVENANCE, DATA) if key in checkpoint}
    return Backbone(network.eval(), described, kept)


@torch.no_grad()
def put_head(network: Network, head: LinearHead) -> None:
    """Replace the classifier's weight and bias, so that the network's logits are those of the head."""
    classifier, scale = network.classifier, network.head.scale if isinstance(network.head, ScaledLogits) else 1.0
    assert isinstance(classifier, nn.Linear)
    classifier.weight.copy_(head.weight / scale)
    if head.bias is not None:
        classifier.bias.copy_(head.bias / scale)


def write_start(file: Path, backbone: Backbone, head: LinearHead, data: ImageData) -> None:
    """The network with this head, which classifies the images as ``data`` prepares them, as a checkpoint."""
    put_head(backbone.network, head)
    checkpoint = {
        "format": FORMAT,
        "network": backbone.described,
        "state_dict": {f"net.{name}": value for name, value in backbone.network.state_dict().items()},
        "class_names": list(data.class_names),
        "preprocessing": data.preprocessing.as_dict(),
        "global_step": 0,
        **backbone.kept,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as partial:
        torch.save(checkpoint, partial)
