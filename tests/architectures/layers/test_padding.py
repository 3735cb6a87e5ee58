"""TensorFlow's padding: output sizes, and the odd zero at the end."""

import pytest
import torch
import torch.nn.functional as F

from lit_cnn.architectures.layers.conv import Conv2d
from lit_cnn.architectures.layers.padding import SameConv2d, make_conv, same_padding


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


@pytest.mark.parametrize("size", [(7, 8), (8, 7), (5, 5), (4, 9)])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(3, 2, 1), (5, (2, 1), 1), ((1, 7), (1, 2), 1), (3, 2, 2), (3, 1, 2)]
)
def test_convolution_reads_the_padded_map(
    size: tuple[int, int], kernel: int | tuple[int, int], stride: int | tuple[int, int], dilation: int
) -> None:
    conv = SameConv2d(2, 4, kernel, stride=stride, dilation=dilation, groups=2)
    x = torch.randn(1, 2, *size)
    pads = [
        same_padding(length, dilation * (extent - 1) + 1, step)
        for length, extent, step in zip(size, conv.kernel_size, conv.stride, strict=True)
    ]
    padded = F.pad(x, (*pads[1], *pads[0]))
    expected = F.conv2d(padded, conv.weight, None, conv.stride, 0, dilation, 2)
    torch.testing.assert_close(conv(x), expected, rtol=0, atol=1e-6)
    assert expected.shape[2:] == tuple(-(-length // step) for length, step in zip(size, conv.stride, strict=True))


def test_conventions_agree_at_stride_one() -> None:
    assert type(make_conv(2, 2, 3, padding="tensorflow")) is Conv2d
    assert isinstance(make_conv(2, 2, 3, stride=2, padding="tensorflow"), SameConv2d)
