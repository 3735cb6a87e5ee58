from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lit_cnn.training.optimization.lamb import LAMB
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings, scaled_learning_rate
from lit_cnn.training.optimization.optimizers import make_optimizer
from lit_cnn.training.optimization.parameter_groups import parameter_groups
from lit_cnn.training.optimization.rmsprop_tf import RMSpropTF

MODES = [
    {"decay": "coupled"},
    {"decay": "decoupled"},
    {"decay": "decoupled", "decay_scaling": "independent"},
]
ALL = [{"name": name, **mode} for name in ("sgd", "adamw", "rmsprop", "lamb", "muon") for mode in MODES]
EACH = pytest.mark.parametrize("options", ALL, ids=lambda options: "-".join(options.values()))


class Net(nn.Module):
    """A conv, norms, a gain as in NFNet, a layer scale as in ConvNeXt, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, bias=True)
        self.conv.gain = nn.Parameter(torch.ones(4, 1, 1, 1))
        self.norm = nn.BatchNorm2d(4)
        self.scale = nn.Parameter(torch.full((4, 1, 1), 0.5))
        self.planes = nn.LayerNorm((4, 6, 6))
        self.pointwise = nn.Conv2d(1, 4, 1, bias=False)
        self.classifier = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.planes(self.norm(self.conv(x) * self.conv.gain.view(1, -1, 1, 1))) * self.scale
        x = x + self.pointwise(x.mean(1, keepdim=True))
        return self.classifier(x.relu().mean((2, 3)))


def make_net() -> Net:
    torch.manual_seed(0)
    return Net()


def group_names(net: nn.Module, **options) -> dict[str, set[str]]:
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    groups = parameter_groups(net, OptimizerSettings(weight_decay=0.1, **options))
    return {group["name"]: {names[id(parameter)] for parameter in group["params"]} for group in groups}


def test_weight_decay_takes_conv_and_linear_weights_alone_by_default() -> None:
    groups = group_names(make_net())
    assert groups["decayed"] == {"conv.weight", "pointwise.weight", "classifier.weight"}
    norms = {"conv.gain", "scale", "norm.weight", "norm.bias", "planes.weight", "planes.bias"}
    assert groups["not_decayed"] == norms | {"conv.bias", "classifier.bias"}


def test_excluding_norms_alone_decays_biases() -> None:
    groups = group_names(make_net(), decay_excluded="norm")
    assert groups["decayed"] >= {"conv.bias", "classifier.bias", "conv.weight"}
    assert groups["not_decayed"] == {"conv.gain", "scale", "norm.weight", "norm.bias", "planes.weight", "planes.bias"}


def test_excluding_nothing_decays_everything_in_one_group() -> None:
    assert group_names(make_net(), decay_excluded="none") == {"decayed": {n for n, _ in make_net().named_parameters()}}


def test_a_layer_with_a_vector_of_weights_is_a_norm_whatever_its_class() -> None:
    class OwnNorm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))

    groups = group_names(nn.Sequential(nn.Linear(3, 4), OwnNorm()), decay_excluded="norm")
    assert groups == {"decayed": {"0.weight", "0.bias"}, "not_decayed": {"1.weight", "1.bias"}}


@pytest.mark.parametrize("excluded", ["norm_and_bias", "norm", "none"])
def test_every_trainable_parameter_is_in_one_group_in_order(excluded: str) -> None:
    net = make_net()
    net.again = net.classifier  # a shared layer
    net.conv.weight.requires_grad_(False)
    groups = parameter_groups(net, OptimizerSettings(decay_excluded=excluded))
    order = [id(parameter) for parameter in net.parameters()]
    found = [[order.index(id(parameter)) for parameter in group["params"]] for group in groups]
    assert sorted(index for indices in found for index in indices) == [
        i for i, p in enumerate(net.parameters()) if p.requires_grad
    ]
    assert all(indices == sorted(indices) for indices in found)


def test_a_frozen_network_is_refused() -> None:
    with pytest.raises(ValueError, match="no trainable parameter"):
        parameter_groups(nn.Linear(2, 2).requires_grad_(False), OptimizerSettings())


def test_rate_scales_with_the_global_batch() -> None:
    assert scaled_learning_rate(OptimizerSettings(learning_rate=0.1), 1024) == pytest.approx(0.4)
    assert scaled_learning_rate(OptimizerSettings(learning_rate=0.1, base_batch_size=None), 1024) == 0.1
    optimizer = make_optimizer(make_net(), OptimizerSettings(learning_rate=0.1), 64)
    assert {group["lr"] for group in optimizer.param_groups} == {0.1 * 64 / 256}
    with pytest.raises(ValueError, match="global batch"):
        scaled_learning_rate(OptimizerSettings(), 0)


# One parameter, hand-computed in numpy --------------------------------------------------------------------------------


def run_on_gradients(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, grads: np.ndarray) -> np.ndarray:
    for grad in grads:
        parameter.grad = torch.tensor(grad)
        optimizer.step()
    return parameter.detach().numpy()


def example() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(3, 2)), random.normal(size=(5, 3, 2))


def test_rmsprop_is_tensorflows() -> None:
    start, grads = example()
    weights, square, velocity = start.copy(), np.ones_like(start), np.zeros_like(start)
    for number, grad in enumerate(grads):
        rate = 0.05 if number < 3 else 0.005
        grad = grad + 0.1 * weights
        square = 0.8 * square + 0.2 * grad**2
        velocity = 0.9 * velocity + rate * grad / np.sqrt(square + 1e-3)
        weights = weights - velocity
    parameter = nn.Parameter(torch.tensor(start))
    optimizer = RMSpropTF([parameter], lr=0.05, rho=0.8, momentum=0.9, epsilon=1e-3, weight_decay=0.1)
    run_on_gradients(optimizer, parameter, grads[:3])
    optimizer.param_groups[0]["lr"] = 0.005
    np.testing.assert_allclose(run_on_gradients(optimizer, parameter, grads[3:]), weights, rtol=1e-12)


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("adapt", [False, True])
def test_lamb_is_the_papers(coupled: bool, adapt: bool) -> None:
    start, grads = example()
    weights, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step, grad in enumerate(grads, start=1):
        grad = grad + 0.1 * weights * coupled
        mean, square = 0.9 * mean + 0.1 * grad, 0.99 * square + 0.01 * grad**2
        update = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-6)
        update = update + 0.1 * weights * (not coupled)
        ratio = np.linalg.norm(weights) / np.linalg.norm(update) if adapt else 1.0
        weights = weights - 0.05 * ratio * update
    parameter = nn.Parameter(torch.tensor(start))
    optimizer = LAMB(
        [parameter], lr=0.05, betas=(0.9, 0.99), epsilon=1e-6, weight_decay=0.1, coupled=coupled, adapt=adapt
    )
    np.testing.assert_allclose(run_on_gradients(optimizer, parameter, grads), weights, rtol=1e-12)


def test_lambs_trust_ratio_is_one_for_zero_weights() -> None:
    parameter = nn.Parameter(torch.zeros(3))
    found = run_on_gradients(LAMB([parameter], lr=0.1, epsilon=0.0), parameter, np.array([[1, -2, 3]], np.float32))
    np.testing.assert_allclose(found, [-0.1, 0.1, -0.1], rtol=1e-6)


def test_only_lambs_decayed_group_takes_the_trust_ratio() -> None:
    optimizer = make_optimizer(make_net(), OptimizerSettings("lamb", weight_decay=0.0), 256)
    assert {group["name"]: group["adapt"] for group in optimizer.param_groups} == {
        "decayed": True,
        "not_decayed": False,
    }


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop", "lamb", "muon"])
@pytest.mark.parametrize("scaling", ["learning_rate", "independent"])
def test_decoupled_decay_shrinks_weights_by_a_known_factor(name: str, scaling: str) -> None:
    """With a zero gradient nothing but decay moves the weights; LAMB's own form resizes it by the trust ratio."""
    net = nn.Linear(3, 2)
    settings = OptimizerSettings(
        name, 0.1, None, weight_decay=0.2, decay="decoupled", decay_scaling=scaling, decay_excluded="norm_and_bias"
    )
    before = net.weight.detach().clone(), net.bias.detach().clone()
    optimizer = make_optimizer(net, settings, 1)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    shrink = 0.2 if scaling == "independent" else 0.1 if name == "lamb" else 0.1 * 0.2
    torch.testing.assert_close(net.weight.detach(), before[0] * (1 - shrink))
    assert torch.equal(net.bias.detach(), before[1])


def test_decay_defaults_to_the_published_form() -> None:
    forms = {name: OptimizerSettings(name).decay_form for name in ("sgd", "adamw", "rmsprop", "lamb", "muon")}
    decoupled = {"adamw": "decoupled", "lamb": "decoupled", "muon": "decoupled"}
    assert forms == {"sgd": "coupled", "rmsprop": "coupled", **decoupled}


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop"])
def test_coupled_decay_is_an_l2_term_in_the_gradient(name: str) -> None:
    def train(decay: float, penalty: float) -> torch.Tensor:
        torch.manual_seed(0)
        net = nn.Linear(3, 2, bias=False).double()
        optimizer = make_optimizer(net, OptimizerSettings(name, 0.01, None, weight_decay=decay, decay="coupled"), 1)
        x = torch.randn(4, 3, dtype=torch.float64)
        for _ in range(3):
            optimizer.zero_grad()
            (net(x).square().mean() + penalty / 2 * net.weight.square().sum()).backward()
            optimizer.step()
        return net.weight.detach()

    torch.testing.assert_close(train(0.3, 0.0), train(0.0, 0.3))
    assert not torch.allclose(train(0.3, 0.0), train(0.0, 0.0))


def test_decoupled_sgd_with_the_rate_equals_the_papers_formula() -> None:
    start, grads = example()
    weights, momentum = start.copy(), np.zeros_like(start)
    for grad in grads:
        momentum = 0.9 * momentum + grad
        weights = weights - 0.05 * momentum - 0.05 * 0.2 * weights
    net = nn.Linear(2, 3, bias=False).double()
    net.weight.data = torch.tensor(start)
    settings = OptimizerSettings("sgd", 0.05, None, nesterov=False, weight_decay=0.2, decay="decoupled")
    np.testing.assert_allclose(run_on_gradients(make_optimizer(net, settings, 1), net.weight, grads), weights)


@EACH
def test_a_closure_sees_the_weights_before_they_shrink(options: dict) -> None:
    """Lightning computes the gradient inside ``step``; the result must not differ from computing it before."""
    results = []
    for inside in (False, True):
        net = make_net()
        optimizer = make_optimizer(net, OptimizerSettings(learning_rate=0.01, weight_decay=0.2, **options), 256)
        x = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(3))

        def closure(net=net, optimizer=optimizer, x=x) -> torch.Tensor:
            optimizer.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            return loss

        if inside:
            assert optimizer.step(closure).item() > 0
        else:
            closure()
            optimizer.step()
        results.append(net.state_dict())
    assert all(torch.equal(results[0][key], results[1][key]) for key in results[0])


# Resume ---------------------------------------------------------------------------------------------------------------


def train(net: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        x = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()


@EACH
def test_resume_is_exact_from_a_file_of_tensors_and_builtins(options: dict, tmp_path: Path) -> None:
    settings = OptimizerSettings(learning_rate=0.01, weight_decay=0.05, **options)
    through = make_net()
    train(through, make_optimizer(through, settings, 256), range(6))

    first = make_net()
    optimizer = make_optimizer(first, settings, 256)
    train(first, optimizer, range(2))
    torch.save({"net": first.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    second = make_net()
    optimizer = make_optimizer(second, settings, 256)
    second.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    train(second, optimizer, range(2, 6))
    expected, found, initial = through.state_dict(), second.state_dict(), make_net().state_dict()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert not torch.equal(expected["conv.weight"], initial["conv.weight"])


@EACH
def test_a_parameter_without_gradient_is_left_alone(options: dict) -> None:
    net = make_net()
    optimizer = make_optimizer(net, OptimizerSettings(weight_decay=0.05, **options), 256)
    before = net.classifier.weight.detach().clone()
    net.conv.weight.grad = torch.ones_like(net.conv.weight)
    optimizer.step()
    assert torch.equal(net.classifier.weight.detach(), before)


KERNELS = [{"name": name, "kernel": kernel} for name in ("sgd", "adamw") for kernel in ("loop", "foreach", "fused")]


@pytest.mark.parametrize("options", [*ALL, *KERNELS], ids=lambda options: "-".join(options.values()))
def test_resume_survives_a_change_of_memory_format(options: dict) -> None:
    """A momentum saved in one memory format continues on weights in another (torch's fused CPU kernels mix them up)."""
    settings = OptimizerSettings(learning_rate=0.01, weight_decay=0.05, **options)
    nets = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        first = make_net()
        optimizer = make_optimizer(first, settings, 256)
        train(first, optimizer, range(2))
        second = make_net().to(memory_format=memory_format)
        second.load_state_dict(first.state_dict())
        resumed = make_optimizer(second, settings, 256)
        resumed.load_state_dict(optimizer.state_dict())
        for number, parameter in enumerate(second.parameters()):
            grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
            parameter.grad = torch.empty_like(parameter).copy_(grad)
        resumed.step()
        nets.append(second.state_dict())
    assert all(torch.allclose(nets[0][key], nets[1][key], atol=1e-6) for key in nets[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "triton"}, "optimizer.kernel must be one of auto, loop, foreach, fused"),
        ({"name": "lamb", "kernel": "fused"}, "optimizer.kernel must be auto or foreach for lamb, got fused"),
        ({"name": "muon", "kernel": "loop"}, "optimizer.kernel must be auto or foreach for muon, got loop"),
        ({"name": "adam"}, "optimizer.name must be one of sgd, adamw, rmsprop, lamb, muon"),
        ({"learning_rate": -1.0}, "optimizer.learning_rate"),
        ({"base_batch_size": 0}, "optimizer.base_batch_size"),
        ({"momentum": 1.0}, "optimizer.momentum"),
        ({"betas": (0.9, 1.0)}, "optimizer.betas"),
        ({"epsilon": -1e-8}, "optimizer.epsilon"),
        ({"rho": 1.0}, "optimizer.rho"),
        ({"weight_decay": -0.1}, "optimizer.weight_decay"),
        ({"decay_scaling": "independent"}, "optimizer.decay_scaling"),
        ({"name": "sgd", "decay": "L2"}, "optimizer.decay"),
        ({"decay_scaling": "none"}, "optimizer.decay_scaling"),
        ({"decay_excluded": "bias"}, "optimizer.decay_excluded"),
        ({"name": "adamw", "decay_scaling": "independent", "weight_decay": 1.0}, "optimizer.weight_decay"),
    ],
)
def test_wrong_settings_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptimizerSettings(**options)
