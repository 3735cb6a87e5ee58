"""Exact counts per layer and per stage: parameters, multiply-adds, activations. No memory and no arithmetic is spent.

The network runs twice on torch's meta device, where tensors have shapes but no content: once as in inference, where
torch counts the products of all its operations, and once as in training, under autograd's hooks that see what backward
will need. Hooks on the modules tell which of them runs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures import create_model
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.meta import copy_on_meta, on_meta, run_on_meta
from lit_cnn.data.image_size import ImageSize, sides_of

Kind = Literal["convolution", "pointwise", "depthwise", "linear", "other"]
KINDS: tuple[Kind, ...] = ("convolution", "pointwise", "depthwise", "linear", "other")
"""Dense or grouped convolution with a kernel above 1x1; 1x1 convolution; one filter per channel; linear; the rest."""

_BATCH = 251
"""Images of the meta batch: a prime, so that the batch axis of a kept tensor can be distinguished from its channels."""


@dataclass(frozen=True)
class LayerCount:
    """One layer of a network; all figures are for one image.

    A layer is a module without children, or one that itself holds parameters, multiplies or keeps activations.

    Args:
        name: Path of the module, such as "features.stem.conv".
        stage: The child of ``features`` it belongs to, or "head"; "itself" of the network's own operations.
        module: Class of the module.
        kind: What it is to the budget.
        shape: Output (C, H, W) or (K,); empty if inference does not run it (an auxiliary head).
        params: Its own parameters; one that layers share is the first one's.
        madds: Multiply-adds of the convolutions, products of matrices and attention that it runs itself, whatever its
            class; 0 for normalization, activations and pooling.
        activations: Elements that training keeps for the backward pass, each tensor counted where it is first kept.
        activation_bytes: The same in bytes, in 32-bit training.
    """

    name: str
    stage: str
    module: str
    kind: Kind
    shape: tuple[int, ...]
    params: int
    madds: int
    activations: int
    activation_bytes: int


@dataclass(frozen=True)
class StageCount:
    """The sums over a stage's layers, and the shape of what the stage returns (C, H, W)."""

    name: str
    shape: tuple[int, ...]
    params: int
    madds: int
    activations: int
    activation_bytes: int


@dataclass(frozen=True)
class NetworkCount:
    """A network at one image size; layers and stages in the order in which they run."""

    name: str
    image_size: int
    layers: tuple[LayerCount, ...]
    stages: tuple[StageCount, ...]

    @property
    def params(self) -> int:
        return sum(layer.params for layer in self.layers)

    @property
    def madds(self) -> int:
        return sum(layer.madds for layer in self.layers)

    @property
    def activations(self) -> int:
        return sum(layer.activations for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        return sum(layer.activation_bytes for layer in self.layers)

    def shares(self, figure: Literal["params", "madds"]) -> list[tuple[str, dict[str, int]]]:
        """(stage, kind -> amount) for every stage."""
        rows: dict[str, dict[str, int]] = {stage.name: dict.fromkeys(KINDS, 0) for stage in self.stages}
        for layer in self.layers:
            rows[layer.stage][layer.kind] += getattr(layer, figure)
        return list(rows.items())

    def report(self) -> dict[str, Any]:
        """All counts as built-in types."""
        figures: tuple[Literal["params", "madds"], ...] = ("params", "madds")
        by_kind = {figure: dict.fromkeys(KINDS, 0) for figure in figures}
        for figure in figures:
            for layer in self.layers:
                by_kind[figure][layer.kind] += getattr(layer, figure)
        return {
            "name": self.name,
            "image_size": self.image_size,
            **{name: getattr(self, name) for name in ("params", "madds", "activations", "activation_bytes")},
            "by_kind": by_kind,
            "stages": [asdict(stage) for stage in self.stages],
            "layers": [asdict(layer) for layer in self.layers],
        }


def count_model(name: str, image_size: int | None = None) -> NetworkCount:
    """Count a network of the catalog, at its own image size by default.

    Raises:
        ValueError: If the name is unknown or the image is too small for the network.
    """
    entry = find_entry(name)
    with on_meta():
        network = create_model(name)
    return count_network(network, image_size or entry.image_size, name=name)


def count_network(network: nn.Module, image_size: int, *, in_channels: int = 3, name: str = "") -> NetworkCount:
    """Count any classifier for square images of ``image_size`` px; the network itself is left as it is.

    Kept activations leave out parameters, the image, and what does not grow with the batch (batch statistics,
    standardized weights).

    Raises:
        ValueError: If the image is too small for the network.
    """
    params: Counter[str] = Counter()
    for parameter_name, parameter in network.named_parameters():
        params[parameter_name.rpartition(".")[0]] += parameter.numel()
    network = copy_on_meta(network)
    shapes, madds = _run_inference(network, torch.empty(1, in_channels, image_size, image_size, device="meta"))
    kept = _run_training(network, torch.empty(_BATCH, in_channels, image_size, image_size, device="meta"))
    modules = dict(network.named_modules())
    order = [*shapes, *(path for path in modules if path not in shapes)]
    layers = []
    for path in order:
        module = modules[path]
        if any(True for _ in module.children()) and not (params[path] or madds[path] or path in kept):
            continue
        elements, size = kept.get(path, (0, 0))
        facts = (stage_of(path), type(module).__name__, kind_of(module), shapes.get(path, ()))
        layers.append(LayerCount(path, *facts, params[path], madds[path], elements, size))
    return NetworkCount(name or type(network).__name__, image_size, tuple(layers), _stages(layers, shapes))


def count_madds(network: nn.Module, image_size: ImageSize, *, in_channels: int = 3) -> int:
    """Multiply-adds of one image through a network on the meta device, which is put into evaluation.

    Raises:
        ValueError: If the image is too small for the network.
    """
    _, madds = _run_inference(network, torch.empty(1, in_channels, *sides_of(image_size), device="meta"))
    return sum(madds.values())


def stage_of(path: str) -> str:
    """The stage of a module: the child of ``features`` it is or belongs to, else the network's own child."""
    parts = path.split(".")
    return parts[1] if parts[0] == "features" and len(parts) > 1 else parts[0] or "itself"


def kind_of(module: nn.Module) -> Kind:
    """The kind of a layer, by its class and its kernel."""
    if isinstance(module, nn.Linear):
        return "linear"
    if not isinstance(module, nn.Conv2d):
        return "other"
    if module.groups > 1 and module.groups == module.in_channels:
        return "depthwise"
    return "pointwise" if module.kernel_size == (1, 1) else "convolution"


def _stages(layers: Iterable[LayerCount], shapes: dict[str, tuple[int, ...]]) -> tuple[StageCount, ...]:
    groups: dict[str, list[LayerCount]] = {}
    for layer in layers:
        groups.setdefault(layer.stage, []).append(layer)
    rows = []
    for name, group in groups.items():
        ran = [layer.shape for layer in group if layer.shape]
        shape = shapes.get(f"features.{name}") or shapes.get(name) or (ran[-1] if ran else ())
        rows.append(
            StageCount(
                name,
                shape,
                sum(layer.params for layer in group),
                sum(layer.madds for layer in group),
                sum(layer.activations for layer in group),
                sum(layer.activation_bytes for layer in group),
            )
        )
    return tuple(rows)


@contextmanager
def _watched(network: nn.Module, enter: Callable[[str], None], leave: Callable[[str, Any], None]) -> Iterator[None]:
    """Within, ``enter(path)`` is called before each module runs, and ``leave(path, output)`` behind it."""
    handles = []
    for path, module in network.named_modules():
        handles.append(module.register_forward_pre_hook(lambda *_, path=path: enter(path)))
        handles.append(module.register_forward_hook(lambda _, __, output, path=path: leave(path, output)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _run_inference(network: nn.Module, image: Tensor) -> tuple[dict[str, tuple[int, ...]], Counter[str]]:
    """Output shape of each module without the batch axis, in the order in which they finish; multiply-adds of each, not
    counting those inside it."""
    running = [""]
    shapes: dict[str, tuple[int, ...]] = {}
    madds: Counter[str] = Counter()
    counter = FlopCounterMode(display=False)

    def settle() -> None:
        madds[running[-1]] += counter.get_total_flops() // 2 - madds.total()

    def enter(path: str) -> None:
        settle()
        running.append(path)

    def leave(path: str, output: Any) -> None:
        settle()
        running.pop()
        if isinstance(output, Tensor):
            shapes[path] = tuple(output.shape[1:])

    with _watched(network, enter, leave), counter:
        run_on_meta(network.eval(), image)
    return shapes, madds


def _run_training(network: nn.Module, images: Tensor) -> dict[str, tuple[int, int]]:
    """(elements, bytes) per image that each module, not counting those inside it, keeps for the backward pass."""
    running = [""]
    # A storage that is held stays one object; on meta it has no address.
    seen = {tensor.untyped_storage() for tensor in (images, *network.parameters(), *network.buffers())}
    kept: dict[str, tuple[int, int]] = {}

    def leave(*_: Any) -> None:
        running.pop()

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage not in seen and _BATCH in tensor.shape:
            seen.add(storage)
            elements, size = kept.get(running[-1], (0, 0))
            size_here = storage.nbytes() // _BATCH
            kept[running[-1]] = (elements + size_here // tensor.element_size(), size + size_here)
        return tensor

    with (
        _watched(network, running.append, leave),
        saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.enable_grad(),
    ):
        network.train()(images)
    return kept
