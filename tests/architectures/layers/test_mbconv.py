"""Mobile inverted bottlenecks: structure, shortcut, initialization."""

import math

import pytest
import torch
from torch import nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.layers.mbconv import ConvStyle, FusedMBConv, MBConv, Stage, init_efficientnet
from lit_cnn.architectures.layers.squeeze_excite import SqueezeExcite

STYLE = ConvStyle("tensorflow", 1e-3, 0.01, "silu")


def test_mbconv_has_the_papers_layers() -> None:
    block = MBConv(16, Stage("mbconv", 6, 5, 2, 24, 1, 0.25), 2, drop_path=0.0, style=STYLE)
    convs = [
        (module.in_channels, module.out_channels, module.kernel_size[0], module.groups)
        for module in block.modules()
        if isinstance(module, nn.Conv2d)
    ]
    assert convs == [(16, 96, 1, 1), (96, 96, 5, 96), (96, 4, 1, 1), (4, 96, 1, 1), (96, 24, 1, 1)]
    assert block(torch.randn(2, 16, 9, 8)).shape == (2, 24, 5, 4)


def test_expansion_one_has_no_first_convolution() -> None:
    block = MBConv(16, Stage("mbconv", 1, 3, 1, 16, 1, 0.0), 1, drop_path=0.0, style=STYLE)
    assert isinstance(block.expand, nn.Identity)
    assert not any(isinstance(module, SqueezeExcite) for module in block.modules())


@pytest.mark.parametrize("expansion", [1, 4])
def test_fused_block(expansion: int) -> None:
    block = FusedMBConv(8, Stage("fused", expansion, 3, 2, 16, 1, 0.0), 2, drop_path=0.0, style=STYLE)
    convs = [module for module in block.modules() if isinstance(module, nn.Conv2d)]
    assert [(conv.out_channels, conv.kernel_size[0]) for conv in convs] == {1: [(16, 3)], 4: [(32, 3), (16, 1)]}[
        expansion
    ]
    assert block(torch.randn(2, 8, 6, 6)).shape == (2, 16, 3, 3)


@pytest.mark.parametrize("block", [MBConv, FusedMBConv])
def test_shortcut_only_where_the_shape_stays(block: type) -> None:
    row = Stage("mbconv", 4, 3, 1, 8, 1, 0.0)
    x = torch.randn(2, 8, 6, 6)
    same = block(8, row, 1, drop_path=0.0, style=STYLE).eval()
    nn.init.zeros_(same.project.norm.weight)
    assert torch.equal(same(x), x)
    assert not block(8, row, 2, drop_path=0.0, style=STYLE).skip
    assert not block(16, row, 1, drop_path=0.0, style=STYLE).skip


def test_activations() -> None:
    assert isinstance(STYLE.conv(2, 2, 1).activation, nn.SiLU)
    assert isinstance(ConvStyle("symmetric", 1e-5, 0.1, "relu6").conv(2, 2, 1).activation, nn.ReLU6)
    assert len(STYLE.conv(2, 2, 1, linear=True)) == 2


def test_initialization_counts_the_outputs_of_one_group() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(512, 512, 5, groups=512, bias=False), nn.Conv2d(64, 128, 3), nn.Linear(512, 2500))
    init_efficientnet(net)
    depthwise, full, linear = (layer.weight.detach() for layer in net)
    assert float(depthwise.std()) == pytest.approx((2 / 25) ** 0.5, rel=0.03)
    assert float(full.std()) == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.03)
    assert float(linear.abs().max()) == pytest.approx(0.02, rel=0.01)
    assert not net[1].bias.any()
    assert not net[2].bias.any()


@pytest.mark.slow
def test_few_classes_begin_with_the_loss_of_guessing() -> None:
    torch.manual_seed(0)
    network = create_model("efficientnet_lite0", num_classes=5).train()
    with torch.no_grad():
        logits = network(torch.randn(16, 3, 64, 64))
    loss = torch.nn.functional.cross_entropy(logits, torch.arange(16) % 5)
    assert float(loss) == pytest.approx(math.log(5), abs=0.2)
