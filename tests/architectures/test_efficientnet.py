"""EfficientNet has the published counts; it equals timm's (TensorFlow padding) and torchvision's (symmetric)."""

import pytest
import torch
import torchvision
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.efficientnet import SCALES, efficientnet
from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta

SLOW = [pytest.param(f"b{number}", marks=pytest.mark.slow) for number in range(1, 8)]


@pytest.mark.parametrize(
    ("variant", "side", "params", "madds"),
    [  # architectures.json: timm 1.0.31 tf_efficientnet_*, equal to torchvision 0.29.1
        ("b0", 224, 5_288_548, 385_814_752),
        *slow(
            ("b1", 240, 7_794_184, 686_802_832),
            ("b2", 260, 9_109_994, 993_561_872),
            ("b3", 300, 12_233_232, 1_827_141_392),
            ("b4", 380, 19_341_616, 4_393_771_024),
            ("b5", 456, 30_389_784, 10_266_384_752),
            ("b6", 528, 43_040_704, 19_067_593_536),
            ("b7", 600, 66_347_960, 37_745_884_192),
        ),
    ],
)
@pytest.mark.parametrize("padding", ["tensorflow", "symmetric"])
def test_counts(variant: str, side: int, params: int, madds: int, padding: str) -> None:
    with on_meta():
        assert count(efficientnet(variant, padding=padding), side) == (params, madds)


@pytest.mark.parametrize("variant", ["b0", *SLOW])
@pytest.mark.parametrize("side", [pytest.param(64, marks=pytest.mark.slow), 75])  # 75 halves to odd and even maps
def test_equals_timm(variant: str, side: int) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model(f"tf_efficientnet_{variant}")
    ours = efficientnet(variant, dropout=0.0, drop_path=0.0, norm_momentum=0.1)
    assert largest_difference(ours, theirs, side) <= 1e-9


@pytest.mark.parametrize("variant", ["b0", *SLOW])
def test_symmetric_padding_equals_torchvision(variant: str) -> None:
    """torchvision keeps torch's batch-norm constants in B0 to B4 and has the paper's from B5 on."""
    theirs = getattr(torchvision.models, f"efficientnet_{variant}")(dropout=0.0, stochastic_depth_prob=0.0)
    eps, momentum = (1e-5, 0.1) if variant < "b5" else (1e-3, 0.01)
    ours = efficientnet(variant, dropout=0.0, drop_path=0.0, padding="symmetric", norm_eps=eps, norm_momentum=momentum)
    assert largest_difference(ours, theirs, 64) <= 1e-9


def test_paddings_differ_at_even_sizes_only() -> None:
    x = torch.randn(1, 3, 64, 64)
    networks = [efficientnet("b0", padding=padding).eval() for padding in ("tensorflow", "symmetric")]
    networks[1].load_state_dict(networks[0].state_dict())
    assert not torch.allclose(networks[0].features.stem(x), networks[1].features.stem(x))
    x = torch.randn(1, 3, 65, 65)
    assert torch.equal(networks[0].features.stem(x), networks[1].features.stem(x))


def test_stages_are_the_rows_of_the_table() -> None:
    with on_meta():
        network = efficientnet("b0").eval()
        maps = network.stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (16, 112, 112), (24, 56, 56), (40, 28, 28), (80, 14, 14), (112, 14, 14), (192, 7, 7), (320, 7, 7), (1280, 7, 7)
    ]  # fmt: skip
    assert list(dict(network.features.named_children())) == ["stem", *(f"stage{number}" for number in range(2, 10))]


@pytest.mark.slow
def test_rates_and_norm_constants_are_the_papers() -> None:
    network = efficientnet("b0")
    rates = [module.rate for module in network.modules() if isinstance(module, StochasticDepth)]
    assert rates == pytest.approx([0.2 * block / 16 for block in range(16)])
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}
    dropouts = []
    for variant in SCALES:
        with on_meta():
            dropouts += [module.rate for module in efficientnet(variant).modules() if isinstance(module, Dropout)]
    assert dropouts == [0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5]


@pytest.mark.parametrize("stem", ["imagenet", "small"])
def test_every_parameter_learns(stem: str) -> None:
    network = efficientnet("b0", num_classes=7, in_channels=1, dropout=0.0, drop_path=0.0, stem=stem)
    assert_trainable(network, 32, in_channels=1)


def test_small_stem_keeps_the_resolution() -> None:
    with on_meta():
        network = efficientnet("b0", stem="small").eval()
        assert network.forward_features(torch.empty(1, 3, 32, 32)).shape == (1, 1280, 2, 2)


@pytest.mark.parametrize("padding", ["tensorflow", "symmetric"])
def test_one_pixel_is_enough(padding: str) -> None:
    network = efficientnet("b0", padding=padding)
    assert network.smallest_input == 1
    assert network.eval()(torch.randn(1, 3, 1, 1)).isfinite().all()
    assert network.train()(torch.randn(2, 3, 1, 1)).isfinite().all()
