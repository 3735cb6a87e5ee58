"""Counts from rows alone are those of the networks that the rows build."""

import random

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lit_cnn.architectures import efficientnet
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.chain_counts import count_chain
from lit_cnn.architectures.chain_text import format_chain
from lit_cnn.architectures.layers.mbconv import Stage
from lit_cnn.architectures.mbconv_chain import mbconv_chain
from lit_cnn.architectures.meta import on_meta, run_on_meta


def random_row(draws: random.Random) -> Stage:
    block = draws.choice(("mbconv", "fused", "identity"))
    squeeze = draws.choice((0.0, 0.25)) if block == "mbconv" else 0.0
    sizes = draws.choice((1, 3, 6)), draws.choice((1, 3, 5)), draws.choice((1, 2)), draws.choice((3, 8, 24))
    return Stage(block, *sizes, draws.choice((1, 2)), squeeze, draws.choice(("identity", "none")))


@pytest.mark.parametrize("seed", range(10))
def test_two_random_rows_have_the_counts_of_their_network(seed: int) -> None:
    draws = random.Random(seed)
    rows = random_row(draws), random_row(draws)
    stem, side = draws.choice(("small", "imagenet")), draws.choice((16, 21))
    widths = {"stem_width": 8, "final_width": 20}
    with on_meta():
        network = mbconv_chain(format_chain(rows), **widths, stem=stem, num_classes=7, in_channels=2).eval()
    with FlopCounterMode(display=False) as counter:
        run_on_meta(network, torch.empty(1, 2, side, side, device="meta"))
    found = count_chain(rows, side, **widths, stem=stem, num_classes=7, in_channels=2)
    assert found.params == sum(parameter.numel() for parameter in network.parameters())
    assert found.madds == counter.get_total_flops() // 2


def test_efficientnet_b0_has_the_catalogs_counts() -> None:
    entry = find_entry("efficientnet_b0")
    found = count_chain(efficientnet.STAGES, entry.image_size, stem_width=32, final_width=1280)
    assert found == (entry.params, entry.madds)
