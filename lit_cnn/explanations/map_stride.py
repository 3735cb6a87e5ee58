"""A network with a finer last map: strides taken out of its last stages after training.

Where a stride of 2 is taken out, every later convolution of the features reads every second position instead (Chen et
al., "Semantic Image Segmentation with Deep Convolutional Nets and Fully Connected CRFs", 2014, arXiv:1412.7062, section
3.1), so that the trained filters see what they were trained on: every second position of the finer map is the old map,
where a stage consists of convolutions with padding on all sides, as ResNet's do; with squeeze-and-excitation or
TensorFlow's padding it is near it.
"""

import copy

import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers.padding import SameConv2d
from lit_cnn.architectures.network import Network
from lit_cnn.architectures.resnet import ZeroPadShortcut
from lit_cnn.pretrained.order import kept_mode


def with_map_stride(network: nn.Module, stride: int, images: Tensor) -> nn.Module:
    """The network with a last map of one position for every ``stride`` pixels of its input.

    Args:
        network: Of the catalog; it is left as it is.
        stride: In pixels; the network's own, or that of the map before one of its last stages.
        images: (N, C, H, W) in the network's units, with which the map's size is looked at.

    Returns:
        ``network`` itself where it has that stride, else a copy.

    Raises:
        ValueError: If the network has no such map, or strides in other places than convolutions.
    """
    name = type(network).__name__
    if not isinstance(network, Network):
        raise ValueError(f"--map-stride changes networks of the catalog, not {name}: leave it out")
    strides = [stage.stride for stage in network.feature_info]
    if stride == strides[-1]:
        return network
    if stride not in strides:
        known = ", ".join(str(each) for each in sorted(set(strides)))
        raise ValueError(f"--map-stride is {stride}, but the maps of {name} have the strides {known}")
    finer = copy.deepcopy(network)
    names = [child for child, _ in finer.features.named_children() if child != "stem"]
    previous = stride
    for child, own in zip(names, strides, strict=True):
        if own >= previous:
            _dilate(finer.features.get_submodule(child), previous // stride, own // previous)
            previous = own
    _check_sides(name, finer, stride, images)
    return finer


def _dilate(stage: nn.Module, dilation: int, factor: int) -> None:
    """Take the stride ``factor`` out of a stage, whose convolutions read every ``dilation``-th position before it and
    every ``dilation * factor``-th after it."""
    reach = dilation
    for module in stage.modules():
        if isinstance(module, ZeroPadShortcut) and factor > 1:
            module.stride = 1
        if not isinstance(module, nn.Conv2d):
            continue
        strided = factor > 1 and max(module.stride) > 1
        _spread(module, dilation if strided else reach)
        if strided:
            module.stride, reach = (1, 1), dilation * factor


def _spread(conv: nn.Conv2d, reach: int) -> None:
    """Let a convolution read every ``reach``-th of the positions that it read, padded as far as before."""
    height, width = conv.dilation
    conv.dilation = height * reach, width * reach
    if isinstance(conv, SameConv2d):
        conv.extent = tuple(each * (size - 1) + 1 for each, size in zip(conv.dilation, conv.kernel_size, strict=True))
    elif not isinstance(conv.padding, str):
        conv.padding = tuple(side * reach for side in conv.padding)


@torch.no_grad()
def _check_sides(name: str, network: Network, stride: int, images: Tensor) -> None:
    try:
        with kept_mode(network):
            network.eval()
            found = tuple(network.forward_features(images[:1]).shape[-2:])
    except RuntimeError:  # the paths around a block and through it no longer have one size
        found = None
    if found != tuple(-(-side // stride) for side in images.shape[-2:]):
        raise ValueError(
            f"--map-stride {stride} cannot be had of {name}, whose last stages reduce the map by other layers than "
            "convolutions: leave it out"
        )
