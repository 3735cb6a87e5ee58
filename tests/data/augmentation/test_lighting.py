"""Colours are the principal components times normal draws; pixels stay in range."""

import torch

from lit_cnn.data.augmentation.lighting import EIGENVALUES, EIGENVECTORS, add_colours, colours


def test_components_are_orthonormal_and_the_draws_choose_among_them():
    torch.testing.assert_close(EIGENVECTORS.T @ EIGENVECTORS, torch.eye(3), atol=2e-4, rtol=0)
    one_sigma = torch.special.ndtr(torch.tensor(1.0)).item()
    for component in range(3):
        draws = torch.full((1, 3), 0.5)
        draws[0, component] = one_sigma
        expected = 25.5 * EIGENVALUES[component] * EIGENVECTORS[:, component]
        torch.testing.assert_close(colours(draws, 0.1)[0], expected, atol=1e-5, rtol=1e-5)


def test_a_draw_of_zero_is_finite():
    assert colours(torch.zeros(1, 3), 0.1).isfinite().all()


def test_pixels_are_rounded_and_clamped():
    images = torch.tensor([0, 100, 255], dtype=torch.uint8).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    out = add_colours(images, torch.tensor([[2.6, -2.6, 0.4]]))
    assert out[0, :, 0].tolist() == [[3, 103, 255], [0, 97, 252], [0, 100, 255]]
