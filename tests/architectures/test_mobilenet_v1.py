"""MobileNet has the paper's counts and computes what timm's does."""

import pytest
import torch
from gradients import assert_trainable
from ordered_copy import count, largest_difference, slow
from torch import nn

from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.mobilenet_v1 import mobilenet_v1, separable_conv


@pytest.mark.parametrize(
    ("width", "side", "params", "madds"),
    [  # architectures.json: timm 1.0.31
        (1.0, 224, 4_231_976, 568_740_352),
        *slow(
            (1.0, 192, 4_231_976, 418_121_728),
            (1.0, 160, 4_231_976, 290_675_200),
            (1.0, 128, 4_231_976, 186_400_768),
            (0.75, 224, 2_585_560, 325_400_448),
            (0.5, 224, 1_331_592, 149_497_088),
            (0.5, 160, 1_331_592, 76_524_800),
            (0.25, 224, 470_072, 41_030_272),
        ),
    ],
)
def test_counts(width: float, side: int, params: int, madds: int) -> None:
    with on_meta():
        assert count(mobilenet_v1(width), side) == (params, madds)


def test_counts_of_the_papers_comparisons() -> None:
    with on_meta():
        # architectures.json: own rebuild; the paper prints 29.3 M and 4866 M, 2.9 M and 307 M.
        assert count(mobilenet_v1(separable=False), 224) == (29_294_088, 4_867_293_184)
        assert count(mobilenet_v1(shallow=True), 224) == (2_887_976, 307_323_392)
    assert 8 < 4_867_293_184 / 568_740_352 < 9


def test_equals_timm() -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("mobilenetv1_100", act_layer=nn.ReLU)
    assert largest_difference(mobilenet_v1(), theirs, 64) <= 1e-9


def test_separable_convolution_by_hand() -> None:
    layer = separable_conv(2, 1, 1).eval()
    with torch.no_grad():
        layer.filter.conv.weight.zero_()
        layer.filter.conv.weight[0, 0, 1, 1] = 2.0  # channel 0: twice the pixel
        layer.filter.conv.weight[1, 0, 1, 0] = 1.0  # channel 1: the left neighbor
        layer.mix.conv.weight.copy_(torch.tensor([1.0, -1.0]).view(1, 2, 1, 1))
        x = torch.tensor([[[[1.0, 2.0, -3.0]], [[1.0, 3.0, 1.0]]]])
        # relu(2, 4, -6) - relu(0, 1, 3) = (2, 3, -3), and relu once more
        torch.testing.assert_close(layer(x), torch.tensor([[[[2.0, 3.0, 0.0]]]]), rtol=1e-4, atol=1e-4)


def test_stages_are_the_rows_of_the_table() -> None:
    expected = [(64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (1024, 7, 7)]
    with on_meta():
        for network in (mobilenet_v1(), mobilenet_v1(separable=False), mobilenet_v1(shallow=True)):
            maps = network.eval().stages(torch.empty(1, 3, 224, 224))
            assert [tuple(x.shape[1:]) for x in maps] == expected
        small = mobilenet_v1(stem="small").eval().stages(torch.empty(1, 3, 32, 32))
    assert [x.shape[-1] for x in small] == [32, 16, 8, 4, 2]
    assert [len(stage) for stage in mobilenet_v1(0.25).features][1:] == [1, 2, 2, 6, 2]


@pytest.mark.parametrize("options", [{}, {"separable": False, "width": 0.25}, {"shallow": True, "stem": "small"}])
def test_every_parameter_learns(options: dict[str, str | bool | float]) -> None:
    assert_trainable(mobilenet_v1(num_classes=7, in_channels=1, **options), 48, in_channels=1)


def test_one_pixel_is_enough() -> None:
    network = mobilenet_v1(0.25)
    assert network.smallest_input == 1
    x = torch.randn(2, 3, 1, 1)
    assert network.train()(x).isfinite().all()
    assert torch.equal(network.eval()(x), network.head(network.features(x)))
