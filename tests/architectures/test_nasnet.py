"""NASNet-A has the counts of the released code and computes what timm's nasnetalarge computes."""

from collections.abc import Callable

import pytest
import timm
import torch
from gradients import assert_all_learn, smooth_activations
from ordered_copy import slow
from timm.models.nasnet import NASNetALarge
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures.cells import AuxiliaryOutput, CellNetwork
from lit_cnn.architectures.meta import on_meta, run_on_meta
from lit_cnn.architectures.nasnet import cifar_nasnet_a, nasnet_a


def mobile(*, aux_head: bool = False) -> CellNetwork:
    return nasnet_a(4, 1056, stem_width=32, skip_reduction=False, aux_kernel=4, aux_head=aux_head)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("build", "side", "params", "madds"),
    [  # architectures.json: rebuilt from tensorflow/models slim nasnet.py; the large net as measured on timm 1.0.31
        (mobile, 224, 5_289_978, 563_638_816),
        *slow(
            (lambda: nasnet_a(6, 4032), 331, 88_753_150, 23_783_414_658),
            (lambda: cifar_nasnet_a(6, 768), 32, 3_346_538, 544_333_312),
            (lambda: cifar_nasnet_a(7, 2304), 32, 32_590_954, 5_151_250_944),
        ),
    ],
)
@pytest.mark.slow
def test_counts_to_the_unit(build: Callable[[], CellNetwork], side: int, params: int, madds: int) -> None:
    with on_meta():
        network = build().eval()
    assert count(network) == params
    with FlopCounterMode(display=False) as counter:
        run_on_meta(network, torch.empty(1, 3, side, side, device="meta"))
    assert counter.get_total_flops() == 2 * madds


@pytest.mark.slow
def test_auxiliary_heads_to_the_unit() -> None:
    with on_meta():
        assert count(mobile(aux_head=True)) - count(mobile()) == 2_411_240  # cells.md
        assert count(nasnet_a(6, 4032, aux_head=True)) - count(nasnet_a(6, 4032)) == 4_567_784


@pytest.mark.slow
def test_mobile_stage_by_stage() -> None:
    """Sizes from cells.md; parameters by hand from the cell tables, N cells at a time."""

    def separable(filters: int, kernel: int) -> int:
        return 2 * (filters * kernel**2 + filters**2 + 2 * filters)

    def conv(inputs: int, filters: int) -> int:
        return inputs * filters + 2 * filters

    def cell(inputs: int, previous: int, filters: int, kernels: tuple[int, ...]) -> int:
        return conv(inputs, filters) + conv(previous, filters) + sum(separable(filters, k) for k in kernels)

    normal, reduction = (5, 3, 5, 3, 3), (5, 7, 7, 5, 3)
    expected = {"stem": 3 * 32 * 9 + 64}
    for stack, filters in enumerate((44, 88, 176), start=1):
        before = (44, 88) if stack == 1 else (3 * filters, 3 * filters)
        total = 0 if stack == 1 else cell(*before, filters, reduction)
        entry = 4 * filters if stack > 1 else before[1]
        channels, previous = entry, before[0]
        for _ in range(4):
            total += cell(channels, previous, filters, normal)
            channels, previous = 6 * filters, channels
        expected[f"stack{stack}"] = total
    with on_meta():
        network = mobile()
    cells = dict(network.features.named_children())
    groups = {"stem": ["stem"], "stack1": range(3, 7), "stack2": range(7, 12), "stack3": range(12, 17)}
    for name, members in groups.items():
        keys = [key if isinstance(key, str) else f"cell{key}" for key in members]
        assert sum(count(cells[key]) for key in keys) == expected[name], name
    maps = run_on_meta(network.eval().stages, torch.empty(1, 3, 224, 224, device="meta"))
    assert [tuple(stage.shape[1:]) for stage in maps] == [(44, 56, 56), (264, 28, 28), (528, 14, 14), (1056, 7, 7)]


Unit = tuple[list[nn.Conv2d], nn.BatchNorm2d]


def units(network: nn.Module, image: Tensor) -> list[Unit]:
    """Each batch norm with the convolutions that ran since the one before, in the order of execution."""
    found: list[Unit] = []
    pending: list[nn.Conv2d] = []

    def record(module: nn.Module, _inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            pending.append(module)
        elif isinstance(module, nn.BatchNorm2d):
            found.append((pending.copy(), module))
            pending.clear()

    handles = [module.register_forward_hook(record) for module in network.modules()]
    with torch.no_grad():
        network(image)
    for handle in handles:
        handle.remove()
    assert not pending
    return found


def shapes(unit: Unit) -> list[torch.Size]:
    return [conv.weight.shape for conv in unit[0]]


def copy_in_order(source: nn.Module, target: nn.Module, image: Tensor) -> None:
    """Give each unit of ``target`` the weights of the first unused unit of ``source`` with the same shapes."""
    waiting = units(source, image)
    for unit in units(target, image):
        match = next(other for other in waiting if shapes(other) == shapes(unit))
        waiting.remove(match)
        for ours, theirs in zip([*unit[0], unit[1]], [*match[0], match[1]], strict=True):
            ours.load_state_dict(theirs.state_dict())
    assert not waiting
    target.head.classifier.load_state_dict(source.last_linear.state_dict())


def randomize(network: nn.Module) -> None:
    """Random norms, so that a swap of any two layers shows."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.5)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)


def difference(expected: Tensor, actual: Tensor) -> float:
    return float((expected - actual).abs().max() / expected.abs().max())


def compare(reference: nn.Module, network: CellNetwork, side: int, *, batch: int = 1) -> tuple[float, float]:
    """Largest difference of logits and of the image's gradient, relative to the largest entry."""
    randomize(reference)
    image = torch.randn(batch, 3, side, side, dtype=torch.float64, requires_grad=True)
    copy_in_order(reference, network, image)
    expected, actual = reference(image), network(image)
    weights = torch.randn_like(expected)
    gradients = [torch.autograd.grad((logits * weights).sum(), image)[0] for logits in (expected, actual)]
    return difference(expected.detach(), actual.detach()), difference(*gradients)


@pytest.mark.parametrize("side", [97, 99])
@pytest.mark.slow
def test_narrow_twin_equals_timms(side: int) -> None:
    torch.manual_seed(0)
    reference = NASNetALarge(num_classes=10, stem_size=12, num_features=192).double().eval()
    network = nasnet_a(6, 192, num_classes=10, stem_width=12, count_padding=True).double().eval()
    logits, gradient = compare(reference, network, side, batch=2)
    assert logits <= 1e-9
    assert gradient <= 1e-9


@pytest.mark.slow
def test_large_equals_timms() -> None:
    torch.manual_seed(0)
    reference = timm.create_model("nasnetalarge").double().eval()
    network = nasnet_a(6, 4032, count_padding=True).double().eval()
    logits, gradient = compare(reference, network, 97)
    assert logits <= 1e-9
    assert gradient <= 1e-9


@pytest.mark.slow
def test_timms_padding_is_not_the_papers() -> None:
    """Without ``count_padding`` only the strided pools differ, so the comparison above can fail."""
    torch.manual_seed(0)
    reference = NASNetALarge(num_classes=10, stem_size=12, num_features=192).double().eval()
    network = nasnet_a(6, 192, num_classes=10, stem_width=12).double().eval()
    assert compare(reference, network, 97)[0] > 1e-6


@pytest.mark.parametrize("aux_head", [False, True])
def test_every_parameter_gets_a_gradient(aux_head: bool) -> None:
    torch.manual_seed(0)
    network = nasnet_a(1, 192, num_classes=5, stem_width=6, aux_head=aux_head, aux_kernel=4, dropout=0.0).train()
    with smooth_activations():
        output = network(torch.randn(4, 3, 96, 96))
    logits = sum(output) if aux_head else output
    logits.square().sum().backward()
    assert_all_learn(network)


def test_auxiliary_logits_in_training_only() -> None:
    network = cifar_nasnet_a(1, 96, aux_head=True)
    image = torch.randn(2, 3, 32, 32)
    output = network.train()(image)
    assert isinstance(output, AuxiliaryOutput)
    assert output.logits.shape == output.auxiliary.shape == (2, 10)
    assert isinstance(network.eval()(image), Tensor)


@pytest.mark.slow
def test_contract_and_smallest_input() -> None:
    network = nasnet_a(1, 192, num_classes=5, in_channels=1, stem_width=6, skip_reduction=True).eval()
    for side in (3, 4, 33):
        image = torch.randn(1, 1, side, side)
        logits = network(image)
        assert logits.shape == (1, 5)
        assert logits.isfinite().all()
        maps = network.stages(image)
        assert torch.equal(maps[-1], network.features(image))
        assert torch.equal(logits, network.head(maps[-1]))
        assert [stage.shape[1] for stage in maps] == [8, 48, 96, 192]
    with pytest.raises(ValueError, match="at least 3x3 pixels, got 2x5"):
        network(torch.randn(1, 1, 2, 5))


def test_norms_of_the_released_code() -> None:
    def norm(network: CellNetwork) -> tuple[float, float | None]:
        return network.features.stem.norm.eps, network.features.stem.norm.momentum

    assert norm(nasnet_a(1, 96)) == (1e-3, pytest.approx(1 - 0.9997))
    assert norm(cifar_nasnet_a(1, 96)) == (1e-5, pytest.approx(1 - 0.9))


def test_small_stem_keeps_the_resolution() -> None:
    network = nasnet_a(1, 96, num_classes=5, stem="small").eval()
    maps = network.stages(torch.randn(1, 3, 32, 32))
    assert [stage.shape[-1] for stage in maps] == [32, 16, 8]
    assert network.features.stem.conv.out_channels == 12


def test_penultimate_must_fit_the_cells() -> None:
    with pytest.raises(ValueError, match="multiple of 24"):
        nasnet_a(4, 1000)
