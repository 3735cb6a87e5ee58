"""A trained network as its checkpoint describes it: architecture, weights, classes and preprocessing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.data.image_size import in_words
from lit_cnn.data.normalization import normalize
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.data.settings import OnError
from lit_cnn.data.sources.channels import convert_channels
from lit_cnn.evaluation.choices import TOP_K
from lit_cnn.evaluation.predict import Prediction, file_images, predict_files, predict_pixels
from lit_cnn.pretrained.importing import PROVENANCE, checkpoint_of
from lit_cnn.run_folder.checkpoint import CLASSIFICATION, DATA, load_checkpoint, network_weights, require_task
from lit_cnn.run_folder.folder import find_checkpoint


class NotFinite(ValueError):
    """A network's output is not finite, so that no class follows from it."""


@dataclass
class Trained:
    """What a checkpoint holds, ready to be asked.

    Args:
        network: In evaluation mode.
        class_names: K names, in the order of the logits; their numbers where the training data named none.
        recorded_preprocessing: From an image file to the network's input; None where the training data did not say.
        recipe: The resolved recipe it was trained with; empty where a script trained it.
        name: What messages call it, such as its file.
        autocast: Number format of convolutions and matrix products under mixed precision; None: that of the weights.
        temperature: What the logits are divided by (``lit-cnn calibrate`` fits it); it changes no class.
        data_state: What it keeps of the images it was trained on (see ``data_state``); empty where a script trained it
            on something else than ``ImageData``.
        provenance: Where imported weights come from, and how it is known that they sit where they belong; empty of
            weights that lit-cnn trained.
        built_from: What the checkpoint says of the network: architecture (None outside the catalog), options,
            num_classes and in_channels.
    """

    network: nn.Module
    class_names: list[str]
    recorded_preprocessing: Preprocessing | None
    recipe: dict[str, Any]
    name: str = "the checkpoint"
    autocast: torch.dtype | None = None
    temperature: float = 1.0
    data_state: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    built_from: dict[str, Any] = field(default_factory=dict)

    @property
    def preprocessing(self) -> Preprocessing:
        """From an image file to the network's input.

        Raises:
            ValueError: If the training data did not say.
        """
        if self.recorded_preprocessing is None:
            raise ValueError(
                f"{self.name} does not record how images are prepared, since no ImageData was trained on: prepare them "
                "as in training and pass floating-point tensors (N, C, H, W)"
            )
        return self.recorded_preprocessing

    @property
    def doubt(self) -> str | None:
        """A warning about imported weights of which nothing shows that they sit where they belong."""
        proof = self.provenance.get("proof", {})
        return f"warning: {self.name}: {proof['sentence']}" if proof.get("status") == "unproven" else None

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """(N, K) float32 logits over the temperature, on the network's device.

        Every figure on these weights outside ``fit`` comes from here.

        Args:
            images: uint8 (N, C, H, W), which need not have the size of the preprocessing nor, between gray and RGB, its
                channels, or floating point, which the network takes as they are.

        Raises:
            ValueError: If the network cannot be run at the size of the images, or it is not known how to normalize
                them.
            NotFinite: If a logit is not finite.
        """
        weight = next(self.network.parameters())
        images = images.to(weight.device)
        if not images.is_floating_point():
            stated = self.preprocessing
            images = normalize(convert_channels(images, stated.in_channels), stated.mean, stated.std)
        try:
            with torch.autocast(images.device.type, self.autocast, enabled=self.autocast is not None):
                logits = self.network(images.to(weight.dtype)).float() / self.temperature
        except RuntimeError as error:
            recorded, (height, width) = self.recorded_preprocessing, images.shape[-2:]
            if recorded is None or (height, width) == recorded.image_size:
                raise
            raise ValueError(
                f"{type(self.network).__name__} cannot be run on {width}x{height} pixels, only near the "
                f"{in_words(recorded.image_size)} of its training ({str(error).splitlines()[0]})"
            ) from None
        if not logits.isfinite().all():
            raise NotFinite(
                f"the output of {self.name} is not finite, so it says nothing of an image: lit-cnn check {self.name} "
                "tells whether its weights are; if they are not, take another checkpoint or train again"
            )
        return logits

    def predict(
        self,
        images: Tensor | str | Path | Sequence[str | Path],
        workers: int = 0,
        *,
        top_k: int = TOP_K,
        on_error: OnError = "stop",
    ) -> list[Prediction]:
        """The most probable classes of each image.

        Args:
            images: Image files or one of them, or uint8 pixels (N, C, H, W), which are resized and cropped as files are
                unless they have the size of the preprocessing, or the network's own input in floating point.
            workers: Processes that decode files; 0 does it in this one.
            top_k: Classes of each image, where there are as many.
            on_error: What a file that cannot be read does: stop raises an error that names it, skip gives it a
                prediction without classes whose ``error`` says what is wrong.

        Raises:
            ValueError: If a file cannot be read, naming it, or it is not known how to prepare files or pixels, or
                ``top_k`` is below 1, or the images are neither files nor pixels.
        """
        if top_k < 1:
            raise ValueError(f"top_k is {top_k} but must be at least 1")
        if isinstance(images, Tensor):
            if images.ndim != 4:
                shape = tuple(images.shape)
                raise ValueError(f"pixels (N, C, H, W) are expected, got {shape}: one image is image[None]")
            batches = predict_pixels(self, images, top_k)
        else:
            files = file_images(images, self.preprocessing.pixel_format, workers, on_error)
            batches = predict_files(self, files, top_k)
        return [prediction for batch in batches for prediction in batch]


def load_trained(path: str | Path, weights: str = "ema", trust: Sequence[str] = ()) -> Trained:
    """Build the network of a checkpoint.

    Args:
        path: A checkpoint written by ``lit-cnn fit``, or by any Trainer that fitted a ``Classifier``; or a run folder,
            see ``find_checkpoint``; or published weights, see ``checkpoint_of``.
        weights: "ema" for the averaged weights where they exist, or "raw".
        trust: Class paths outside the catalog that may be imported and built, since that runs their code.

    Raises:
        ValueError: If the file is torn, of another program, or of a network that is neither in the catalog nor trusted.
    """
    path = find_checkpoint(checkpoint_of(path))
    return trained_from(load_checkpoint(path), str(path), weights, trust)


def on_device(trained: Trained) -> Trained:
    """The same with its network on the GPU where there is one."""
    trained.network.to("cuda" if torch.cuda.is_available() else "cpu")
    return trained


def trained_from(checkpoint: dict[str, Any], name: str, weights: str = "ema", trust: Sequence[str] = ()) -> Trained:
    """``load_trained`` of a checkpoint that was read from the file ``name``."""
    require_task(checkpoint, CLASSIFICATION, name)
    network = build_network(checkpoint, name, trust)
    try:
        network.load_state_dict(network_weights(checkpoint, weights))
    except RuntimeError as error:
        first = shortened(str(error).splitlines()[1].strip() if "\n" in str(error) else str(error))
        architecture = checkpoint["network"]["architecture"] or type(network).__name__
        raise ValueError(f"{name} does not fit {architecture}: {first}") from None
    network.eval().to(memory_format=torch.channels_last)
    recorded = checkpoint["preprocessing"]
    preprocessing = None if recorded is None else Preprocessing.from_dict(recorded)
    recipe, data_state = checkpoint.get("recipe", {}), checkpoint.get(DATA, {})
    return Trained(
        network,
        checkpoint["class_names"],
        preprocessing,
        recipe,
        name,
        data_state=data_state,
        provenance=checkpoint.get(PROVENANCE, {}),
        built_from=checkpoint["network"],
    )


def shortened(problem: str) -> str:
    """torch's sentence on a state dict, of a list of quoted names the first three and the number of the others."""
    between = ', "'
    *first, rest = problem.split(between, 3)
    return f"{between.join(first)} and {rest.count(between) + 1} more" if len(first) == 3 else problem


def build_network(checkpoint: dict[str, Any], name: str, trust: Sequence[str]) -> nn.Module:
    """The checkpoint's network with random weights: from the catalog, or from its trusted class path."""
    described = checkpoint["network"]
    if described["architecture"] is not None:
        return create_model(
            described["architecture"],
            num_classes=described["num_classes"],
            in_channels=described["in_channels"],
            **described["options"],
        )
    recorded = checkpoint.get("recipe", {}).get("model", {}).get("architecture")
    class_path = recorded.get("class_path") if isinstance(recorded, dict) else None
    if class_path is None:
        raise ValueError(
            f"{name} holds a network given as a Python object: pass it to lit_cnn.Classifier.load_from_checkpoint as "
            "architecture="
        )
    if class_path not in trust:
        raise ValueError(
            f"{name} holds {class_path}, a network outside the catalog: add --trust {class_path} to run that code"
        )
    return build_own_network(recorded, name)


def build_own_network(recorded: dict[str, Any], name: str) -> nn.Module:
    """A class path with its arguments, built as a recipe builds it."""
    from jsonargparse import ArgumentError, ArgumentParser  # here alone: prediction starts faster without

    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=nn.Module)
    try:
        return parser.instantiate(parser.parse_object({"network": recorded})).network
    except ArgumentError as error:
        reason = str(error).strip().splitlines()[-1].strip(" -")
        raise ValueError(
            f"{name}: {recorded['class_path']} cannot be built ({reason}): is its folder in PYTHONPATH?"
        ) from None
