"""GoogLeNet has the counts of the paper's net; with torchvision's choices it computes what torchvision's does."""

import pytest
import torch
import torchvision
from gradients import assert_all_learn, assert_trainable, smooth_activations
from ordered_copy import assert_smallest_input, count, largest_difference, pair, randomize, relative_difference

from lit_cnn.architectures.googlenet import (
    BLOCKS,
    AuxiliaryHead,
    GoogLeNet,
    GoogLeNetOutput,
    Inception,
    NaiveInception,
    Widths,
    googlenet,
)
from lit_cnn.architectures.meta import on_meta

TORCHVISION = {"batch_norm": True, "branch_kernel": 3, "last_pool": 2, "aux_pool": "adaptive"}


def theirs(aux_logits: bool) -> torchvision.models.GoogLeNet:
    return torchvision.models.GoogLeNet(aux_logits=aux_logits, init_weights=False, dropout=0.0, dropout_aux=0.0)


def test_counts() -> None:
    with on_meta():
        assert count(googlenet(), 224) == (6_998_552, 1_582_671_872)  # architectures.json: BVLC Caffe's prototxt
        network = googlenet(**TORCHVISION)
        assert count(network, 224) == (6_624_904, 1_498_376_192)  # architectures.json: torchvision 0.29.1


def test_counts_with_auxiliary_heads() -> None:
    with on_meta():
        network = googlenet(aux_heads=True)
        params, madds = count(network, 224)
        heads = [count(head, 14, channels)[1] for head, channels in ((network.aux1, 512), (network.aux2, 528))]
        assert (params, madds + sum(heads)) == (13_378_280, 1_591_044_096)  # architectures.json: BVLC Caffe
        network = googlenet(aux_heads=True, **TORCHVISION)
        assert count(network, 224)[0] == 13_004_888  # architectures.json: torchvision 0.29.1


NAIVE_WIDTHS = (192, 416, 832, 1280, 1728, 2176, 2640, 3344, 4048, 4944)
"""Input of block 3a, and outputs of 3a to 5b: the input's channels and those of 1x1, 3x3 and 5x5 in Table 1."""


def test_counts_of_the_naive_blocks_by_hand() -> None:
    stem_params = 49 * 3 * 64 + 64 + 64 * 64 + 64 + 9 * 64 * 192 + 192
    stem_madds = 49 * 3 * 64 * 112**2 + (64 * 64 + 9 * 64 * 192) * 56**2
    params, madds = stem_params + 4944 * 1000 + 1000, stem_madds + 4944 * 1000
    rows, sides = [row for stage in BLOCKS.values() for row in stage], [28] * 2 + [14] * 5 + [7] * 2
    for row, channels, out_channels, side in zip(rows, NAIVE_WIDTHS, NAIVE_WIDTHS[1:], sides, strict=False):
        assert out_channels == channels + row.point + row.filter3 + row.filter5
        kernels = channels * (row.point + 9 * row.filter3 + 25 * row.filter5)
        params += kernels + row.point + row.filter3 + row.filter5
        madds += kernels * side**2
    assert (params, madds) == (97_526_008, 12_568_061_056)
    with on_meta():
        network = googlenet(inception="naive")
        assert count(network, 224) == (params, madds)
        assert [stage.channels for stage in network.feature_info] == [832, 3344, 4944]


def test_naive_block_is_figure_2a() -> None:
    block = NaiveInception(2, Widths(1, 9, 3, 9, 5, 9), branch_kernel=5, batch_norm=False)
    x = torch.randn(1, 2, 6, 6)
    with torch.no_grad():
        y = block(x)
    assert y.shape == (1, 1 + 3 + 5 + 2, 6, 6) == (1, block.out_channels, 6, 6)
    torch.testing.assert_close(y[:, 9:], torch.nn.functional.max_pool2d(x, 3, 1, 1))
    torch.testing.assert_close(
        y[:, 4:9], torch.nn.functional.conv2d(x, *block.filter5.conv.parameters(), padding=2).relu()
    )


def test_counts_with_a_fully_connected_head_by_hand() -> None:
    """The linear layer reads 49 positions instead of one."""
    added = 48 * 1024 * 1000
    with on_meta():
        assert count(googlenet(head="fully_connected"), 224) == (6_998_552 + added, 1_582_671_872 + added)
        assert count(googlenet(head="fully_connected", **TORCHVISION), 224)[0] == 6_624_904 + added


def test_fully_connected_head_reads_every_position() -> None:
    head = googlenet(num_classes=3, head="fully_connected").head.eval()
    x = torch.randn(2, 1024, 7, 7)
    torch.testing.assert_close(head(x), head.classifier(x.flatten(1)))
    assert head.dropout.rate == 0.4
    with on_meta():
        small = googlenet(num_classes=3, head="fully_connected", stem="small").eval()
        assert small.forward_features(torch.empty(1, 3, 32, 32)).shape[2:] == (8, 8)
        assert small.num_features == 1024 * 64


@pytest.mark.parametrize("aux_heads", [False, True])
def test_auxiliary_heads_read_the_naive_blocks(aux_heads: bool) -> None:
    with on_meta():
        network = googlenet(inception="naive", aux_heads=aux_heads, stem="small").train()
        output = network(torch.empty(2, 3, 32, 32))
    assert isinstance(output, GoogLeNetOutput) == aux_heads
    if aux_heads:
        assert [head.project.conv.in_channels for head in (network.aux1, network.aux2)] == [1280, 2640]


def test_a_ninth_of_alexnets_parameters() -> None:
    alexnet, ours = 60_965_224, 6_998_552
    assert round(alexnet / ours) == 9


def test_parameters_of_block_3a_by_hand() -> None:
    block = googlenet().features.stage3.a
    branches = [block.point, block.filter3, block.filter5, block.pool]
    assert [sum(parameter.numel() for parameter in branch.parameters()) for branch in branches] == [
        192 * 64 + 64,
        192 * 96 + 96 + 96 * 128 * 9 + 128,
        192 * 16 + 16 + 16 * 32 * 25 + 32,
        192 * 32 + 32,
    ]


def test_equals_torchvision() -> None:
    ours = googlenet(dropout=0.0, **TORCHVISION)
    assert largest_difference(ours, theirs(aux_logits=False), 96) <= 1e-9


def test_auxiliary_heads_equal_torchvision() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 96, 96, dtype=torch.float64, generator=generator)
    ours, reference = googlenet(dropout=0.0, aux_dropout=0.0, aux_heads=True, **TORCHVISION), theirs(aux_logits=True)
    ours, reference = ours.double(), reference.double()
    randomize(reference, generator)
    pairs = pair(ours, reference, x)
    side = {"aux1": torch.randn(2, 512, 6, 6).double(), "aux2": torch.randn(2, 528, 6, 6).double()}
    for name, features in side.items():
        pairs += pair(ours.get_submodule(name), reference.get_submodule(name), features)
    assert {id(value) for value, _ in pairs} >= {id(parameter) for parameter in ours.parameters()}
    with torch.no_grad():
        for value, other in pairs:
            value.copy_(other)
    outputs, expected = ours.train()(x), reference.train()(x)
    expected = (expected.logits, expected.aux_logits1, expected.aux_logits2)
    for result in (outputs, expected):
        (result[0].sum() + 0.3 * result[1].square().sum() + 0.3 * result[2].square().sum()).backward()
    differences = [relative_difference(mine, other) for mine, other in zip(outputs, expected, strict=True)]
    differences += [relative_difference(value.grad, other.grad) for value, other in pairs if value.grad is not None]
    assert len(differences) == 3 + len(list(ours.parameters()))
    assert max(differences) <= 1e-9


@pytest.mark.slow
def test_auxiliary_heads_answer_in_training_only() -> None:
    network = googlenet(num_classes=7, aux_heads=True)
    x = torch.randn(2, 3, 96, 96)
    output = network.train()(x)
    assert isinstance(output, GoogLeNetOutput)
    assert [tuple(logits.shape) for logits in output] == [(2, 7)] * 3
    logits = network.eval()(x)
    assert isinstance(logits, torch.Tensor)
    assert torch.equal(logits, network.head(network.features(x)))
    assert isinstance(googlenet(num_classes=7).train()(x), torch.Tensor)


def test_auxiliary_logits_come_from_blocks_4a_and_4d() -> None:
    network = googlenet(num_classes=7, aux_heads=True, dropout=0.0, aux_dropout=0.0).train()
    x = torch.randn(2, 3, 96, 96)
    output = network(x)
    stage = network.features.stage4
    block_a = stage.a(stage.pool(network.features.stage3(network.features.stem(x))))
    torch.testing.assert_close(output.aux1, network.aux1(block_a))
    torch.testing.assert_close(output.aux2, network.aux2(stage.d(stage.c(stage.b(block_a)))))


def test_papers_auxiliary_pool() -> None:
    head = AuxiliaryHead(2, 5, pool="5x5", dropout=0.7, batch_norm=False)
    x = torch.randn(1, 2, 14, 14)
    pooled = head.pool(head.average(x))
    assert pooled.shape == (1, 2, 4, 4)
    torch.testing.assert_close(pooled[0, 1, 2, 3], x[0, 1, 6:11, 9:14].mean())
    assert head.dropout.rate == 0.7


@pytest.mark.parametrize("kernel", [3, 5])
def test_widest_branch_sees_its_kernel(kernel: int) -> None:
    block = Inception(2, Widths(1, 2, 3, 4, 5, 6), branch_kernel=kernel, batch_norm=False).double()
    x = torch.randn(1, 2, 9, 9, dtype=torch.float64, requires_grad=True)
    y = block(x)
    assert y.shape == (1, 1 + 3 + 5 + 6, 9, 9)
    block.filter5[1].conv(block.filter5[0].conv(x))[0, :, 4, 4].sum().backward()
    seen = x.grad.abs().sum((0, 1)).nonzero()
    assert seen.min() == 4 - kernel // 2
    assert seen.max() == 4 + kernel // 2
    torch.testing.assert_close(y[:, 4:9], block.filter5(x))


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = googlenet().eval()
        x = torch.empty(1, 3, 224, 224)
        maps = [network.features.stem(x), *network.stages(x)]
    assert [tuple(x.shape[1:]) for x in maps] == [(192, 28, 28), (480, 28, 28), (832, 14, 14), (1024, 7, 7)]


@pytest.mark.parametrize(
    ("options", "side"),
    [({}, 31), ({"last_pool": 2}, 15), ({"stem": "small"}, 4), ({"stem": "small", "last_pool": 2}, 2)],
)
def test_smallest_input(options: dict[str, str | int], side: int) -> None:
    with on_meta():
        assert googlenet(**options).smallest_input == side
        assert_smallest_input(googlenet(**options))


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 79), ("small", 10)])
def test_smallest_input_with_auxiliary_heads(stem: str, side: int) -> None:
    with on_meta():
        network = googlenet(stem=stem, aux_heads=True).train()
        assert network.smallest_input == side
        assert network(torch.empty(2, 3, side, side)).aux2.shape == (2, 1000)
        with pytest.raises(ValueError, match=f"at least {side}x{side}"):
            network(torch.empty(2, 3, side - 1, side - 1))
        network.smallest_input = 1
        with pytest.raises(RuntimeError):
            network(torch.empty(2, 3, side - 1, side - 1))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stem": "small"},
        {"batch_norm": True, "response_norm": "none"},
        {"inception": "naive"},
        {"head": "fully_connected"},
    ],
)
@pytest.mark.slow
def test_every_parameter_learns(options: dict[str, str | bool]) -> None:
    assert_trainable(googlenet(num_classes=7, in_channels=1, **options), 48, in_channels=1)


@pytest.mark.slow
def test_auxiliary_heads_learn() -> None:
    network: GoogLeNet = googlenet(num_classes=7, aux_heads=True)
    with smooth_activations():
        output = network.train()(torch.randn(2, 3, 96, 96))
    sum((logits * torch.randn(logits.shape)).sum() for logits in output).backward()
    assert_all_learn(network)


def test_initialization_of_the_caffe_net() -> None:
    network = googlenet(aux_heads=True)
    conv = network.features.stage4.e.filter3[1].conv
    assert conv.weight.detach().abs().max().item() == pytest.approx((3 / (160 * 9)) ** 0.5, rel=0.01)
    assert conv.bias.eq(0.2).all()
    assert network.aux1.hidden.bias.eq(0.2).all()
    assert not network.head.classifier.bias.any()
    assert not network.aux2.classifier.bias.any()
