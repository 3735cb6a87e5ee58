"""Class activation maps: how much each position of a network's last map says for a class.

- Exact, where the head is global average pooling and one linear layer: Zhou, Khosla, Lapedriza, Oliva, Torralba,
  "Learning Deep Features for Discriminative Localization", 2016, arXiv:1512.04150, section 2.
- By gradients elsewhere, at any layer: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
  Gradient-based Localization", 2017, arXiv:1610.02391, section 3.

On a network with an exact map both are the same up to the number of positions, and Grad-CAM leaves out what is below 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lit_cnn.architectures.network import Network
from lit_cnn.data.image_size import Sides
from lit_cnn.explanations.layers import find_layer, pooled_classifier
from lit_cnn.pretrained.order import kept_mode


@torch.no_grad()
def class_activation_map(network: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """What each position adds to the logits of some classes, without any gradient (Zhou et al., equation 2).

    Its mean over the positions, plus the class's bias, is the logit.

    Args:
        network: Of the catalog, on the images' device; it is run in evaluation mode, and left in its own.
        images: (N, C, H, W) in the network's units.
        classes: int64 (N, M), the classes of each image that are asked for.

    Returns:
        (N, M, H', W') in logits, of either sign.

    Raises:
        ValueError: If the head is not global average pooling and one linear layer.
    """
    classifier = pooled_classifier(network)
    if classifier is None:
        raise ValueError(
            f"{type(network).__name__} does not end in global average pooling and one linear layer, so it has no exact "
            "class activation map: use grad-cam"
        )
    assert isinstance(network, Network)
    with kept_mode(network):
        network.eval()
        features = network.forward_features(images)
    return torch.einsum("nchw,nmc->nmhw", features, classifier.weight[classes])


def grad_cam(network: nn.Module, images: Tensor, classes: Tensor, layer: str | None = None) -> Tensor:
    """The map of a layer, its channels weighted by their mean gradient (Selvaraju et al., equations 1 and 2).

    Works in networks whose weights are frozen and under ``torch.no_grad`` and ``torch.inference_mode``; gradients are
    computed from the layer on alone, and no weight's ``grad`` is touched.

    Args:
        network: Any classifier, on the images' device; it is run in evaluation mode, and left in its own.
        images: (N, C, H, W) in the network's units.
        classes: int64 (N, M), the classes of each image that are asked for.
        layer: A module as ``named_modules`` calls it, which runs once; None: ``features``.

    Returns:
        (N, M, H', W'), nowhere negative.

    Raises:
        ValueError: If there is no such layer, or it has no map.
    """
    with kept_mode(network), torch.inference_mode(False):
        images = images.clone() if images.is_inference() else images
        name = find_layer(network, layer, images)
        logits, features = _from_layer_on(network.eval(), images, name)
        maps = []
        for asked in classes.to(logits.device).clone().unbind(1):
            score = logits.gather(1, asked[:, None]).sum()
            (gradient,) = torch.autograd.grad(score, features, retain_graph=True)
            weighted = gradient.mean(dim=(2, 3), keepdim=True) * features.detach()
            maps.append(weighted.sum(dim=1).relu())
    return torch.stack(maps, dim=1)


def _from_layer_on(network: nn.Module, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """The logits (N, K), and the map (N, C, H', W') of ``layer`` with respect to which they can be differentiated."""
    maps: list[object] = []

    def begin(_module: nn.Module, _inputs: object, output: object) -> object:
        torch.set_grad_enabled(True)  # what was before the layer needs no graph; the pass's no_grad undoes it
        maps.append(output.detach().requires_grad_() if isinstance(output, Tensor) else output)
        return maps[-1].clone() if isinstance(maps[-1], Tensor) else output  # the next layer may work in place

    handle = network.get_submodule(layer).register_forward_hook(begin)
    try:
        with torch.no_grad():
            logits = network(images)
    finally:
        handle.remove()
    if len(maps) != 1 or not isinstance(maps[0], Tensor) or maps[0].ndim != 4:
        found = f"runs {len(maps)} times" if len(maps) != 1 else "has no map (N, C, H, W)"
        raise ValueError(f"the layer {layer} of {type(network).__name__} {found} in a pass: name another --layer")
    if not logits.requires_grad:
        raise ValueError(f"the logits of {type(network).__name__} do not depend on the layer {layer}: name another")
    return logits, maps[0]


def enlarged(maps: Tensor, sides: Sides) -> Tensor:
    """Maps (N, M, H', W') at the size of the network's input: (N, M, *sides), bilinear between the centers of their
    positions."""
    return F.interpolate(maps, sides, mode="bilinear", align_corners=False)
