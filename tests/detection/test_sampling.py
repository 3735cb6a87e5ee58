"""Draws of anchors and proposals: how many, from what, and by which key."""

import torch

from lit_cnn.architectures.layers.keyed import set_random_key
from lit_cnn.detection.sampling import BalancedSampler

POSITIVE = torch.arange(100) < 30
BACKGROUND = torch.arange(100) >= 60


def draw(sampler: BalancedSampler, step: int = 0, position: int = 0) -> torch.Tensor:
    set_random_key(sampler, seed=0, step=step, positions=torch.tensor([position]))
    return sampler([POSITIVE], [BACKGROUND])[0]


def test_positives_are_a_share_at_most_and_background_fills_up() -> None:
    drawn = draw(BalancedSampler(20, 0.25))
    assert (drawn & POSITIVE).sum() == 5
    assert (drawn & BACKGROUND).sum() == 15
    assert drawn.sum() == 20
    many = draw(BalancedSampler(200, 0.5))
    assert torch.equal(many, POSITIVE | BACKGROUND)  # all there are


def test_without_candidates_nothing_is_drawn() -> None:
    nothing = torch.zeros(5, dtype=torch.bool)
    assert not BalancedSampler(4, 0.5)([nothing], [nothing])[0].any()


def test_draws_differ_by_step_and_position_and_repeat_by_key() -> None:
    sampler = BalancedSampler(20, 0.5)
    first = draw(sampler, 3, 7)
    torch.rand(5)
    assert torch.equal(first, draw(sampler, 3, 7))
    assert not torch.equal(first, draw(sampler, 4, 7))
    assert not torch.equal(first, draw(sampler, 3, 8))


def test_each_candidate_is_drawn_as_often_as_another() -> None:
    sampler = BalancedSampler(20, 0.5)
    counts = torch.stack([draw(sampler, step) for step in range(600)]).sum(0)
    assert (counts[POSITIVE] - 200).abs().max() < 60  # of 600 x 10 / 30, five standard deviations
    assert (counts[BACKGROUND] - 150).abs().max() < 55
