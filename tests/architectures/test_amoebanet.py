"""AmoebaNet-A has the counts of the paper's cells; no other library has it, so stages are counted by hand."""

from collections.abc import Callable

import pytest
import torch
from gradients import assert_all_learn, smooth_activations
from ordered_copy import slow
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures.amoebanet import REDUCTION_CELL, amoebanet_a, cifar_amoebanet_a
from lit_cnn.architectures.cells import AuxiliaryOutput, CellNetwork, unused_states
from lit_cnn.architectures.meta import on_meta, run_on_meta


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("build", "side", "params", "madds"),
    [  # architectures.json and cells.md: rebuilt from tensorflow/tpu amoeba_net
        (lambda: amoebanet_a(6, 190), 331, 86_718_797, 23_133_663_507),
        *slow(
            (lambda: amoebanet_a(6, 190), 299, 86_718_797, 18_994_787_487),
            (lambda: amoebanet_a(6, 448), 331, 468_151_184, 126_520_757_776),
            (lambda: amoebanet_a(6, 448), 299, 468_151_184, 103_887_693_968),
            (lambda: cifar_amoebanet_a(6, 32), 32, 2_567_754, 407_671_808),
            (lambda: cifar_amoebanet_a(6, 36), 32, 3_218_266, 509_668_992),
            (lambda: cifar_amoebanet_a(3, 24), 32, 843_322, 139_349_760),
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


@pytest.mark.parametrize(("filters", "params"), [(190, 949_888), (448, 1_055_152)])  # cells.md
@pytest.mark.slow
def test_auxiliary_heads_to_the_unit(filters: int, params: int) -> None:
    with on_meta():
        assert count(amoebanet_a(6, filters, aux_head=True)) - count(amoebanet_a(6, filters)) == params


@pytest.mark.slow
def test_stages_of_f190_by_hand() -> None:
    """Cells of the second and third stack, from the paper's tables."""

    def separable(filters: int, kernel: int) -> int:
        return 2 * (filters * kernel**2 + filters**2 + 2 * filters)

    def conv(inputs: int, filters: int) -> int:
        return inputs * filters + 2 * filters

    def one_by_seven(filters: int) -> int:
        hidden = filters // 4
        return conv(filters, hidden) + 2 * (7 * hidden**2 + 2 * hidden) + conv(hidden, filters)

    with on_meta():
        network = amoebanet_a(6, 190).eval()
    cells = dict(network.features.named_children())
    for first, filters in ((9, 380), (16, 760)):
        inputs = 2 * filters  # 4 states of F / 2 channels
        reduction = 2 * conv(inputs, filters) + sum(separable(filters, k) for k in (3, 7, 3, 7)) + one_by_seven(filters)
        assert count(cells[f"cell{first}"]) == reduction
        normal = sum(separable(filters, k) for k in (3, 3, 5, 3))
        assert count(cells[f"cell{first + 1}"]) == conv(5 * filters, filters) + conv(inputs, filters) + normal
        assert count(cells[f"cell{first + 2}"]) == conv(4 * filters, filters) + conv(5 * filters, filters) + normal
        assert count(cells[f"cell{first + 3}"]) == 2 * conv(4 * filters, filters) + normal
    maps = run_on_meta(network.stages, torch.empty(1, 3, 331, 331, device="meta"))
    assert [tuple(stage.shape[1:]) for stage in maps] == [(235, 83, 83), (760, 42, 42), (1520, 21, 21), (3040, 11, 11)]


def test_reduction_returns_more_than_the_unused_states() -> None:
    assert unused_states(REDUCTION_CELL.blocks) == (3, 5, 6)
    assert REDUCTION_CELL.concat == (2, 3, 4, 5, 6)


@pytest.mark.parametrize("aux_head", [False, True])
def test_every_parameter_gets_a_gradient(aux_head: bool) -> None:
    torch.manual_seed(0)
    network = amoebanet_a(1, 10, num_classes=5, aux_head=aux_head, aux_kernel=4, dropout=0.0).train()
    with smooth_activations():
        output = network(torch.randn(4, 3, 96, 96))
    logits = sum(output) if aux_head else output
    logits.square().sum().backward()
    assert_all_learn(network)


def test_auxiliary_logits_in_training_only() -> None:
    network = cifar_amoebanet_a(1, 8, aux_head=True)
    output = network.train()(torch.randn(2, 3, 32, 32))
    assert isinstance(output, AuxiliaryOutput)
    assert isinstance(network.eval()(torch.randn(2, 3, 32, 32)), torch.Tensor)


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_contract_and_smallest_input(stem: str) -> None:
    network = amoebanet_a(1, 10, num_classes=5, in_channels=1, stem=stem).eval()
    for side in (3, 4, 33):
        image = torch.randn(1, 1, side, side)
        logits = network(image)
        assert logits.shape == (1, 5)
        assert logits.isfinite().all()
        maps = network.stages(image)
        assert torch.equal(logits, network.head(maps[-1]))
        assert len(maps) == (4 if stem == "imagenet" else 3)
    with pytest.raises(ValueError, match="at least 3x3 pixels"):
        network(torch.randn(1, 1, 2, 2))


def test_drop_path_of_the_last_cell_is_the_argument() -> None:
    network = cifar_amoebanet_a(1, 8, drop_path=0.3)
    *_, last = network.features.children()
    assert {path.drop_path.rate for path in last.paths if hasattr(path.drop_path, "rate")} == {0.3}
