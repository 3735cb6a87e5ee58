"""Colors are the principal components times normal draws; pixels stay in range."""

import torch
from torchvision.transforms.v2 import functional

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.lighting import (
    EIGENVALUES,
    EIGENVECTORS,
    Lighting,
    add_colors,
    lighting_batch,
    random_colors,
)

PIXELS = torch.randint(0, 256, (3, 40, 50), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
IMAGE = functional.to_pil_image(PIXELS)


def test_components_are_orthonormal_and_the_draws_choose_among_them():
    torch.testing.assert_close(EIGENVECTORS.T @ EIGENVECTORS, torch.eye(3), atol=2e-4, rtol=0)
    one_sigma = torch.special.ndtr(torch.tensor(1.0)).item()
    for component in range(3):
        draws = torch.full((1, 3), 0.5)
        draws[0, component] = one_sigma
        expected = 25.5 * EIGENVALUES[component] * EIGENVECTORS[:, component]
        torch.testing.assert_close(random_colors(draws, 0.1)[0], expected, atol=1e-5, rtol=1e-5)


def test_a_draw_of_zero_is_finite():
    assert random_colors(torch.zeros(1, 3), 0.1).isfinite().all()


def test_pixels_are_rounded_and_clamped():
    images = torch.tensor([0, 100, 255], dtype=torch.uint8).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    out = add_colors(images, torch.tensor([[2.6, -2.6, 0.4]]))
    assert out[0, :, 0].tolist() == [[3, 103, 255], [0, 97, 252], [0, 100, 255]]


def _draws(count):
    return Draws(0, 0, torch.arange(count), torch.zeros(count, dtype=torch.int64))


def test_lighting_adds_one_color_of_the_stated_spread_to_each_image():
    images = torch.full((2000, 3, 2, 2), 128, dtype=torch.uint8)
    out = lighting_batch(images, 0.1, _draws(2000))
    added = out.double() - 128
    assert (added == added[:, :, :1, :1]).all()
    values, vectors = EIGENVALUES.double(), EIGENVECTORS.double()
    expected = 25.5**2 * vectors @ values.square().diag() @ vectors.T
    torch.testing.assert_close(torch.cov(added[:, :, 0, 0].T), expected, atol=1.5, rtol=0.08)
    torch.testing.assert_close(added.mean((0, 2, 3)), torch.zeros(3, dtype=torch.double), atol=0.3, rtol=0)


def test_a_file_gets_the_colors_of_a_batch():
    """The same uniform draws give bit-identical pixels in both pipelines."""
    transform = Lighting(0.4)
    torch.manual_seed(5)
    out = functional.pil_to_tensor(transform(IMAGE))
    torch.manual_seed(5)
    assert torch.equal(out, add_colors(PIXELS[None], random_colors(torch.rand(1, 3), 0.4))[0])
    assert not torch.equal(out, PIXELS)
