"""Random rectangles have the stated areas and quotients of sides."""

import torch

from lit_cnn.data.augmentation.rectangles import ATTEMPTS, first_fitting, random_sides


def test_areas_and_quotients_lie_in_their_ranges_and_reach_the_ends():
    draws = torch.rand(500, ATTEMPTS, 4, generator=torch.Generator().manual_seed(0))
    first, second = random_sides(draws, (0.1, 0.5), (0.5, 2.0), 1000 * 1000)
    shares, quotients = first * second / 1e6, first / second
    assert 0.099 < shares.min() < 0.11
    assert 0.49 < shares.max() < 0.501
    assert 0.495 < quotients.min() < 0.51  # sides are whole pixels
    assert 1.95 < quotients.max() < 2.02
    assert quotients.median().item() < 1.1  # log-uniform: as often below 1 as above


def test_the_first_attempt_that_fits_is_taken():
    number, found = first_fitting(torch.tensor([[False, True, True], [False, False, False]]))
    assert (number[0], found.tolist()) == (1, [True, False])
