"""Layers whose gradients are written by hand serve every other way to differentiate or record a network, too."""

import copy
import io
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.architectures.layers import matrix_gradient
from lit_cnn.architectures.layers.conv import same_size_conv
from lit_cnn.architectures.layers.scaled_conv import ScaledConv2d
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite

CHANNELS = matrix_gradient.CHANNELS
LAYERS: dict[str, tuple[Callable[[], nn.Module], int, str]] = {
    "squeeze-and-excitation": (lambda: SqueezeExcite(6, 3), 6, "ScaleChannels"),
    "wide depthwise": (lambda: same_size_conv(6, 6, 5, groups=6), 6, "WideDepthwise"),
    "wide": (lambda: same_size_conv(CHANNELS, CHANNELS, 1), CHANNELS, "MatrixGradient"),
    "standardized": (lambda: ScaledConv2d(6, 2, 3), 6, "FlooredStandardization"),
}


@pytest.fixture(params=LAYERS)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[nn.Module, Tensor, str]:
    """A layer, an input, and the name of its own gradient."""
    monkeypatch.setattr(matrix_gradient, "has_avx2_only", lambda: True)
    torch.manual_seed(0)
    make, channels, name = LAYERS[request.param]
    return make(), torch.randn(2, channels, 5, 5).to(memory_format=torch.channels_last), name


def nodes(output: Tensor) -> str:
    """Names of all steps of the backward pass."""
    found, waiting = set(), [output.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [each for each, _ in node.next_functions]
    return " ".join(type(node).__name__ for node in found)


def test_training_takes_the_gradient_written_by_hand(case: tuple[nn.Module, Tensor, str]) -> None:
    layer, x, name = case
    assert name in nodes(layer(x.requires_grad_()))


def test_several_backward_passes_at_once(case: tuple[nn.Module, Tensor, str]) -> None:
    layer, x, _ = case
    wanted = [x.requires_grad_(), *layer.parameters()]
    output = layer(x)
    directions = torch.randn(3, *output.shape)
    found = torch.autograd.grad(output, wanted, directions, is_grads_batched=True, retain_graph=True)
    for number, direction in enumerate(directions):
        alone = torch.autograd.grad(output, wanted, direction, retain_graph=True)
        for one, other in zip(found, alone, strict=True):
            torch.testing.assert_close(one[number], other, rtol=1e-4, atol=1e-4)


def test_several_layers_at_once(case: tuple[nn.Module, Tensor, str]) -> None:
    layer, x, _ = case
    others = [layer, copy.deepcopy(layer).requires_grad_()]
    with torch.no_grad():
        for parameter in others[1].parameters():
            parameter.mul_(2)
    weights, _ = torch.func.stack_module_state(others)
    found = torch.vmap(lambda each: torch.func.functional_call(layer, each, x))(weights)
    torch.testing.assert_close(found, torch.stack([other(x) for other in others]), rtol=1e-4, atol=1e-4)


def test_single_images_at_once(case: tuple[nn.Module, Tensor, str]) -> None:
    layer, x, _ = case
    found = torch.vmap(lambda image: layer(image[None])[0])(x)
    torch.testing.assert_close(found, layer(x), rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")  # torch's own use of it
def test_forward_differentiation(case: tuple[nn.Module, Tensor, str]) -> None:
    layer, x, _ = case
    along = torch.randn_like(x)
    output, slope = torch.func.jvp(layer, (x,), (along,))
    torch.testing.assert_close(output, layer(x))
    direction = torch.randn_like(output)
    x.requires_grad_()
    (back,) = torch.autograd.grad(layer(x), x, direction)
    torch.testing.assert_close((slope * direction).sum(), (back * along).sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("records", [True, False], ids=["with gradients", "without"])
def test_a_trace_can_be_saved(case: tuple[nn.Module, Tensor, str], records: bool) -> None:
    layer, x, _ = case
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.set_grad_enabled(records):
        warnings.simplefilter("ignore")  # torch says that torch.export comes instead, and that sizes become constants
        torch.jit.save(torch.jit.trace(layer, x, check_trace=False), file)
        file.seek(0)
        torch.testing.assert_close(torch.jit.load(file)(x), layer(x))
