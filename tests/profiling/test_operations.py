from collections import Counter

import pytest
import torch
from torch import nn

from lit_cnn.architectures import create_model
from lit_cnn.architectures.cells import Cell
from lit_cnn.architectures.meta import on_meta
from lit_cnn.profiling.operations import instances_of, operations_of, structure_of


def network_of(name: str, **options) -> nn.Module:
    with on_meta():
        return create_model(name, **options)


def kinds(counts: Counter) -> Counter[str]:
    found: Counter[str] = Counter()
    for operation, number in counts.items():
        found[operation.name.split(",")[0].split(" ")[0]] += number
    return found


def test_a_residual_network_is_its_stem_blocks_and_head() -> None:
    operations = operations_of(network_of("cifar_resnet20"), 32)
    assert kinds(operations) == {"ConvNormAct": 1, "ResidualBlock": 9, "GlobalPoolHead": 1}
    assert sorted(operations.values()) == [1, 1, 1, 1, 2, 2, 3]  # blocks of one shape and structure are one operation


def test_a_deeper_network_of_the_same_blocks_has_the_same_operations() -> None:
    assert (
        operations_of(network_of("cifar_resnet32"), 32).keys() == operations_of(network_of("cifar_resnet20"), 32).keys()
    )


def test_rates_change_no_operation_but_widths_and_image_sizes_do() -> None:
    plain = operations_of(network_of("cifar_resnet20"), 32)
    assert operations_of(network_of("cifar_resnet20", drop_path=0.3, dropout=0.5), 32) == plain
    assert not operations_of(network_of("cifar_resnet20", widths=(8, 16, 24)), 32).keys() & plain.keys()
    assert operations_of(network_of("cifar_resnet20"), 40).keys() & plain.keys() == set()


def test_kernel_stride_bias_and_activation_are_in_the_structure() -> None:
    first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    others = [
        nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU()),
        nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU()),
        nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU()),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU()),
    ]
    assert len({structure_of(each) for each in (first, *others)}) == 5
    assert structure_of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))) == structure_of(first)
    assert structure_of(nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)) == structure_of(nn.BatchNorm2d(4))


@pytest.mark.slow
def test_sums_and_concatenations_of_cells_are_operations() -> None:
    network = network_of("amoebanet_a_proxy_n3_f24")
    cells = [module for module in network.modules() if isinstance(module, Cell)]
    found = kinds(operations_of(network, 32))
    assert found["Add"] == sum(len(cell.sources) for cell in cells)
    assert found["Concatenate"] == len(cells)
    assert found["Rectify"] == sum(len(cell.rectified) for cell in cells)
    assert found["DroppableOp"] == sum(len(cell.paths) for cell in cells)


def test_instances_come_in_order_and_compute_what_the_network_does() -> None:
    network = create_model("cifar_resnet8")
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        instances, x = instances_of(network, images), images
        for instance in instances:
            assert tuple(x.shape[1:]) in instance.operation.inputs
            x = instance.module(x)
        assert torch.equal(x, network(images))
    assert not any(module._forward_hooks for module in network.modules())
