import pytest
import torch
from torch import nn

from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.architectures.meta import on_meta
from lit_cnn.training.optimization.muon import Muon, orthogonalized
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.optimizers import make_optimizer


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(1, 6, 20), (3, 20, 6), (2, 8, 8), (5, 1, 9)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, ...]) -> None:
    matrices = random(*shape)
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    found = orthogonalized(matrices)
    inner = u.mT @ found @ v.mT
    values = torch.diagonal(inner, dim1=1, dim2=2)
    assert values.min() > 0.6
    assert values.max() < 1.25
    torch.testing.assert_close(inner, torch.diag_embed(values), atol=2e-4, rtol=0)


def test_blocks_do_not_mix() -> None:
    pair = random(2, 4, 9)
    torch.testing.assert_close(orthogonalized(pair)[:1], orthogonalized(pair[:1]))


def test_a_gradient_of_zero_gives_no_step_and_no_nan() -> None:
    assert torch.equal(orthogonalized(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("shape", [(6, 10), (10, 6)])
def test_steps_are_torchs_on_a_matrix(shape: tuple[int, int], nesterov: bool) -> None:
    """torch.optim.Muon computes in bfloat16, hence the tolerance; a step has a root mean square of about 0.2."""
    ours, theirs = (nn.Parameter(random(*shape)) for _ in range(2))
    settings = {"lr": 1.0, "momentum": 0.9, "nesterov": nesterov, "weight_decay": 0.1}
    mine = Muon([{"params": [ours], "matrix_blocks": [1]}], **settings)
    reference = torch.optim.Muon([theirs], adjust_lr_fn="match_rms_adamw", **settings)
    for step in range(4):
        gradient = torch.randn(shape, generator=torch.Generator().manual_seed(step))
        for parameter, optimizer in ((ours, mine), (theirs, reference)):
            parameter.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02)


class Net(nn.Module):
    """Dense, grouped and depthwise convolutions, a norm, hidden and last linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Conv2d(3, 8, 3, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 16, 3, groups=4)
        self.depthwise = nn.Conv2d(16, 16, 3, groups=16, bias=False)
        self.hidden = nn.Linear(16, 12)
        self.classifier = nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.depthwise(self.grouped(self.norm(self.dense(x)))).mean((2, 3))
        return self.classifier(self.hidden(x).relu())


def trained_once(**options) -> tuple[Net, dict[str, torch.Tensor]]:
    """A network after a step, and what the step changed."""
    torch.manual_seed(0)
    net = Net()
    before = {name: parameter.detach().clone() for name, parameter in net.named_parameters()}
    optimizer = make_optimizer(net, OptimizerSettings("muon", 0.1, None, **options), 1)
    net(random(32, 3, 9, 9)).square().mean().backward()
    optimizer.step()
    return net, {name: parameter.detach() - before[name] for name, parameter in net.named_parameters()}


def test_every_matrix_moves_by_the_same_root_mean_square() -> None:
    _, moved = trained_once()
    for name in ("dense", "grouped", "depthwise", "hidden"):
        size = moved[f"{name}.weight"].square().mean().sqrt()
        assert 0.65 * 0.02 < size < 1.25 * 0.02, name


def test_head_norms_and_biases_take_adams_first_step() -> None:
    net, moved = trained_once()
    others = ["norm.weight", "norm.bias", "grouped.bias", "hidden.bias", "classifier.weight", "classifier.bias"]
    for name in others:
        gradient = net.get_parameter(name).grad
        torch.testing.assert_close(moved[name], -0.1 * gradient / (gradient.abs() + 1e-8))


def test_groups_of_a_convolution_are_orthogonalized_apart() -> None:
    _, moved = trained_once()
    for part in moved["grouped.weight"].reshape(4, 4, -1):
        size = part.square().mean().sqrt()
        assert 0.65 * 0.02 < size < 1.25 * 0.02
    rows = moved["depthwise.weight"].reshape(16, 9).norm(dim=1)
    assert (rows.max() - rows.min()) < 1e-3 * rows.max() < 0.1 * 0.2 * 3 * 1.25


def test_groups_keep_decay_names_and_rates_of_their_own() -> None:
    net = Net()
    settings = OptimizerSettings("muon", 0.1, None, weight_decay=0.3, head_factor=2.0)
    groups = make_optimizer(net, settings, 1).param_groups
    found = {(group["name"], group["lr"]): group["weight_decay"] for group in groups}
    spared = {("not_decayed", 0.1): 0.0, ("not_decayed", 0.2): 0.0}
    assert found == {("decayed_matrices", 0.1): 0.3, ("decayed", 0.2): 0.3, **spared}


def test_a_catalog_network_has_every_convolution_among_the_matrices() -> None:
    from lit_cnn import create_model

    with on_meta():
        net = create_model("mobilenet_v2", num_classes=10)
    groups = make_optimizer(net, OptimizerSettings("muon"), 256).param_groups
    kinds = {id(p): group["matrix_blocks"] is not None for group in groups for p in group["params"]}
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            assert kinds[id(module.weight)]
        elif isinstance(module, (*BATCH_NORMS, nn.Linear)):
            assert not kinds[id(module.weight)]
