"""Rates by depth: layers near the image change less than those near the head (Howard and Ruder 2018, arXiv:1801.06146,
section 3.2; one factor per layer as in Clark et al. 2020, arXiv:2003.10555)."""

from collections.abc import Iterator

from torch import nn
from torch.optim import Optimizer

from lit_cnn.architectures.network import Network
from lit_cnn.training.class_rows import backbone_of, head_tensors


def rate_factors(network: nn.Module, layer_decay: float, head_factor: float) -> dict[int, float]:
    """What multiplies the learning rate of each parameter, by its ``id``.

    The layer next to the head has ``layer_decay``, the one before it its square, and so on; what lies behind the
    layers, such as a VGG's hidden linear layers, has 1, and the layers that end in the classes ``head_factor``, as has
    all of a detector but its backbone.
    """
    found = layers(network)
    factors = {id(parameter): 1.0 for parameter in network.parameters()}
    for number, layer in enumerate(found):
        factors |= {id(parameter): layer_decay ** (len(found) - number) for parameter in layer.parameters()}
    last = head_tensors(network)
    return factors | {id(network.get_parameter(name)): head_factor for name in last}


def learning_rate(optimizer: Optimizer) -> float:
    """The rate of the schedule, which layers with a factor of their own multiply."""
    group = optimizer.param_groups[0]
    return group["lr"] / group.get("rate_factor", 1.0)


def layers(network: nn.Module) -> list[nn.Module]:
    """What counts as a layer, from the image on: the stem and each block of a catalog network's features, else each
    child that holds weights and each block in it but the last child, which is the head."""
    network = backbone_of(network) or network
    children = list(network.features.children() if isinstance(network, Network) else network.children())
    if not isinstance(network, Network):
        children = [child for child in children if any(True for _ in child.parameters())][:-1]
    return [layer for child in children for layer in _blocks(child) if any(True for _ in layer.parameters())]


def _blocks(child: nn.Module) -> Iterator[nn.Module]:
    """The blocks of a stage; a stem or stage (VGG's) of single convolutions and norms is one layer."""
    inner = list(child.children())
    stage = isinstance(child, nn.Sequential) and any(True for block in inner for _ in block.children())
    yield from inner if stage else [child]
