import copy

import pytest
import torch
from torch import nn

from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.optimizers import make_optimizer


def make_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2)).to(memory_format=torch.channels_last)


def weights(net: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def train(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for step in range(steps):
        images = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        net(images).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("decay", ["coupled", "decoupled"])
@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_kernels_agree_up_to_rounding(name: str, decay: str) -> None:
    ends = {}
    for kernel in ("auto", "loop", "foreach", "fused"):
        net = make_net()
        settings = OptimizerSettings(name, 0.01, None, weight_decay=0.1, decay=decay, kernel=kernel)
        train(net, make_optimizer(net, settings, 1), 4)
        ends[kernel] = weights(net)
    assert not torch.allclose(ends["auto"], weights(make_net()))
    for kernel in ("loop", "foreach", "fused"):
        torch.testing.assert_close(ends[kernel], ends["auto"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("before", "now"), [("loop", "fused"), ("fused", "foreach"), ("foreach", "loop")])
@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_resumed_optimizer_keeps_its_own_kernel(name: str, before: str, now: str) -> None:
    net, other = make_net(), make_net()
    saved = make_optimizer(net, OptimizerSettings(name, 0.01, None, kernel=before), 1)
    train(net, saved, 2)
    resumed = make_optimizer(other, OptimizerSettings(name, 0.01, None, kernel=now), 1)
    resumed.load_state_dict(copy.deepcopy(saved.state_dict()))
    for group in resumed.param_groups:
        assert bool(group["fused"]) == (now == "fused")
        assert bool(group["foreach"]) == (now == "foreach")
    other.load_state_dict(net.state_dict())
    train(other, resumed, 2)
    train(net, saved, 2)
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_state_of_another_memory_format_goes_on(name: str) -> None:
    net, other = make_net(), make_net().to(memory_format=torch.contiguous_format)
    settings = OptimizerSettings(name, 0.01, None, kernel="fused")
    saved, resumed = make_optimizer(net, settings, 1), make_optimizer(other, settings, 1)
    train(net, saved, 2)
    resumed.load_state_dict(copy.deepcopy(saved.state_dict()))
    other.load_state_dict(net.state_dict())
    train(other, resumed, 2)
    train(net, saved, 2)
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)
        layouts = {value.stride() for value in resumed.state[two].values() if value.shape == two.shape}
        assert layouts == {two.stride()}


@pytest.mark.parametrize("kernel", ["foreach", "fused"])
def test_a_step_that_overflows_under_a_loss_scale_decays_nothing(kernel: str) -> None:
    """The fused kernel is called all the same, and skips the step itself."""
    layer = nn.Linear(4, 3, bias=False)
    nn.init.ones_(layer.weight)
    settings = OptimizerSettings("sgd", 0.1, None, weight_decay=0.2, decay="decoupled", kernel=kernel)  # type: ignore[arg-type]
    optimizer, scaler = make_optimizer(layer, settings, 256), torch.amp.GradScaler("cpu", init_scale=4.0)
    for size, changed in ((float("inf"), False), (1.0, True)):
        optimizer.zero_grad()
        scaler.scale(layer(torch.full((2, 4), size)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(layer.weight, torch.ones(3, 4)) is not changed
