"""A trained network as its checkpoint describes it: architecture, weights, classes and preprocessing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.data.settings import Preprocessing
from lit_cnn.data.transforms import evaluation_transform
from lit_cnn.training.runs import load_checkpoint, network_weights


@dataclass
class Trained:
    """What a checkpoint holds, ready to be asked.

    Args:
        network: In evaluation mode.
        class_names: K names, in the order of the logits.
        preprocessing: From an image file to the network's input.
        recipe: The resolved recipe it was trained with.
    """

    network: nn.Module
    class_names: list[str]
    preprocessing: Preprocessing
    recipe: dict[str, Any]

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """(N, K) float32 logits, on the network's device, of uint8 images (N, C, H, W).

        The images need not have the size of the preprocessing.

        Raises:
            ValueError: If the network cannot be run at the size of the images.
        """
        device = next(self.network.parameters()).device
        mean = torch.tensor(self.preprocessing.mean, device=device).view(1, -1, 1, 1)
        std = torch.tensor(self.preprocessing.std, device=device).view(1, -1, 1, 1)
        pixels = images.to(device).float().contiguous(memory_format=torch.channels_last)
        try:
            return self.network((pixels / 255 - mean) / std).float()
        except RuntimeError as error:
            height, width = images.shape[-2:]
            if height == width == self.preprocessing.image_size:
                raise
            size = self.preprocessing.image_size
            raise ValueError(
                f"{type(self.network).__name__} cannot be run on {width}x{height} pixels, only near the "
                f"{size}x{size} of its training ({str(error).splitlines()[0]})"
            ) from None

    def probabilities(self, images: Tensor) -> Tensor:
        """(N, K) softmax of uint8 images (N, C, H, W) that have passed the preprocessing's transform."""
        return self.logits(images).softmax(dim=1)

    def transform(self) -> Any:
        """Function of a PIL image that returns the (C, H, W) uint8 input."""
        return evaluation_transform(self.preprocessing)


def load_trained(path: str | Path, weights: str = "ema") -> Trained:
    """Build the network of a checkpoint.

    Args:
        path: A checkpoint written by ``lit-cnn fit``.
        weights: "ema" for the averaged weights where they exist, or "raw".

    Raises:
        ValueError: If the file is torn, of another program, or of a network that is not in the catalog.
    """
    checkpoint = load_checkpoint(path)
    described = checkpoint["network"]
    if described["architecture"] is None:
        raise ValueError(f"{path} holds a network given as a Python object, which only its own code can rebuild")
    network = create_model(
        described["architecture"],
        num_classes=described["num_classes"],
        in_channels=described["in_channels"],
        **described["options"],
    )
    try:
        network.load_state_dict(network_weights(checkpoint, weights))
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ValueError(f"{path} does not fit {described['architecture']}: {first}") from None
    network.eval().to(memory_format=torch.channels_last)
    preprocessing = Preprocessing.from_dict(checkpoint["preprocessing"])
    return Trained(network, checkpoint["class_names"], preprocessing, checkpoint["recipe"])
