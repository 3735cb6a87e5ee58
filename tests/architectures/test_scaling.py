"""Rounded widths and depths, stage tables scaled by them, and the options that scale a network of the catalog."""

import math

import pytest

import lit_cnn
from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.efficientnet import STAGES
from lit_cnn.architectures.meta import on_meta
from lit_cnn.architectures.scaling import check_multipliers, make_divisible, nearest_width, scale_depth, scale_stages


def params_of(name: str, **options: object) -> int:
    with on_meta():
        network = lit_cnn.create_model(name, **options)  # type: ignore[arg-type]
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("value", "expected"),
    [(32.0, 32), (35.2, 32), (19.2, 24), (16 * 1.1, 16), (1280 * 1.1, 1408), (3.0, 8), (44.0, 48)],
)
def test_multiples_of_eight(value: float, expected: int) -> None:
    assert make_divisible(value) == expected


def test_never_below_ninety_percent() -> None:
    for tenth in range(80, 4000):
        width = make_divisible(tenth / 10)
        assert width % 8 == 0
        assert width >= 0.9 * tenth / 10


def test_other_divisors() -> None:
    assert make_divisible(50, divisor=16) == 48
    assert make_divisible(23, divisor=4) == 24


def test_compound_scaling_of_the_rows() -> None:
    rows = scale_stages(STAGES, 1.4, 1.8)
    assert [row.width for row in rows] == [24, 32, 56, 112, 160, 272, 448]  # B4
    assert [row.depth for row in rows] == [2, 4, 4, 6, 6, 8, 2]
    assert [row.kernel for row in rows] == [row.kernel for row in STAGES]


def test_blocks_are_rounded_up_or_to_the_nearest_and_never_to_none() -> None:
    assert [scale_depth(3, multiplier) for multiplier in (0.1, 1, 1.1, 1.5)] == [1, 3, 4, 5]
    assert [scale_depth(3, multiplier, "nearest") for multiplier in (0.1, 1, 1.1, 1.5)] == [1, 3, 3, 5]
    assert [row.depth for row in scale_stages(STAGES, 1.0, 1.2, depth_rounding="nearest")] == [1, 2, 2, 4, 4, 5, 1]


def test_narrow_widths_are_whole_numbers() -> None:
    assert [nearest_width(value) for value in (11.3, 11.5, 0.2, -1.0)] == [11, 12, 0, -1]


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        *[(f"efficientnet_b{number}", "efficientnet_b0") for number in (1, 3, 7)],
        *(("efficientnet_v2_b3", "efficientnet_v2_b0"), ("mobilenet_v1_0.5", "mobilenet_v1")),
        ("mobilenet_v2_1.4", "mobilenet_v2"),
    ],
)
def test_multipliers_make_the_released_variants(name: str, twin: str) -> None:
    multipliers = {
        "efficientnet_b1": (1.0, 1.1),
        "efficientnet_b3": (1.2, 1.4),
        "efficientnet_b7": (2.0, 3.1),
        "efficientnet_v2_b3": (1.2, 1.4),
        "mobilenet_v1_0.5": (0.5, 1.0),
        "mobilenet_v2_1.4": (1.4, 1.0),
    }
    width, depth = multipliers[name]
    assert params_of(twin, width_multiplier=width, depth_multiplier=depth) == find_entry(name).params


@pytest.mark.parametrize(
    ("depth", "multiplier"), [(32, 5 / 3), (44, 7 / 3), pytest.param(110, 6, marks=pytest.mark.slow)]
)
def test_a_deeper_cifar_resnet_is_the_papers(depth: int, multiplier: float) -> None:
    assert params_of("cifar_resnet20", depth_multiplier=multiplier, depth_rounding="nearest") == (
        find_entry(f"cifar_resnet{depth}").params
    )


def test_options_of_scaling_left_alone_change_nothing_and_multiply_stated_widths() -> None:
    assert params_of("cifar_resnet20", width_multiplier=1.0) == find_entry("cifar_resnet20").params
    assert params_of("cifar_resnet20", widths=(8, 16, 32), width_multiplier=2.0) == find_entry("cifar_resnet20").params


def test_an_imagenet_resnet_is_scaled_to_multiples_of_eight() -> None:
    with on_meta():
        network = lit_cnn.create_model("resnet18", width_multiplier=1.1, depth_multiplier=1.2)
    assert [info.channels for info in network.feature_info] == [72, 144, 280, 560]
    assert [len(stage) for name, stage in network.features.named_children() if name != "stem"] == [3, 3, 3, 3]


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_impossible_multipliers_are_named(value: float) -> None:
    with pytest.raises(ValueError, match="depth_multiplier must be a positive number"):
        check_multipliers(1.0, value, "up")
    with pytest.raises(ValueError, match="width_multiplier must be a positive number"):
        lit_cnn.create_model("efficientnet_b0", width_multiplier=value)


def test_an_unknown_rounding_is_named() -> None:
    with pytest.raises(ValueError, match="depth_rounding must be up or nearest, got 'down'"):
        lit_cnn.create_model("mobilenet_v2", depth_rounding="down")
