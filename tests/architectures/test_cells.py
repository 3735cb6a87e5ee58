"""Cells are validated data, and each operation computes what its paper says on maps worked out by hand."""

import dataclasses
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from gradients import smooth_activations
from torch import Tensor, nn

from lit_cnn.architectures.amoebanet import amoebanet_a, cifar_amoebanet_a
from lit_cnn.architectures.cells import (
    Block,
    Cell,
    CellGenome,
    CellNetwork,
    CellRow,
    plan_cells,
    unused_states,
)
from lit_cnn.architectures.layers.cell_ops import (
    OPERATIONS,
    AuxiliarySpec,
    CellAuxiliaryHead,
    FactorizedReduction,
    Operation,
    OpSettings,
    make_operation,
)
from lit_cnn.architectures.layers.padding import SameConv2d, same_padding
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.nasnet import cifar_nasnet_a, nasnet_a

SETTINGS = OpSettings(eps=0.0, momentum=0.1)  # so that batch norm with fresh statistics is the identity in evaluation
SMALL = CellGenome((Block("separable_3x3", 0, "identity", 1), Block("avg_pool_3x3", 2, "max_pool_3x3", 0)), (3,))
REDUCING = CellGenome((Block("avg_pool_3x3", 0, "identity", 1), Block("separable_3x3", 2, "max_pool_3x3", 0)), (1, 3))


def fill(module: nn.Module, value: float) -> nn.Module:
    """The module in evaluation, every convolution weight set to ``value``."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, value)
    return module.eval()


def ramp(*shape: int) -> Tensor:
    return torch.arange(1.0, 1 + torch.Size(shape).numel()).view(shape)


def test_a_genome_is_hashable_plain_data() -> None:
    lists = CellGenome([["separable_3x3", 0, "identity", 1], ["avg_pool_3x3", 2, "max_pool_3x3", 0]], [3])  # type: ignore[arg-type,list-item]
    assert lists == SMALL
    assert len({lists, SMALL}) == 1
    assert dataclasses.asdict(SMALL)["blocks"][0] == ("separable_3x3", 0, "identity", 1)
    assert unused_states(REDUCING.blocks) == (3,)
    assert unused_states([Block("identity", 1, "identity", 1)]) == (0, 2)


@pytest.mark.parametrize(
    ("blocks", "concat", "sentence"),
    [
        (
            [("separable_3x4", 0, "identity", 1)],
            (2,),
            "block 0 has the unknown operation 'separable_3x4'; did you mean",
        ),
        ([("identity", 0, "identity", 2)], (2,), "block 0 reads state 2, but it may only read states 0 to 1"),
        ([("identity", 0, "identity", -1)], (2,), "block 0 reads state -1"),
        ([("identity", 0, "identity", 1)], (), r"concat must list states from 0 to 2 in increasing order, got \[\]"),
        ([("identity", 0, "identity", 1)], (2, 3), r"got \[2, 3\]"),
        ([("identity", 0, "identity", 1)], (2, 1), r"got \[2, 1\]"),
        ([("identity", 0, "identity", 0)], (2,), "state 1 is read by no block"),
    ],
)
def test_a_wrong_genome_is_refused_in_one_sentence(blocks: list, concat: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CellGenome(blocks, concat)


def test_same_padding_is_tensorflows() -> None:
    assert same_padding(5, 3, 2) == (1, 1)
    assert same_padding(6, 3, 2) == (0, 1)
    assert same_padding(6, 7, 2) == (2, 3)
    assert same_padding(6, 7, 1) == (3, 3)
    assert same_padding(6, 1, 2) == (0, 0)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [8, 6])
def test_every_operation_has_same_shapes_and_learns(name: Operation, stride: int, channels: int) -> None:
    torch.manual_seed(0)
    operation = make_operation(name, channels, 8, stride=stride, settings=OpSettings())
    for height, width in ((7, 6), (2, 1)):
        image = torch.randn(3, channels, height, width)
        assert operation(image).shape == (3, 8, -(-height // stride), -(-width // stride))
    image = torch.randn(3, channels, 7, 6, requires_grad=True)
    with smooth_activations():
        output = operation(image)
    (output * torch.randn(8, 1, 1)).square().sum().backward()
    for parameter in (image, *operation.parameters()):
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any()


def test_average_pool_does_not_count_padding() -> None:
    pool = make_operation("avg_pool_3x3", 1, 1, stride=1, settings=SETTINGS)
    assert pool(ramp(1, 1, 3, 3)).flatten().tolist() == [3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0]
    strided = make_operation("avg_pool_3x3", 1, 1, stride=2, settings=SETTINGS)
    assert strided(ramp(1, 1, 3, 3)).flatten().tolist() == [3.0, 4.0, 6.0, 7.0]
    # 4x4: no zeros before the map, so the first window is rows and columns 0..2 and the last 2..3.
    assert strided(ramp(1, 1, 4, 4)).flatten().tolist() == [6.0, 7.5, 12.0, 13.5]
    counting = make_operation("avg_pool_3x3", 1, 1, stride=2, settings=SETTINGS._replace(count_padding=True))
    assert torch.allclose(counting(ramp(1, 1, 4, 4)).flatten(), torch.tensor([54.0, 45.0, 72.0, 54.0]) / 9)


def test_max_pool_ignores_padding() -> None:
    strided = make_operation("max_pool_3x3", 1, 1, stride=2, settings=SETTINGS)
    assert strided(-ramp(1, 1, 4, 4)).flatten().tolist() == [-1.0, -3.0, -9.0, -11.0]


@pytest.mark.parametrize(("kernel", "size"), [(3, 8), (3, 7), (5, 8), (7, 8), (7, 5), (5, 4)])
def test_pools_of_any_size_equal_explicit_padding(kernel: int, size: int) -> None:
    torch.manual_seed(0)
    image = torch.randn(1, 2, size, size + 1)
    padding = (*same_padding(size + 1, kernel, 2), *same_padding(size, kernel, 2))
    name: Operation = f"max_pool_{kernel}x{kernel}"  # type: ignore[assignment]
    expected = F.max_pool2d(F.pad(image, padding, value=float("-inf")), kernel, 2)
    assert torch.equal(make_operation(name, 2, 2, stride=2, settings=SETTINGS)(image), expected)


def test_separable_convolution_is_applied_twice() -> None:
    # Ones everywhere: depthwise sums the window, pointwise sums the two channels, and that happens twice.
    operation = fill(make_operation("separable_3x3", 2, 2, stride=2, settings=SETTINGS), 1.0)
    # 4x4 of ones with stride 2: windows of 9, 6, 6, 4 pixels, twice for two channels, then 3x3 over the whole 2x2 map.
    assert torch.equal(operation(torch.ones(1, 2, 4, 4)), torch.full((1, 2, 2, 2), 2.0 * (18 + 12 + 12 + 8)))
    assert [layer.stride for layer in operation if isinstance(layer, SameConv2d)] == [(2, 2), (1, 1)]
    # A negative first half is rectified before the second, though its end is not.
    operation.pointwise1.weight.data.fill_(-1.0)
    assert not operation(torch.ones(1, 2, 4, 4)).any()
    operation.pointwise1.weight.data.fill_(1.0)
    operation.pointwise2.weight.data.fill_(-1.0)
    assert (operation(torch.ones(1, 2, 4, 4)) < 0).all()


def test_separable_convolution_changes_channels_in_its_first_half() -> None:
    operation = make_operation("separable_7x7", 96, 42, stride=2, settings=SETTINGS)
    shapes = [tuple(layer.weight.shape) for layer in operation if isinstance(layer, nn.Conv2d)]
    assert shapes == [(96, 1, 7, 7), (42, 96, 1, 1), (42, 1, 7, 7), (42, 42, 1, 1)]


def test_one_by_seven_then_seven_by_one() -> None:
    operation = fill(make_operation("conv_1x7_7x1", 4, 4, stride=1, settings=SETTINGS), 1.0)
    image = torch.zeros(1, 4, 9, 9)
    image[0, 0, 4, 4] = 2.0
    # The bottleneck has 4 / 4 = 1 channel; a pixel spreads over 7 columns, then over 7 rows.
    expected = torch.zeros(9, 9)
    expected[1:8, 1:8] = 2.0
    assert torch.equal(operation(image)[0, 3], expected)
    strided = make_operation("conv_1x7_7x1", 8, 8, stride=2, settings=SETTINGS)
    assert strided.filter1x7.conv.stride == (1, 2)
    assert strided.filter7x1.conv.stride == (2, 1)


def test_dilated_separable_reaches_two_pixels_per_half() -> None:
    operation = fill(make_operation("dilated_separable_3x3", 1, 1, stride=1, settings=SETTINGS), 1.0)
    image = torch.zeros(1, 1, 11, 11)
    image[0, 0, 5, 5] = 1.0
    expected = torch.zeros(11)
    expected[1:10:2] = torch.tensor([1.0, 2.0, 3.0, 2.0, 1.0]) * 3
    assert torch.equal(operation(image)[0, 0, 5], expected)


@pytest.mark.parametrize("size", [4, 5])
def test_factorized_reduction_reads_even_and_odd_pixels(size: int) -> None:
    layer = fill(FactorizedReduction(1, 3, SETTINGS), 1.0)
    even, first_odd, second_odd = layer(ramp(1, 1, size, size))[0]
    rows = ramp(size, size)
    assert torch.equal(even, rows[::2, ::2])
    shifted = F.pad(rows, (0, 1, 0, 1))[1:, 1:][::2, ::2]  # one pixel right and down, zeros beyond the edge
    assert torch.equal(first_odd, shifted)
    assert torch.equal(second_odd, shifted)  # an odd width gives the larger half to the odd pixels


def test_a_cell_adds_and_concatenates_its_states() -> None:
    torch.manual_seed(0)
    row = CellRow(SMALL, filters=4, stride=1, back=1)
    cell = Cell(row, 6, 8, previous_stride=2, drop_path=0.0, settings=OpSettings()).eval()
    current, previous = torch.randn(2, 6, 5, 5).relu(), torch.randn(2, 8, 9, 9).relu()
    state0, state1 = cell.base(current), cell.adapt(previous)
    separable, identity, average, maximum = (path.operation for path in cell.paths)
    assert isinstance(identity, nn.Identity)
    state2 = separable(state0.relu()) + state1
    expected = (average(state2) + maximum(state0)).relu()
    assert torch.equal(cell(current, previous), expected)


def test_a_concatenated_input_is_brought_to_the_cells_shape() -> None:
    row = CellRow(REDUCING, filters=4, stride=2, back=1)
    cell = Cell(row, 6, 8, previous_stride=1, drop_path=0.0, settings=OpSettings())
    assert isinstance(cell.fit["1"], FactorizedReduction)
    assert cell(torch.randn(2, 6, 5, 5), torch.randn(2, 8, 5, 5)).shape == (2, 8, 3, 3)


def longest_path(network: CellNetwork) -> int:
    """Convolutions and linear layers on the longest way from the image to the logits."""

    def convolutions(module: nn.Module) -> int:
        if isinstance(module, FactorizedReduction):
            return 1  # its two convolutions stand side by side
        return sum(isinstance(layer, nn.Conv2d) for layer in module.modules())

    _, *cells = network.features.children()
    outputs = [1]
    for cell, back in zip(cells, network.features.back, strict=True):
        states = [outputs[-1] + convolutions(cell.base), outputs[-1 - back] + convolutions(cell.adapt)]
        for number, pair in enumerate(cell.sources):
            paths = cell.paths[2 * number : 2 * number + 2]
            states.append(max(states[source] + convolutions(path) for source, path in zip(pair, paths, strict=True)))
        for state, layer in cell.fit.items():
            states[int(state)] += convolutions(layer)
        outputs.append(max(states[state] for state in cell.concat))
    return outputs[-1] + 1


@pytest.mark.parametrize(
    ("build", "repeats", "width", "layers"),
    [
        (nasnet_a, 4, 1056, 98),
        (nasnet_a, 6, 4032, 128),
        (cifar_nasnet_a, 6, 768, 110),
        (cifar_nasnet_a, 7, 2304, 125),
        (amoebanet_a, 6, 190, 115),
        (cifar_amoebanet_a, 6, 32, 102),
        (cifar_amoebanet_a, 3, 24, 57),
    ],
)
@pytest.mark.slow
def test_depth_of_the_papers_nets(build: Callable[..., CellNetwork], repeats: int, width: int, layers: int) -> None:
    with on_meta():
        assert longest_path(build(repeats, width)) == layers


def test_drop_path_grows_with_depth_and_spares_identities() -> None:
    rows = plan_cells(SMALL, REDUCING, 2, 8, stem="imagenet")
    network = CellNetwork(rows, stem="imagenet", stem_width=4, drop_path=0.5, num_classes=3)
    cells = list(network.features.children())[1:]
    for number, cell in enumerate(cells, start=1):
        for path, name in zip(
            cell.paths, [op for block in rows[number - 1].genome.blocks for op in block[::2]], strict=True
        ):
            assert isinstance(path.drop_path, nn.Identity if name == "identity" else StochasticDepth)
            if name != "identity":
                assert path.drop_path.rate == pytest.approx(0.5 * number / len(cells))


def test_plan_of_the_papers() -> None:
    rows = plan_cells(SMALL, REDUCING, 2, 8, stem="imagenet", skip_reduction=True)
    assert [row.filters for row in rows] == [2, 4, 8, 8, 16, 16, 16, 32, 32, 32]
    assert [row.stride for row in rows] == [2, 2, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [row.back for row in rows] == [0, 1, 1, 1, 1, 2, 1, 1, 2, 1]
    assert [row.back for row in plan_cells(SMALL, REDUCING, 2, 8, stem="small")] == [0, 1, 1, 1, 1, 1, 1, 1]
    with pytest.raises(ValueError, match="filters >= 4, got repeats=1, filters=3"):
        plan_cells(SMALL, REDUCING, 1, 3, stem="imagenet")


def test_auxiliary_head_keeps_the_papers_map_and_averages_others() -> None:
    head = CellAuxiliaryHead(6, AuxiliarySpec(4, 8, 4), 3, OpSettings()).eval()
    image = torch.randn(2, 6, 14, 14)
    assert torch.equal(head.resize(head.pool(image)), head.pool(image))
    assert head(torch.randn(2, 6, 5, 5)).shape == (2, 3)
    with pytest.raises(ValueError, match="at least 5x5, got 4x6"):
        head(torch.randn(2, 6, 4, 6))
