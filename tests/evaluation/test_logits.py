"""Averages over views of a network whose outputs are means of pixels."""

import pytest
import torch
from colors import Colors, color_network, labelled, noise, whole
from torch import Tensor

from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import RGB
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import collect, stream
from lit_cnn.evaluation.trained import Trained


def halves(images: Tensor, _: Tensor) -> list[Tensor]:
    """Left and right half as one size, the whole as another."""
    left, right = images.chunk(2, dim=-1)
    return [torch.stack([left, right], 1), images[:, None]]


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_every_view_is_run_once_with_its_number(batch_size: int) -> None:
    pixels = noise(20)
    blocks = list(stream(color_network(), labelled(pixels), halves, batch_size))
    found = {(int(r), int(v)): z for block in blocks for r, v, z in zip(*block, strict=True)}
    assert sum(len(block.rows) for block in blocks) == len(found) == 60
    views = [
        part[:, n].float().mean((2, 3)) / 255 for part in halves(pixels, torch.arange(20)) for n in range(part.shape[1])
    ]
    for (row, view), logits in found.items():
        torch.testing.assert_close(logits, views[view][row])


def test_batches_of_one_size_are_full_and_in_order() -> None:
    """Whatever the loader's chunks are: 256 images here, which 60 does not divide."""
    blocks = list(stream(color_network(), labelled(noise(600, 2, 2)), whole, 60))
    assert [len(block.rows) for block in blocks] == [60] * 10
    assert torch.cat([block.rows for block in blocks]).tolist() == list(range(600))


def test_probabilities_or_logits_are_averaged() -> None:
    pixels = noise(9)
    images, trained = labelled(pixels), color_network()
    trained.network.gain.data.fill_(40.0)
    logits = torch.stack(
        [
            40 * part[:, n].double().mean((2, 3)) / 255
            for part in halves(pixels, torch.arange(9))
            for n in range(part.shape[1])
        ]
    )
    expected = {"probabilities": logits.softmax(2).mean(0), "logits": logits.mean(0).softmax(1)}
    assert not torch.allclose(*expected.values())
    for average, probabilities in expected.items():
        outcome = collect(trained, images, halves, average=average)
        torch.testing.assert_close(outcome.probabilities, probabilities, rtol=1e-4, atol=1e-6)
        assert outcome.views == 3
        assert torch.equal(outcome.labels, images.labels)
    assert outcome.images_per_second == 9 / outcome.seconds


def test_images_of_many_sizes_are_all_run() -> None:
    """More sizes wait than fit in the queue, and progress counts each image once."""
    pixels = noise(40, 8, 60)

    def narrowed(images: Tensor, _: Tensor) -> list[Tensor]:
        return [images[:, None, :, :, : 20 + width] for width in range(40)]

    told: list[int] = []
    outcome = collect(color_network(), labelled(pixels), narrowed, batch_size=64, advance=told.append)
    assert sum(told) == 40
    assert outcome.views == 40
    torch.testing.assert_close(outcome.probabilities.sum(1), torch.ones(40, dtype=torch.float64))


def test_pixels_of_other_channels_are_converted_to_the_networks() -> None:
    trained, gray = color_network(), noise(3)[:, :1]
    assert torch.equal(trained.logits(gray), trained.logits(gray.repeat(1, 3, 1, 1)))
    with pytest.raises(ValueError, match="images of 4 channels cannot become images of 3"):
        trained.logits(noise(3)[:, [0, 1, 2, 0]])


def test_a_size_the_network_cannot_take_is_named() -> None:
    class Fixed(Colors):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1) @ self.gain.expand(3 * 8 * 8, 3)

    trained = Trained(Fixed(), ["a", "b", "c"], color_network().preprocessing, {})
    images = EvaluationImages(ArraySplit(noise(2), torch.zeros(2, dtype=torch.int64)), RGB, "noise")
    collect(trained, images, lambda batch, _: [batch[:, None]])
    with pytest.raises(ValueError, match="Fixed cannot be run on 4x8 pixels, only near the 8x8 of its training"):
        collect(trained, images, halves)
