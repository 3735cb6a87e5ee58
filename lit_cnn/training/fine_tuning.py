"""Starting from another run's weights: fine-tuning, and the growing of VGG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from lit_cnn.data.module import ImageData
from lit_cnn.run_folder.checkpoint import CLASSIFICATION, load_checkpoint, network_weights, require_task
from lit_cnn.training.announce import announce
from lit_cnn.training.class_rows import unnamed
from lit_cnn.training.known_images import known_images
from lit_cnn.training.weight_copying import Head, copy_layers, copy_matching, with_rows_in_order
from lit_cnn.training.whitening import fix_first_convolution, whiten_first_convolution

WHITENING_IMAGES = 5000
"""Training images whose patches are measured …"""
WHITENING_PIXELS = 50e6
"""… or fewer where so many would have more pixels than this."""


@dataclass(frozen=True)
class InitialWeights:
    """Weights to start from instead of random ones.

    With neither count, every tensor of the checkpoint whose name and shape the network has is copied. In the layers
    that end in the classes, rows go to the class of the same name; those of classes that the checkpoint does not know
    start fresh, with a standard deviation of 0.01 and a bias of 0. A first convolution of other channels gets the sum
    of its filters for gray images, and zeros for an alpha channel. With counts, those layers alone are copied: VGG's
    paper (Simonyan and Zisserman 2014, section 3.1) copies the first 4 convolutions and the 3 linear layers of its
    11-layer net into the deeper ones. Each convolution goes, in order, to the network's next one of the same shape,
    which there is the first of its stage.

    Args:
        checkpoint: A checkpoint of ``lit-cnn fit`` or ``lit-cnn import``, or published weights such as
            ``timm:resnet50.a1_in1k``; null starts from random weights.
        convolutions: Copy this many convolutions from the input on.
        linears: Copy this many linear layers counted from the output.
        head: by_name copies the rows of classes that the checkpoint knows by the same name, and the others start fresh;
            fresh copies none.
        freeze_epochs: Epochs, counted from the start, in which only the layers that end in the classes are trained: the
            others, with their batch norms' statistics, stay as they were copied; all for the whole run, which is a
            linear probe.
        batch_norm: frozen keeps statistics, scales and shifts of every batch norm as they were copied, for the whole
            run; train changes them once their layers are trained.
        whitening: Start the first convolution as the principal components of the training images' patches and keep it
            fixed (Jordan 2024, arXiv:2404.00498).
    """

    checkpoint: str | None = None
    convolutions: int | None = None
    linears: int | None = None
    head: Head = "by_name"
    freeze_epochs: int | Literal["all"] = 0
    batch_norm: Literal["train", "frozen"] = "train"
    whitening: bool = False

    def __post_init__(self) -> None:
        if self.whitening and self.checkpoint is not None:
            raise ValueError("initial.whitening replaces a layer of initial.checkpoint: choose one of the two")
        for name in ("convolutions", "linears"):
            value = getattr(self, name)
            if value is not None and (value < 0 or self.checkpoint is None):
                raise ValueError(f"initial.{name} is {value}: it must be at least 0 and needs initial.checkpoint")
        for name, choices in (("head", get_args(Head)), ("batch_norm", ("train", "frozen"))):
            if getattr(self, name) not in choices:
                raise ValueError(f"initial.{name} must be {' or '.join(choices)}, got {getattr(self, name)!r}")
        if self.freeze_epochs != "all" and not (isinstance(self.freeze_epochs, int) and self.freeze_epochs >= 0):
            raise ValueError(f"initial.freeze_epochs must be at least 0, or all, got {self.freeze_epochs!r}")

    def require_weights(self) -> None:
        """Refuse to keep random weights as they are.

        Raises:
            ValueError: If something is frozen, but no checkpoint is stated.
        """
        for name, free in (("freeze_epochs", 0), ("batch_norm", "train")):
            if self.checkpoint is None and getattr(self, name) != free:
                raise ValueError(
                    f"initial.{name} is {getattr(self, name)}, which would keep random weights as they are: state the "
                    "weights to start from in initial.checkpoint (lit-cnn fit --pretrained)"
                )


def start_weights(
    network: nn.Module, initial: InitialWeights, data: object, class_names: Sequence[str], *, resumed: bool
) -> None:
    """Replace random weights as ``initial`` says, telling the user; a resumed run's come from its checkpoint instead.

    Args:
        network: Whose weights are replaced.
        initial: By which.
        data: What is trained on.
        class_names: Its classes in the order of the logits; their numbers where it names none.
        resumed: Whether a checkpoint brings all weights.

    Raises:
        ValueError: If whitening has no ``ImageData`` to read images from, or as ``load_initial_weights`` does.
    """
    if initial.checkpoint is not None and not resumed:
        announce(load_initial_weights(network, initial, class_names))
        if warning := known_images(initial.checkpoint, data):
            announce(warning)
    if initial.whitening and resumed:
        fix_first_convolution(network)
    elif initial.whitening:
        if not isinstance(data, ImageData):
            raise ValueError("initial.whitening reads training images: train with an ImageData")
        number = min(WHITENING_IMAGES, int(WHITENING_PIXELS / math.prod(data.evaluated_sides)))
        announce(whiten_first_convolution(network, data.training_images(number)))


def load_initial_weights(network: nn.Module, initial: InitialWeights, class_names: Sequence[str]) -> str:
    """Copy weights into ``network``, whose logits are of ``class_names``, and return a sentence that says which.

    Raises:
        ValueError: If the checkpoint cannot be read or is a detector's, or a layer to copy has another shape or other
            classes.
    """
    assert initial.checkpoint is not None
    checkpoint = load_checkpoint(initial.checkpoint)
    require_task(checkpoint, CLASSIFICATION, initial.checkpoint)
    weights, stored = network_weights(checkpoint), list(checkpoint["class_names"])
    source = checkpoint["network"]["architecture"] or "a network given as a class path"
    proof = checkpoint.get("provenance", {}).get("proof", {})
    if proof.get("status") == "unproven":
        announce(f"warning: {initial.checkpoint}: {proof['sentence']}")
    if initial.convolutions is None and initial.linears is None:
        said = copy_matching(network, weights, stored, class_names, initial.head)
        return f"started from {initial.checkpoint} ({source}): {said}"
    if initial.linears and not unnamed(stored):
        weights = with_rows_in_order(weights, stored, class_names)
    copied = copy_layers(network, weights, initial.convolutions or 0, initial.linears or 0)
    return f"started from {initial.checkpoint} ({source}): copied {', '.join(copied)}"
