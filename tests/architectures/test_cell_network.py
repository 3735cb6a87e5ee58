"""A network of cells that are stated as text is the papers' network of the same cells."""

import pytest
import torch

import lit_cnn
from lit_cnn.architectures import amoebanet
from lit_cnn.architectures.amoebanet import cifar_amoebanet_a
from lit_cnn.architectures.cell_network import cell_network
from lit_cnn.architectures.cell_text import format_cell
from lit_cnn.architectures.cells import AuxiliaryOutput
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.nasnet import cifar_nasnet_a

SMALL = {"normal": "separable_3x3@0 + identity@1", "reduction": "max_pool_3x3@0 + conv_1x1@1", "repeats": 1}


@pytest.mark.slow
def test_stated_cells_give_the_papers_network_tensor_for_tensor() -> None:
    torch.manual_seed(0)
    paper = cifar_amoebanet_a(1, 4).eval()
    ours = cell_network(format_cell(amoebanet.NORMAL_CELL), format_cell(amoebanet.REDUCTION_CELL), 1, 4).eval()
    ours.load_state_dict(paper.state_dict())
    image = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(ours(image), paper(image))


def test_the_default_cells_are_nasnet_as() -> None:
    with on_meta():
        ours, paper = cell_network(repeats=1, filters=4), cifar_nasnet_a(1, 96)
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in paper.state_dict().items()
    }
    concats = [[cell.concat for cell in list(network.features)[1:]] for network in (ours, paper)]
    assert concats[0] == concats[1]


def test_the_auxiliary_head_answers_in_training() -> None:
    network = lit_cnn.create_model("cell_network", filters=4, aux_head=True, **SMALL).train()
    assert isinstance(network(torch.randn(2, 3, 32, 32)), AuxiliaryOutput)


def test_the_imagenet_stem_has_two_reduction_cells_more() -> None:
    small, large = (cell_network(filters=8, stem=stem, **SMALL) for stem in ("small", "imagenet"))
    assert len(large.features) == len(small.features) + 2
    assert large(torch.randn(2, 3, 64, 64)).shape == (2, 10)


@pytest.mark.parametrize("option", ["normal", "reduction"])
def test_a_wrong_cell_is_named(option: str) -> None:
    with pytest.raises(ValueError, match=f"the {option} cell: block 0 has the unknown operation 'sep'"):
        lit_cnn.create_model("cell_network", **{option: "sep@0 + identity@1"})
