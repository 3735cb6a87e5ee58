import numpy as np
import pytest
import torch
from torch import nn

from lit_cnn.training.optimization.clipping import ClippingSettings, adaptive_clip_, clip_gradients_, unit_norm


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.classifier = nn.Linear(3, 4)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    net = Net()
    for parameter in net.parameters():
        parameter.grad = torch.randn_like(parameter)
    return net


def gradients(net: nn.Module) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in net.parameters()]


def test_none_changes_nothing(net: Net) -> None:
    before = gradients(net)
    clip_gradients_(net, net.classifier, ClippingSettings("none", 1e-6))
    assert all(torch.equal(a, b) for a, b in zip(before, gradients(net), strict=True))


def test_norm_limits_the_norm_of_all_gradients_together_and_keeps_their_direction(net: Net) -> None:
    before = torch.cat([g.flatten() for g in gradients(net)])
    clip_gradients_(net, net.classifier, ClippingSettings("norm", 0.5))
    after = torch.cat([g.flatten() for g in gradients(net)])
    assert after.norm().item() == pytest.approx(0.5, rel=1e-4)
    torch.testing.assert_close(after / after.norm(), before / before.norm())


def test_value_limits_each_entry(net: Net) -> None:
    before = gradients(net)
    clip_gradients_(net, net.classifier, ClippingSettings("value", 0.3))
    assert all(torch.equal(a.clamp(-0.3, 0.3), b) for a, b in zip(before, gradients(net), strict=True))


def test_adaptive_follows_the_formula_of_the_paper_per_output_channel() -> None:
    random = np.random.default_rng(0)
    weight, grad = random.normal(size=(5, 2, 3, 3)), random.normal(size=(5, 2, 3, 3))
    weight[0] = 0  # below eps
    grad[1] *= 1e-4  # small enough to stay
    expected = grad.copy()
    for unit in range(5):
        largest = 0.01 * max(np.sqrt((weight[unit] ** 2).sum()), 1e-3)
        norm = np.sqrt((grad[unit] ** 2).sum())
        if norm > largest:
            expected[unit] *= largest / norm
    parameter = nn.Parameter(torch.tensor(weight))
    parameter.grad = torch.tensor(grad)
    adaptive_clip_([parameter], 0.01)
    np.testing.assert_allclose(parameter.grad.numpy(), expected, rtol=1e-12)
    assert np.array_equal(parameter.grad[1].numpy(), grad[1])


def test_adaptive_spares_the_classifier_alone(net: Net) -> None:
    before = gradients(net)
    clip_gradients_(net, net.classifier, ClippingSettings("adaptive", 1e-3))
    unchanged = [torch.equal(a, b) for a, b in zip(before, gradients(net), strict=True)]
    assert unchanged == [False, False, True, True]
    clip_gradients_(net, None, ClippingSettings("adaptive", 1e-3))
    assert not any(torch.equal(a, b) for a, b in zip(before, gradients(net), strict=True))


def test_a_parameter_without_gradient_is_left_alone() -> None:
    parameter = nn.Parameter(torch.ones(2, 2))
    adaptive_clip_([parameter], 0.01)
    assert parameter.grad is None


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((4, 2, 3, 3), (4, 1, 1, 1)),
        ((4, 1, 3, 3), (4, 1, 1, 1)),
        ((4, 6), (4, 1)),
        ((4,), ()),
        ((4, 1, 1, 1), ()),
        ((), ()),
    ],
)
def test_a_unit_is_an_output_channel_or_a_whole_vector(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    norm = unit_norm(torch.ones(shape))
    assert norm.shape == expected
    entries = torch.ones(shape).numel() / max(1, norm.numel())
    assert norm.flatten()[0].item() == pytest.approx(entries**0.5)


@pytest.mark.parametrize(("kind", "limit", "message"), [("agc", 1.0, "clipping.kind"), ("norm", 0.0, "clipping.limit")])
def test_wrong_settings_are_named(kind: str, limit: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClippingSettings(kind, limit)


def test_adaptive_reaches_the_limit_for_small_gradients_too() -> None:
    """Norms far below 1: the smallest weight norm counts as 0.001, and a tenth of it is allowed."""
    weight = torch.nn.Parameter(torch.zeros(2, 3))
    weight.grad = torch.full((2, 3), 0.01)
    adaptive_clip_([weight], 0.1)
    assert torch.allclose(torch.linalg.vector_norm(weight.grad, dim=1), torch.full((2,), 1e-4), rtol=1e-5)
