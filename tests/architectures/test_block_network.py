"""Each kind of block is that of its paper, with the stage's width and stride."""

import pytest
import torch
from torch import nn

import lit_cnn
from lit_cnn.architectures.block_network import block_network, inception_widths, make_block
from lit_cnn.architectures.block_text import KINDS, BlockStage, Kind
from lit_cnn.architectures.googlenet import BLOCKS, Inception
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.resnet import cifar_resnet


def convolutions(block: nn.Module) -> list[tuple[int, int, int, int]]:
    """In and out channels, kernel and groups."""
    return [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.groups)
        for layer in block.modules()
        if isinstance(layer, nn.Conv2d)
    ]


LAYERS = {
    "plain": [(16, 32, 3, 1), (32, 32, 3, 1)],
    "residual": [(16, 32, 3, 1), (32, 32, 3, 1), (16, 32, 1, 1)],
    "bottleneck": [(16, 8, 1, 1), (8, 8, 3, 1), (8, 32, 1, 1), (16, 32, 1, 1)],
    "inception": [(16, 8, 1, 1), (16, 12, 1, 1), (12, 16, 3, 1), (16, 2, 1, 1), (2, 4, 5, 1), (16, 4, 1, 1)],
    "separable": [(16, 16, 3, 16), (16, 32, 1, 1)],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_has_its_papers_convolutions_and_the_stages_shape(kind: Kind, stride: int) -> None:
    block = make_block(16, BlockStage(kind, 32, stride, 1), stride, drop_path=0.0)
    assert convolutions(block) == LAYERS[kind]
    assert block(torch.randn(2, 16, 7, 6)).shape == (2, 32, -(-7 // stride), 6 // stride)


def test_inception_has_the_proportions_of_googlenets_first_block() -> None:
    assert inception_widths(256) == BLOCKS["stage3"][0]
    assert Inception(16, inception_widths(48), branch_kernel=5, batch_norm=True).out_channels == 48


def test_the_default_is_resnet_20_with_projections() -> None:
    with on_meta():
        ours, paper = block_network(), cifar_resnet(20, shortcut="projection")
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in paper.state_dict().items()
    }


def test_the_last_shortcut_has_the_stated_drop_path_and_linear_blocks_have_none() -> None:
    network = block_network("plain c8; residual c8 n2; bottleneck s2 c16", drop_path=0.4)
    assert network.features.stage4[0].drop_path.rate == pytest.approx(0.4)
    with pytest.raises(ValueError, match="no block has a shortcut, so stochastic depth cannot be used"):
        lit_cnn.create_model("block_network", blocks="plain c8; separable c8", drop_path=0.1)
