"""ShuffleNet has the paper's and the released code's counts, and its unit computes Figure 2."""

import pytest
import torch
import torch.nn.functional as F
from gradients import assert_trainable
from one_in import one_in
from ordered_copy import count, randomize
from torch import Tensor, nn

from lit_cnn.architectures.layers.stochastic_depth import StochasticDepth
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.shufflenet import ChannelShuffle, ShuffleUnit, shufflenet


@pytest.mark.parametrize(
    ("width", "params", "madds"),
    [(1.0, 1_864_728, 137_460_672), (1.5, 3_441_168, 292_443_552), (2.0, 5_449_776, 524_045_184)],
)  # architectures.json: megvii's released code
def test_counts(width: float, params: int, madds: int) -> None:
    with on_meta():
        assert count(shufflenet(3, width), 224) == (params, madds)


@pytest.mark.parametrize(("groups", "millions"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)])
def test_multiply_adds_of_table_1(groups: int, millions: int) -> None:
    """The table's last row; it leaves out the classifier."""
    with on_meta():
        network = shufflenet(groups)
        madds = count(network, 224)[1] - network.head.classifier.weight.numel()
    assert round(madds / 1e6) == millions


@pytest.mark.parametrize(
    ("groups", "widths"),
    one_in(
        2,
        [
            (1, (144, 288, 576)),
            (2, (200, 400, 800)),
            (3, (240, 480, 960)),
            (4, (272, 544, 1088)),
            (8, (384, 768, 1536)),
        ],
    ),
)
def test_stages_are_the_rows_of_the_table(groups: int, widths: tuple[int, int, int]) -> None:
    with on_meta():
        maps = shufflenet(groups).eval().stages(torch.empty(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == list(zip(widths, (28, 14, 7), (28, 14, 7), strict=True))


@pytest.mark.parametrize(
    ("groups", "width", "stem"), [(3, 0.5, 12), (3, 1.0, 24), (3, 1.5, 24), (3, 2.0, 48), (8, 0.5, 16), (8, 1.5, 24)]
)
def test_stem_of_the_released_code(groups: int, width: float, stem: int) -> None:
    with on_meta():
        assert shufflenet(groups, width).features.stem.conv.out_channels == stem


def test_stage_2_by_hand() -> None:
    def unit(before: int, after: int, learned: int, groups: int) -> int:
        hidden = after // 4
        convolutions = before * hidden // groups + 9 * hidden + hidden * learned // 3
        return convolutions + 2 * (hidden + hidden + learned)

    counted = [sum(p.numel() for p in block.parameters()) for block in shufflenet().features.stage2]
    assert counted == [unit(24, 240, 216, 1), *[unit(240, 240, 240, 3)] * 3]


def test_shuffle_by_hand() -> None:
    x = torch.arange(6.0).view(1, 6, 1, 1)
    assert ChannelShuffle(2)(x).flatten().tolist() == [0, 3, 1, 4, 2, 5]
    assert ChannelShuffle(3)(x).flatten().tolist() == [0, 2, 4, 1, 3, 5]
    assert ChannelShuffle(1)(x).flatten().tolist() == [0, 1, 2, 3, 4, 5]


def norm(x: Tensor, layer: nn.BatchNorm2d) -> Tensor:
    shape = (1, -1, 1, 1)
    scale = layer.weight / (layer.running_var + layer.eps).sqrt()
    return (x - layer.running_mean.view(shape)) * scale.view(shape) + layer.bias.view(shape)


@pytest.mark.parametrize("stride", [1, 2])
def test_unit_by_hand(stride: int) -> None:
    width = 24 if stride == 2 else 12
    unit = ShuffleUnit(12, width, stride=stride, groups=3, first_groups=3, drop_path=0.0).double().eval()
    randomize(unit, torch.Generator().manual_seed(0))
    x = torch.randn(2, 12, 7, 6, dtype=torch.float64)
    y = norm(F.conv2d(x, unit.reduce.conv.weight, groups=3), unit.reduce.norm).clamp(min=0)
    per_group = y.shape[1] // 3
    y = torch.stack([y[:, group * per_group + channel] for channel in range(per_group) for group in range(3)], 1)
    y = norm(F.conv2d(y, unit.filter.conv.weight, stride=stride, padding=1, groups=y.shape[1]), unit.filter.norm)
    y = norm(F.conv2d(y, unit.expand.conv.weight, groups=3), unit.expand.norm)
    if stride == 1:
        expected = (x + y).clamp(min=0)
    else:
        pooled = F.pad(x, (1, 1, 1, 1)).unfold(2, 3, 2).unfold(3, 3, 2).mean((4, 5))
        expected = torch.cat([pooled, y], 1).clamp(min=0)
    torch.testing.assert_close(unit(x), expected)


def test_first_convolution_is_not_grouped() -> None:
    features = shufflenet(3).features
    assert features.stage2[0].reduce.conv.groups == 1
    assert features.stage2[0].expand.conv.groups == 3
    assert {unit.reduce.conv.groups for unit in [*features.stage2[1:], *features.stage3, *features.stage4]} == {3}


@pytest.mark.parametrize(
    ("groups", "width", "message"),
    [
        (5, 1.0, "1, 2, 3, 4 or 8 groups, got 5"),
        (3, 0.3, "width must be 0.5, 1.0, 1.5 or 2.0, got 0.3"),
        (2, 0.5, "bottleneck of 25 channels cannot be split into 2 groups"),
        (4, 1.5, "bottleneck of 102 channels cannot be split into 4 groups"),
    ],
)
def test_impossible_widths_are_refused(groups: int, width: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shufflenet(groups, width)


def test_drop_path_is_linear_over_the_units_with_a_shortcut() -> None:
    rates = [module.rate for module in shufflenet(drop_path=0.16).modules() if isinstance(module, StochasticDepth)]
    expected = [0.01 * number for number in range(1, 17)]
    for first in (0, 4, 12):
        expected[first] = 0.0
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize("options", [{}, {"stem": "small"}, {"groups": 8, "width": 0.5}, {"groups": 1}])
def test_every_parameter_learns(options: dict[str, str | int | float]) -> None:
    assert_trainable(shufflenet(num_classes=7, in_channels=1, **options), 48, in_channels=1)


def test_one_pixel_is_enough() -> None:
    network = shufflenet(3, 0.5)
    assert network.smallest_input == 1
    x = torch.randn(2, 3, 1, 1)
    assert network.train()(x).isfinite().all()
    assert torch.equal(network.eval()(x), network.head(network.features(x)))


def test_released_initialization() -> None:
    network = shufflenet()
    assert network.features.stem.conv.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert network.features.stage4[1].expand.conv.weight.std().item() == pytest.approx(1 / 80, rel=0.05)
    assert network.features.stage3[0].filter.norm.bias[0].item() == pytest.approx(1e-4)
    assert network.head.classifier.bias is None
