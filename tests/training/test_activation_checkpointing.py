"""A step with activation checkpointing is the step without it, to the bit, in every family."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from digits_run import assert_same_end, fit
from test_training import FAMILIES, Prepared, backward, make_prepared, outputs_of, with_masks
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from lit_cnn.architectures.catalog import create_model
from lit_cnn.training.activation_checkpointing import checkpoint_activations
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.optimization.sam import SamSettings


def step(network: nn.Module, images: Tensor) -> tuple[list[Tensor], dict[str, Tensor | None], dict[str, Tensor]]:
    """Logits, gradients and buffers of one training step."""
    outputs = outputs_of(network, images)
    backward(outputs)
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return outputs, gradients, dict(network.named_buffers())


def kept_bytes(run: Callable[[], Any]) -> int:
    """Memory of the different tensors that autograd keeps while ``run`` computes."""
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        kept[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        run()
    return sum(kept.values())


def assert_same_step(network: nn.Module, other: nn.Module, images: Tensor) -> None:
    expected, found = step(network, images), step(other, images)
    for value, twin in zip(expected[0], found[0], strict=True):
        assert torch.equal(value, twin)
    for before, after in zip(expected[1:], found[1:], strict=True):
        assert list(before) == list(after)
        for name, value in before.items():
            assert torch.equal(value, after[name]), name


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.slow
def test_gradients_and_statistics_are_the_same_with_masks(name: str) -> None:
    prepared = make_prepared(name)
    network, other = with_masks(prepared), with_masks(prepared)
    assert checkpoint_activations(other) > 1
    assert list(other.state_dict()) == list(network.state_dict())
    assert_same_step(network, other, prepared.images)


def test_memory_is_freed() -> None:
    prepared = make_prepared("small_efficientnet")
    network, other = with_masks(prepared), with_masks(prepared)
    checkpoint_activations(other)
    whole = kept_bytes(functools.partial(network, prepared.images))
    assert kept_bytes(functools.partial(other, prepared.images)) < whole / 2


def test_copies_and_averages_run_their_own_blocks() -> None:
    prepared = make_prepared("small_resnet")
    network = with_masks(prepared)
    checkpoint_activations(network)
    for twin in (copy.deepcopy(network), AveragedModel(network, use_buffers=True).module):
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter.zero_()
            assert not twin.eval()(prepared.images).any()
    assert outputs_of(network, prepared.images)[0].any()


def test_bfloat16() -> None:
    prepared = make_prepared("small_resnet")
    network, other = with_masks(prepared), with_masks(prepared)
    checkpoint_activations(other)
    with torch.autocast("cpu", torch.bfloat16):
        expected, found = outputs_of(network, prepared.images), outputs_of(other, prepared.images)
    backward(expected)
    backward(found)
    for value, twin in zip(network.parameters(), other.parameters(), strict=True):
        assert value.grad is not None
        assert torch.equal(value.grad, twin.grad)


def test_classifier_checkpoints_its_network() -> None:
    model = Classifier("cifar_resnet20", num_classes=10, in_channels=3, activation_checkpointing=True)
    model.configure_model()
    plain = create_model("cifar_resnet20")
    assert model.net is not None
    plain.load_state_dict(model.net.state_dict())
    images = torch.randn(4, 3, 16, 16)
    other = Prepared("", plain.to(memory_format=torch.channels_last).train(), images).network
    assert_same_step(other, model.net.train(), images)
    assert kept_bytes(functools.partial(model.net, images)) < kept_bytes(functools.partial(other, images)) / 2


@pytest.mark.slow
def test_run_with_dropping_averages_and_sharpness_ends_the_same(tmp_path: Path) -> None:
    for name, checkpointing in (("plain", False), ("checkpointing", True)):
        model = {"activation_checkpointing": checkpointing, "sam": SamSettings(0.05, 0.5)}
        fit(tmp_path / name, epochs=1, model=model, max_steps=8)
    assert_same_end(tmp_path / "plain", tmp_path / "checkpointing")


def test_network_without_stages_is_refused() -> None:
    with pytest.raises(ValueError, match="activation_checkpointing to false"):
        checkpoint_activations(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)))


def test_compiling_a_checkpointed_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"set one of model.compile and model.activation_checkpointing to false"):
        Classifier("cifar_resnet20", num_classes=10, in_channels=3, compile=True, activation_checkpointing=True)
