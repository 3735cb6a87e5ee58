"""What can be chosen: a network at an image size, from published or own weights or from random ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lit_cnn.architectures.entry import Value

NETWORKS = (
    "efficientnet_lite0",
    "efficientnet_b0",
    "mobilenet_v2",
    "mobilenet_v1",
    "shufflenet_v1_g3_1.0x",
    "resnet18",
    "resnet50",
)
"""Tried where none is named: the smallest network of the families that people put on devices, and two references."""
SIZES = (224, 160, 128)
"""Sides in pixels at which they are tried."""
SMALL_NETWORKS = ("cifar_resnet20", "cifar_resnet32", "cifar_resnet56", "cifar_vgg8", "cifar_resnet8")
"""Tried on images of up to ``SMALL`` pixels, at their own size."""
SMALL = 64
"""Shorter side in pixels up to which images count as small: ImageNet's networks reduce them to nothing."""
UPSCALED = (128, 96)
"""Sides at which published networks are tried on small images, which are enlarged for them."""


Options = tuple[tuple[str, Value], ...]
"""Options of a network, such as (("padding", "same"),)."""


class Start(NamedTuple):
    """Weights that a network may start from.

    Args:
        architecture: Name of the network in the catalog.
        spec: A checkpoint or published weights.
        options: Of the network, as the weights need it.
    """

    architecture: str
    spec: str
    options: Options = ()


@dataclass(frozen=True)
class Candidate:
    """A network at an image size.

    Args:
        name: Of letters, digits, dots, underscores and hyphens, another for each candidate.
        architecture: Its name in the catalog.
        image_size: Side of its images in pixels.
        weights: A checkpoint or published weights that it starts from; None for random ones.
        options: Of the network.
    """

    name: str
    architecture: str
    image_size: int
    weights: str | None = None
    options: Options = ()


def list_candidates(
    networks: Sequence[str], sizes: Sequence[int], starts: Sequence[Start], weight_sizes: Sequence[int]
) -> list[Candidate]:
    """Every network at every size; a network for which there are weights is tried with them only.

    Args:
        networks: Names in the catalog.
        sizes: Sides in pixels.
        starts: Weights; a network may have several.
        weight_sizes: Sides for the networks with weights.
    """
    found: dict[str, Candidate] = {}
    for architecture, spec, options in starts:
        for size in weight_sizes:
            stem = f"{architecture}-{size}-pretrained"
            number = 1 + sum(name == stem or name.startswith(f"{stem}-") for name in found)
            name = stem if number == 1 else f"{stem}-{number}"
            found[name] = Candidate(name, architecture, size, spec, options)
    known = {start.architecture for start in starts}
    for architecture in dict.fromkeys(networks):
        if architecture not in known:
            for size in sizes:
                found[f"{architecture}-{size}"] = Candidate(f"{architecture}-{size}", architecture, size)
    return list(found.values())


def by_priority(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates in the order in which a budget takes them: those with weights first; then the largest size of each
    network before the second of any, since within its limits a network sees more in a larger image."""
    seen: dict[tuple[str, str | None], int] = {}
    places = []
    for order, each in enumerate(sorted(candidates, key=lambda each: -each.image_size)):
        key = (each.architecture, each.weights)
        seen[key] = seen.get(key, -1) + 1
        places.append((each.weights is None, seen[key], order, each))
    return [place[-1] for place in sorted(places, key=lambda place: place[:-1])]


def sizes_for(side: int, stated: Sequence[int] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sides in pixels at which networks are tried: from random weights, and from trained ones.

    Args:
        side: Shorter side of the images, of half of them at least.
        stated: What the user wants instead.
    """
    if stated:
        return tuple(stated), tuple(stated)
    if side <= SMALL:
        return (side,), UPSCALED
    sizes = tuple(size for size in SIZES if size <= 2 * side) or SIZES[-1:]
    return sizes, sizes


def networks_for(side: int, stated: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the networks that are tried on images of this side."""
    if stated:
        return tuple(stated)
    return SMALL_NETWORKS if side <= SMALL else NETWORKS


def count_reasons(reasons: Mapping[str, str]) -> dict[str, int]:
    """Reason -> how many candidates it has rejected, the most frequent first."""
    counts: dict[str, int] = {}
    for reason in reasons.values():
        counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))
