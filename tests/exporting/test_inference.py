"""A network made faster computes what it did."""

import pytest
import torch
from torch import nn

from lit_cnn.exporting.compiling import CompiledNetwork
from lit_cnn.exporting.inference import faster_network


@pytest.mark.parametrize("with_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
@torch.no_grad()
def test_the_copy_has_no_batch_norms_and_the_same_logits(with_compile: bool) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 5)).eval()
    faster = faster_network(network, (4, 3, 8, 8), with_compile=with_compile)
    assert isinstance(faster, CompiledNetwork) == with_compile
    assert not [module for module in faster.modules() if isinstance(module, nn.BatchNorm2d)]
    images = torch.randn(3, 3, 8, 8)
    torch.testing.assert_close(faster(images), network(images), rtol=1e-4, atol=1e-5)
