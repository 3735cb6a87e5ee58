"""Whether weights sit where they belong: proven by equal logits, made likely by labeled images, or neither."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lit_cnn.architectures.network import Network
from lit_cnn.pretrained.references import REFERENCES, Reference
from lit_cnn.pretrained.sources import PublishedWeights, build_other, load_with_its_library
from lit_cnn.pretrained.transfer import load_by_name, transfer_weights

Status = Literal["proven", "images", "unproven"]
UNPROVEN = "pairing unproven: "
"""Begins the sentence of what nothing has proven."""


@dataclass(frozen=True)
class Proof:
    """How it is known that each tensor has its place.

    Args:
        status: "proven" by equal logits of the network whose names the file has, "images" by labeled images, or
            "unproven".
        sentence: The same for people.
        difference: Largest difference of the logits over the largest logit; None where none were compared.
        method: How the tensors were paired.
    """

    status: Status
    sentence: str
    difference: float | None = None
    method: str = "names"

    def as_dict(self) -> dict[str, Any]:
        """Built-in types."""
        return asdict(self)


def reference_of(row: PublishedWeights) -> Reference:
    """The pair of networks that published weights belong to."""
    return next(
        reference
        for reference in REFERENCES
        if reference.published
        and (reference.name, reference.library, reference.other) == (row.architecture, row.library, row.name)
    )


def noise(reference: Reference, batch: int = 2) -> Tensor:
    """Random images (batch, 3, S, S) on which two networks are compared."""
    side = reference.image_size
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(0))


def fresh_network(row: PublishedWeights, num_classes: int) -> nn.Module:
    """The library's own network without weights, in evaluation."""
    options = {**reference_of(row).other_options, "num_classes": num_classes}
    return build_other(row.library, row.name, options).eval()


def their_network(row: PublishedWeights, state: Mapping[str, Tensor], num_classes: int) -> nn.Module:
    """The library's own network with the file's weights, in evaluation.

    Raises:
        ValueError: If the file's names are not those of the library.
    """
    network = fresh_network(row, num_classes)
    try:
        load_by_name(state, network)
    except ValueError:
        converted = load_with_its_library(row, state, num_classes)
        if converted is None:
            raise
        network = converted
    return network.eval()


def transfer_published(row: PublishedWeights, state: Mapping[str, Tensor], ours: Network) -> Proof:
    """Give ``ours`` the weights of a published file, and prove it by the library's network.

    A file of other names than the library's goes into both networks by its order: equal logits then prove that both
    define the same network, but not the pairing.

    Raises:
        ValueError: If the weights do not fit, or the logits differ; it names the first layer that does.
    """
    images, label = noise(reference_of(row)), f"{row.library}'s {row.name}"
    try:
        theirs = their_network(row, state, ours.num_classes)
    except ValueError:
        report = transfer_weights(dict(state), ours, images, unproven="accept")
        theirs = fresh_network(row, ours.num_classes)
        back = transfer_weights(ours, theirs, images)
        return Proof(
            "unproven",
            f"{UNPROVEN}the file has other names than {label}, so its {report.pairs} tensors were paired by "
            f"{report.method}; with them the logits equal those of {label} (relative difference {back.relative:.1e})",
            back.relative,
            report.method,
        )
    report = transfer_weights(theirs, ours, images)
    return Proof(
        "proven",
        f"proven: {report.pairs} tensors, logits equal those of {label} with the same weights (relative difference "
        f"{report.relative:.1e})",
        report.relative,
        report.method,
    )
