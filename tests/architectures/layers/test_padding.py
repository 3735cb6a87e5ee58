"""TensorFlow's padding: output sizes, and the odd zero at the end."""

import pytest
import torch

from lit_cnn.architectures.layers.padding import SameConv2d, make_conv, pad_same, same_padding


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (224, 3, 2, (0, 1)),
        (225, 3, 2, (1, 1)),
        (224, 5, 2, (1, 2)),
        (7, 5, 1, (2, 2)),
        (1, 3, 2, (1, 1)),
        (8, 1, 2, (0, 0)),
    ],
)
def test_zeros_before_and_after(size: int, kernel: int, stride: int, expected: tuple[int, int]) -> None:
    assert same_padding(size, kernel, stride) == expected


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("padding", ["tensorflow", "symmetric"])
def test_output_size_is_rounded_up(size: int, kernel: int, padding: str) -> None:
    conv = make_conv(1, 1, kernel, stride=2, padding=padding)
    assert conv(torch.zeros(1, 1, size, size + 3)).shape[-2:] == ((size + 1) // 2, (size + 4) // 2)


def test_height_and_width_are_padded_on_their_own() -> None:
    padded = pad_same(torch.ones(1, 1, 4, 5), 3, 2)
    assert padded.shape == (1, 1, 5, 7)
    assert padded[0, 0, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    assert not padded[0, 0, -1].any()


def test_conventions_agree_at_stride_one() -> None:
    assert type(make_conv(2, 2, 3, padding="tensorflow")) is torch.nn.Conv2d
    assert isinstance(make_conv(2, 2, 3, stride=2, padding="tensorflow"), SameConv2d)
