"""Small networks of every paper differentiate twice, and once for each image of a batch under ``torch.func``."""

import contextlib
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from gradients import smooth_activations
from test_training import FAMILIES, prepare
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

OWN_BACKWARD = ("small_senet", "small_nfnet")
"""Families with backward passes of our own, tried in every run of the tests."""
NAMES = [pytest.param(name, marks=[] if name in OWN_BACKWARD else pytest.mark.slow) for name in FAMILIES]


def built(name: str) -> tuple[nn.Module, Tensor]:
    """The network in evaluation, in float64, and its images."""
    case = FAMILIES[name]
    torch.manual_seed(0)
    network, images = case.build(), torch.randn(case.batch, 3, case.side, case.side)
    prepare(network, images)
    return network.double(), images.double()


def loss_of(logits: Tensor) -> Tensor:
    return (logits * torch.linspace(-1.0, 1.0, logits.shape[-1], dtype=logits.dtype)).sum().square()


@contextlib.contextmanager
def smooth_pooling() -> Iterator[None]:
    """The average in the place of the largest, which may change places."""

    def average(x: Tensor, kernel: int, stride: int, padding: int, *_: object, ceil_mode: bool, **__: object) -> Tensor:
        return F.avg_pool2d(x, kernel, stride, padding, ceil_mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "max_pool2d", average)
        yield


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_a_gradient_is_its_difference_quotient(name: str) -> None:
    network, images = built(name)
    direction, step = torch.randn_like(images), 1e-6

    def slope(x: Tensor, *, twice: bool = False) -> Tensor:
        x = x.detach().requires_grad_()
        (first,) = torch.autograd.grad(loss_of(network(x)), x, create_graph=twice)
        return (first * direction).sum() if not twice else torch.autograd.grad((first * direction).sum(), x)[0]

    with smooth_activations(), smooth_pooling():  # a quotient across a kink has nothing to do with the derivative
        second = (slope(images, twice=True) * direction).sum()
        quotient = (slope(images + step * direction) - slope(images - step * direction)) / (2 * step)
    assert float(second) == pytest.approx(float(quotient), rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_gradients_of_each_image_are_those_of_the_image_alone(name: str) -> None:
    network, images = built(name)
    weights = {key: value.detach() for key, value in network.named_parameters()}

    def loss(weights: dict[str, Tensor], image: Tensor) -> Tensor:
        return loss_of(functional_call(network, weights, image[None]))

    each = vmap(grad(loss), in_dims=(None, 0))(weights, images)
    for number, image in enumerate(images):
        network.zero_grad()
        loss_of(network(image[None])).backward()
        for key, parameter in network.named_parameters():
            if parameter.grad is not None:
                torch.testing.assert_close(each[key][number], parameter.grad, rtol=1e-6, atol=1e-9)
