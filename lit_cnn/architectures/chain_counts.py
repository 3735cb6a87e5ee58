"""Parameters and multiply-adds of a chain from its rows alone: a search asks for thousands, and builds none for it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.architectures.network import Stem


class Counts(NamedTuple):
    """Trainable parameters, and multiply-adds of convolutions and linear layers for one image."""

    params: int
    madds: int


def count_chain(
    stages: Iterable[Stage],
    image_size: int,
    *,
    stem_width: int,
    final_width: int,
    stem: Stem = "imagenet",
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Counts:
    """What :func:`lit_cnn.architectures.mbconv_chain.mbconv_chain` builds for images of ``image_size`` px has."""
    side = image_size if stem == "small" else halved(image_size, 2)
    layers = [_conv(in_channels, stem_width, 3, side)]
    channels = stem_width
    for row in stages:
        for stride in (row.stride, *[1] * (row.depth - 1)):
            layers += _block(channels, row, stride, side)
            channels, side = row.width, halved(side, stride)
    layers.append(_conv(channels, final_width, 1, side))
    layers.append(Counts((final_width + 1) * num_classes, final_width * num_classes))
    return Counts(sum(layer.params for layer in layers), sum(layer.madds for layer in layers))


def halved(side: int, stride: int) -> int:
    """Side of a map behind a convolution of this stride."""
    return -(-side // stride)


def _block(in_channels: int, row: Stage, stride: int, side: int) -> Iterator[Counts]:
    """Its convolutions, for a map of ``side`` px before it."""
    after = halved(side, stride)
    if row.block == "identity":
        if stride > 1 or in_channels != row.width:
            yield _conv(in_channels, row.width, 1, after)
        return
    hidden = in_channels * row.expansion
    if row.block == "fused":
        yield _conv(in_channels, hidden if row.expansion > 1 else row.width, row.kernel, after)
        if row.expansion > 1:
            yield _conv(hidden, row.width, 1, after)
        return
    if row.expansion > 1:
        yield _conv(in_channels, hidden, 1, side)
    yield _conv(hidden, hidden, row.kernel, after, groups=hidden)
    if row.squeeze > 0:
        squeezed = max(1, int(in_channels * row.squeeze))
        yield Counts(2 * hidden * squeezed + hidden + squeezed, 2 * hidden * squeezed)
    yield _conv(hidden, row.width, 1, after)


def _conv(in_channels: int, out_channels: int, kernel: int, side: int, groups: int = 1) -> Counts:
    """A convolution without bias to a map of ``side`` px, and its batch norm."""
    weights = in_channels * out_channels * kernel**2 // groups
    return Counts(weights + 2 * out_channels, weights * side**2)
