"""Occlusion finds what a network looks at, with drops computed by hand."""

import pytest
import torch
from corner_net import CELL, CornerNet
from torch import Tensor, nn

from lit_cnn.explanations import occlusion


class Corner(nn.Module):
    """The logits (x, 0) with x the pixel in row 1, column 5."""

    def forward(self, images: Tensor) -> Tensor:
        x = images[:, 0, 1, 5]
        return torch.stack([x, torch.zeros_like(x)], dim=1)


def probability(x: float) -> float:
    return float(torch.tensor(x).sigmoid())


def test_a_drop_is_the_mean_over_the_patches_that_cover_a_pixel() -> None:
    images = torch.full((1, 1, 4, 6), 2.0)
    maps = occlusion(Corner(), images, torch.tensor([[0, 1]]), size=2, stride=2)
    expected = torch.zeros(4, 6)
    expected[0:2, 4:6] = probability(2.0) - 0.5
    torch.testing.assert_close(maps[0, 0], expected)
    torch.testing.assert_close(maps[0, 1], -expected)
    dense = occlusion(Corner(), images, torch.tensor([[0]]), size=2, stride=1, batch_size=2)[0, 0]
    expected[1, 4] = expected[0, 4]  # covered by six patches, of which two cover the pixel; the edge by fewer
    assert float(dense[1, 5]) == pytest.approx(probability(2.0) - 0.5)
    assert float(dense[0, 5]) == pytest.approx(probability(2.0) - 0.5)
    assert float(dense[1, 4]) == pytest.approx((probability(2.0) - 0.5) / 2)
    assert float(dense[2, 5]) == pytest.approx((probability(2.0) - 0.5) / 2)
    assert float(dense[:, :3].abs().max()) == 0.0


def test_the_last_patch_ends_at_the_edge_and_the_level_of_the_patch_is_free() -> None:
    images = torch.zeros(1, 1, 4, 6)
    maps = occlusion(Corner(), images, torch.tensor([[0]]), size=3, stride=2, fill=-1.0)
    assert float(maps[0, 0, 0, 5]) == pytest.approx(0.5 - probability(-1.0))
    assert float(maps[0, 0, 0, 0]) == 0.0


def test_each_image_is_asked_for_its_own_class_and_nothing_is_changed() -> None:
    images = torch.zeros(2, 3, 8, 8)
    images[0, 0, :CELL, :CELL] = images[1, 2, CELL:, CELL:] = 1.0
    before, network = images.clone(), CornerNet().train()
    maps = occlusion(network, images, torch.tensor([[0], [1]]), size=CELL, stride=CELL)
    assert network.training
    assert torch.equal(images, before)
    assert [divmod(int(part.flatten().argmax()), 8) for part in maps[:, 0]] == [(0, 0), (4, 4)]


@pytest.mark.parametrize(
    ("size", "stride", "said"),
    [
        (9, 1, "the patch is 9 px wide but must have 1 to 8, the image's side"),
        (0, 1, "the patch is 0 px wide"),
        (2, 3, "the stride is 3 px but must be 1 to 2"),
    ],
)
def test_patches_that_do_not_fit_are_refused(size: int, stride: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        occlusion(CornerNet(), torch.zeros(1, 3, 8, 8), torch.tensor([[0]]), size=size, stride=stride)
