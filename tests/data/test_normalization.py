"""Pixels become the network's units and back."""

import torch

from lit_cnn.data.normalization import denormalize, normalize

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def test_every_level_is_normalized_per_channel_and_comes_back():
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    out = normalize(images, MEAN, STD)
    assert out.dtype == torch.float32
    assert out.is_contiguous(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    torch.testing.assert_close(out, ((images / 255 - mean) / std), atol=1e-5, rtol=1e-5)
    assert torch.equal(denormalize(out, MEAN, STD), images)


def test_values_out_of_range_are_clamped():
    assert denormalize(torch.tensor([-9.0, 9.0]).view(2, 1, 1, 1), (0.5,), (0.25,)).flatten().tolist() == [0, 255]
