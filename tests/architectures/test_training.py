"""Every network of the catalog trains, evaluates the same each time, and passes torch's exporter and compiler.

A small network of each family runs always, the catalog's own networks are slow. Each has the gains that start at zero
set to one, and batch norm the statistics of one batch, as a network in training has; images are small, but large enough
that batch norm sees more than one pixel per channel. Auxiliary heads are on.
"""

import copy
import fnmatch
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import pytest
import torch
from one_in import slow
from torch import Tensor, nn

import lit_cnn
from lit_cnn.architectures.alexnet import alexnet
from lit_cnn.architectures.amoebanet import cifar_amoebanet_a
from lit_cnn.architectures.block_network import block_network
from lit_cnn.architectures.catalog import find_entry, list_models
from lit_cnn.architectures.cifar_vgg import cifar_vgg
from lit_cnn.architectures.efficientnet import STAGES, EfficientNet
from lit_cnn.architectures.efficientnet_lite import lite_stages
from lit_cnn.architectures.efficientnet_v2 import BASE
from lit_cnn.architectures.googlenet import googlenet
from lit_cnn.architectures.layers.keyed import KeyedLayer, set_random_key
from lit_cnn.architectures.layers.mbconv import FusedMBConv, MBConv
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.mbconv_chain import mbconv_chain
from lit_cnn.architectures.mobilenet_v1 import mobilenet_v1
from lit_cnn.architectures.mobilenet_v2 import mobilenet_v2
from lit_cnn.architectures.nasnet import cifar_nasnet_a
from lit_cnn.architectures.network import Head
from lit_cnn.architectures.nfnet import NFNet, nfnet
from lit_cnn.architectures.resnet import ResNet, cifar_resnet
from lit_cnn.architectures.resnet_rs import ResNetRS
from lit_cnn.architectures.resnext import ResNeXt
from lit_cnn.architectures.scaling import scale_stages
from lit_cnn.architectures.senet import append_squeeze_excite
from lit_cnn.architectures.shufflenet import ShuffleUnit, shufflenet
from lit_cnn.architectures.vgg import VGG
from lit_cnn.architectures.zfnet import zfnet


class Case(NamedTuple):
    """How to build a network, and the batch that it is tried with."""

    build: Callable[[], nn.Module]
    side: int
    batch: int = 4


def small_vgg(*, batch_norm: bool, head: Head = "fully_connected") -> nn.Module:
    widths = (8, 8, 16, 16, 32)
    return VGG((1, 1, 2, 2, 2), widths=widths, batch_norm=batch_norm, head=head, map_size=1, hidden=32, num_classes=5)


def small_resnet(*, bottleneck: bool, squeeze: bool = False) -> nn.Module:
    network = ResNet((1, 2, 1), widths=(8, 16, 32), bottleneck=bottleneck, zero_init_last=True, num_classes=5)
    if squeeze:
        append_squeeze_excite(network, 4)
    return network


def small_efficientnet(stages: tuple, activation: str = "silu") -> nn.Module:
    rows = scale_stages(stages, 0.25, 0.5)
    return EfficientNet(rows, stem_width=8, final_width=32, activation=activation, num_classes=5)


CHAIN = "identity s2 c16; fused e2 k3 c16 skip=pool; mbconv e3 k3 c16 n2 se0.25; mbconv e3 k5 s2 c24 n2 skip=none"
MIXED_BLOCKS = "plain c16; residual c16; bottleneck s2 c16; inception s2 c32; separable c32"

FAMILIES = {
    "small_alexnet": Case(lambda: alexnet(num_classes=5, hidden=64), 99),
    "small_zfnet": Case(lambda: zfnet(num_classes=5, hidden=64), 64),
    "small_vgg": Case(lambda: small_vgg(batch_norm=False), 64),
    "small_vgg_bn": Case(lambda: small_vgg(batch_norm=True), 64),
    "small_cifar_vgg": Case(lambda: cifar_vgg(widths=(8, 16, 24), num_classes=5), 32),
    "small_vgg_global_average": Case(lambda: small_vgg(batch_norm=True, head="global_average"), 64),
    "small_googlenet": Case(lambda: googlenet(num_classes=5, aux_heads=True, stem="small"), 12),
    "small_googlenet_fully_connected": Case(
        lambda: googlenet(num_classes=5, batch_norm=True, head="fully_connected", stem="small"), 12
    ),
    "small_resnet": Case(lambda: small_resnet(bottleneck=False), 32),
    "small_resnet_option_a": Case(lambda: cifar_resnet(8, widths=(4, 8, 17), shortcut="zero_pad_both"), 16),
    "small_bottleneck": Case(lambda: small_resnet(bottleneck=True), 32),
    "small_resnext": Case(lambda: ResNeXt((1, 1, 1, 1), groups=4, group_width=4, num_classes=5), 64, 2),
    "small_senet": Case(lambda: small_resnet(bottleneck=True, squeeze=True), 32),
    "small_mobilenet_v1": Case(lambda: mobilenet_v1(0.25, num_classes=5), 64),
    "small_mobilenet_v2": Case(lambda: mobilenet_v2(0.35, num_classes=5), 64),
    "small_shufflenet": Case(lambda: shufflenet(3, 0.5, num_classes=5), 64),
    "small_nasnet": Case(lambda: cifar_nasnet_a(1, 96, num_classes=5, aux_head=True), 16),
    "small_amoebanet": Case(lambda: cifar_amoebanet_a(1, 4, num_classes=5, aux_head=True), 16),
    "small_efficientnet": Case(lambda: small_efficientnet(STAGES), 64),
    "small_efficientnet_lite": Case(lambda: small_efficientnet(lite_stages(1.0, 1.0), "relu6"), 64),
    "small_nfnet_narrow": Case(lambda: nfnet("f0", widths=(16, 32, 64), depths=(1, 2, 1), num_classes=5), 32),
    "small_nfnet": Case(lambda: NFNet((1, 1, 1, 1), num_classes=5), 16, 2),
    "small_resnet_rs": Case(lambda: ResNetRS((1, 1, 1, 1), num_classes=5), 32),
    "small_efficientnet_v2": Case(lambda: small_efficientnet(BASE), 64),
    "small_mbconv_chain": Case(lambda: mbconv_chain(CHAIN, 8, 32, "relu", stem="small", num_classes=5), 16),
    "small_block_network": Case(lambda: block_network(MIXED_BLOCKS, num_classes=5), 16),
}
"""A small network of each paper."""
HEAVY = ("small_zfnet", "small_googlenet_fully_connected", "small_nfnet")
"""Those with a lighter relative, which take seconds: only the slow tests try them."""

SIDES = {
    "alexnet*": 99,
    "googlenet": 95,  # the auxiliary heads' 5x5 pools
    "cifar_vgg8": 32,
    "cifar_*": 16,
    "*_cifar": 16,
    "cell_network": 32,  # the auxiliary head needs 5x5 after stack 2
    "amoebanet_a_proxy*": 16,
    "nasnet_a_*": 97,  # the auxiliary head needs 5x5 after stack 2
    "amoebanet_a_*": 97,
    "nfnet_*": 32,
}
"""Height and width in px for the networks of the catalog; 64 for the others."""

BATCHES = {"nfnet_f[3-6]": 1, "amoebanet_a_n6_f448": 2, "nasnet_a_large": 2, "amoebanet_a_n6_f190": 2}
"""Fewer images than four, for the memory's sake. NFNets have no batch norm, so that one image is as good as many."""


NO_GRADIENT = {
    "nfnet_f6": "training in float64 was killed at 12.6 GB on a machine of 24 GB that others used",
    "amoebanet_a_n6_f448": "not tried: it has more parameters than NFNet-F6, which did not fit",
}
"""Networks whose gradients are left out for the memory's sake; their families' smaller networks are tried."""

EXPLODING = {"cifar_plain1202"}
"""A plain net whose gradient grows from layer to layer towards the image, so that the largest is no measure of
rounding: 0.02 at the smallest and 9e81 at the largest, which float64 holds and float32 does not. Its paper has no such
net; that of 110 layers already fails to train there (section 4.2)."""

SENSITIVE = {"cifar_plain110", "cifar_plain1202", "resnet_rs_350", "resnet_rs_420", "efficientnet_v2_xl"}
"""Nets so deep that with these statistics they enlarge rounding itself, to more than 1 of the largest logit in the
plain net of 1202 layers. Their layouts may differ by ten times what a last-bit change of the pixels does."""

MASKLESS = {"small_cifar_vgg"}
"""Networks with neither dropout nor drop path."""

EXPORTED_ALWAYS = (
    *("small_googlenet", "small_senet", "small_shufflenet", "small_nasnet", "small_efficientnet", "small_nfnet"),
)
"""Small networks that every run of the tests exports: together they have what the others have."""

NOT_EXPORTED: dict[str, str] = {}
"""Networks whose export takes over two minutes, with the time measured."""


def lookup(table: dict[str, int], name: str, default: int) -> int:
    return next((value for pattern, value in table.items() if fnmatch.fnmatchcase(name, pattern)), default)


def find_case(name: str) -> Case:
    if name in FAMILIES:
        return FAMILIES[name]
    options = {key: True for key in ("aux_heads", "aux_head") if key in find_entry(name).options()}
    return Case(lambda: lit_cnn.create_model(name, **options), lookup(SIDES, name, 64), lookup(BATCHES, name, 4))


class Prepared(NamedTuple):
    """A network in evaluation, and its batch."""

    name: str
    network: nn.Module
    images: Tensor


def rest_slow(names: Iterable[str]) -> list:
    """The names, of which the heavy ones and the whole networks of the catalog are slow."""
    fast = {*FAMILIES} - {*HEAVY}
    return [name if name in fast else slow(name) for name in names]


@pytest.fixture(scope="module", params=rest_slow([*FAMILIES, *list_models()]))
def prepared(request: pytest.FixtureRequest) -> Prepared:
    return make_prepared(request.param)


def make_prepared(name: str) -> Prepared:
    case = find_case(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, images = case.build(), torch.randn(case.batch, 3, case.side, case.side)
    prepare(network, images)
    return Prepared(name, network, images)


def prepare(network: nn.Module, images: Tensor) -> None:
    """No random dropping, no gains of zero, which would hide what stands before them, and the batch's statistics."""
    set_rates(network, 0.0)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("gain", "norm.weight")) and not parameter.any():
                parameter.fill_(1.0)
        norms = [(layer, layer.momentum) for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
        for layer, _ in norms:
            layer.momentum = 1.0
        network.train()(images)
        for layer, momentum in norms:
            layer.momentum = momentum
    network.eval()


def set_rates(network: nn.Module, rate: float) -> None:
    for layer in network.modules():
        if isinstance(layer, KeyedLayer):
            layer.rate = rate


def outputs_of(network: Callable, images: Tensor) -> list[Tensor]:
    """Logits, and those of auxiliary heads in training."""
    output = network(images)
    return [output] if isinstance(output, Tensor) else list(output)


def backward(outputs: list[Tensor]) -> None:
    """Of a random linear function: unlike cross-entropy, it has no saturated logits without gradient."""
    generator = torch.Generator().manual_seed(0)
    directions = [torch.randn(logits.shape, generator=generator, dtype=logits.dtype) for logits in outputs]
    sum((logits * direction).sum() for logits, direction in zip(outputs, directions, strict=True)).backward()


def relative_difference(value: Tensor, reference: Tensor) -> float:
    return float((value - reference).detach().abs().max() / reference.detach().abs().max())


def begins_with_1x1(block: nn.Module) -> bool:
    return isinstance(block, MBConv) and not isinstance(block.expand, nn.Identity)


def unseen_biases(network: nn.Module) -> set[str]:
    """Biases with a gradient of zero: what they add to a channel, the next batch norm subtracts.

    In VGG with batch norm it follows the biased convolution at once. In a ShuffleNet unit, and behind an MBConv's
    linear projection, a 1x1 convolution stands between, which maps a constant to a constant.
    """
    unseen = set()
    for name, module in network.named_modules():
        children = list(module.named_children())
        for (child, layer), (_, follower) in pairwise(children):
            if isinstance(layer, nn.Conv2d) and layer.bias is not None and isinstance(follower, nn.BatchNorm2d):
                unseen.add(f"{name}.{child}.bias")
        if isinstance(module, ShuffleUnit):
            unseen.add(f"{name}.filter.norm.bias")
    blocks = [(name, block) for name, block in network.named_modules() if isinstance(block, (MBConv, FusedMBConv))]
    for number, (name, block) in enumerate(blocks):
        projects = not isinstance(block.project, nn.Identity)
        if projects and all(begins_with_1x1(follower) for _, follower in blocks[number + 1 : number + 2]):
            unseen.add(f"{name}.project.norm.bias")
    return unseen


def test_every_parameter_gets_a_gradient(prepared: Prepared) -> None:
    if prepared.name in NO_GRADIENT:
        pytest.skip(NO_GRADIENT[prepared.name])
    network = copy.deepcopy(prepared.network).double().train()
    backward(outputs_of(network, prepared.images.double()))
    sizes = {}
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        sizes[name] = float(parameter.grad.abs().max())
    rounding = 0.0 if prepared.name in EXPLODING else 1e-13 * max(sizes.values())
    assert {name for name, size in sizes.items() if size <= rounding} == unseen_biases(network)


def test_evaluation_is_deterministic(prepared: Prepared) -> None:
    with torch.no_grad():
        first = prepared.network(prepared.images)
        assert first.isfinite().all()
        assert len(first.unique(dim=0)) == len(first)  # the images can be told apart
        assert torch.equal(prepared.network(prepared.images), first)


def test_weights_load_into_a_network_with_others(prepared: Prepared) -> None:
    torch.manual_seed(1)  # not that of the prepared network
    other = find_case(prepared.name).build().eval()
    with torch.no_grad():
        expected = prepared.network(prepared.images)
        assert not torch.equal(other(prepared.images), expected)
        other.load_state_dict(prepared.network.state_dict(), strict=True)
        assert torch.equal(other(prepared.images), expected)


def test_bfloat16_is_finite(prepared: Prepared) -> None:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits = prepared.network(prepared.images)
    assert logits.dtype == torch.bfloat16
    assert logits.isfinite().all()


def test_channels_last_gives_the_same(prepared: Prepared) -> None:
    network, images = copy.deepcopy(prepared.network).double(), prepared.images.double()
    with torch.no_grad():
        expected = network(images)
        rounding = (
            relative_difference(network(images * (1 + 2.0**-52)), expected) if prepared.name in SENSITIVE else 0.0
        )
        network = network.to(memory_format=torch.channels_last)
        found = network(images.contiguous(memory_format=torch.channels_last))
        assert relative_difference(found, expected) <= max(1e-11, 10 * rounding)


@pytest.mark.parametrize(
    "prepared",
    [
        pytest.param(name, marks=[] if name in EXPORTED_ALWAYS else pytest.mark.slow)
        for name in (*FAMILIES, *list_models())
    ],
    indirect=True,
)
@pytest.mark.slow
def test_exports(prepared: Prepared) -> None:
    if prepared.name in NOT_EXPORTED:
        pytest.skip(NOT_EXPORTED[prepared.name])
    with torch.no_grad():
        exported = torch.export.export(prepared.network, (prepared.images,)).module()
        assert torch.equal(exported(prepared.images), prepared.network(prepared.images))


def with_masks(prepared: Prepared) -> nn.Module:
    """A copy in training whose dropout and stochastic depth draw keyed masks; every other gate is the batch's."""
    network = copy.deepcopy(prepared.network).train()
    set_rates(network, 0.3)
    for number, layer in enumerate(network.modules()):
        if isinstance(layer, StochasticDepth) and number % 2:
            layer.gate = "batch"
    set_random_key(network, seed=0, step=3, positions=torch.arange(len(prepared.images)))
    return network


def steps_differ(network: nn.Module, images: Tensor) -> bool:
    """Whether the masks of two steps give different outputs."""
    other = copy.deepcopy(network)
    set_random_key(other, seed=0, step=4, positions=torch.arange(len(images)))
    with torch.no_grad():
        return not torch.equal(outputs_of(network, images)[0], outputs_of(other, images)[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_exports_with_masks(name: str) -> None:
    prepared = make_prepared(name)
    network = with_masks(prepared)
    assert steps_differ(network, prepared.images) is (name not in MASKLESS)
    expected = outputs_of(copy.deepcopy(network), prepared.images)
    exported = torch.export.export(network, (prepared.images,)).module()
    for value, other in zip(outputs_of(exported, prepared.images), expected, strict=True):
        assert torch.equal(value, other)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
@pytest.mark.parametrize("name", FAMILIES)
def test_compiles_with_masks(name: str, backend: str) -> None:
    """Without a graph break; one training step gives the logits and gradients of the eager network, in float64."""
    prepared = make_prepared(name)
    network, images = with_masks(prepared).double(), prepared.images.double()
    compiled = copy.deepcopy(network)
    torch.compiler.reset()
    logits = outputs_of(network, images)
    others = outputs_of(torch.compile(compiled, fullgraph=True, dynamic=False, backend=backend), images)
    backward(logits)
    backward(others)
    for value, other in zip(logits, others, strict=True):
        assert relative_difference(other, value) <= 1e-9
    gradients = [parameter.grad for parameter in network.parameters()]
    largest = max(float(gradient.abs().max()) for gradient in gradients)
    for gradient, parameter in zip(gradients, compiled.parameters(), strict=True):
        assert float((parameter.grad - gradient).abs().max()) <= 1e-9 * largest
