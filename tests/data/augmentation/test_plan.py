"""One plan answers for every epoch; progressive learning spaces its stages as paper and released code do."""

import pickle

import pytest

from lit_cnn.data.augmentation.plan import (
    EpochPlan,
    Stage,
    first_epochs,
    first_image_size,
    image_sizes,
    progressive_stages,
    stage_shares,
)

EARLY, LATE = Stage(0, 8, 5, 0.1, 0.0, share=0.0), Stage(3, 12, 9, 0.2, 1.0)


def test_each_epoch_belongs_to_the_last_stage_begun():
    plan = pickle.loads(pickle.dumps(EpochPlan((EARLY, LATE))))
    assert [plan.at(epoch) for epoch in (0, 2, 3, 4, 100)] == [EARLY, EARLY, LATE, LATE, LATE]


@pytest.mark.parametrize("epochs", [(), (1, 3), (0, 3, 3), (0, 5, 2)])
def test_epochs_out_of_order_are_refused(epochs):
    with pytest.raises(ValueError, match="the first must begin with epoch 0 and each other after the one before"):
        EpochPlan(tuple(Stage(epoch, 8, 9, 0.0, 0.0) for epoch in epochs))


@pytest.mark.parametrize("stop", [0, 1, 3, 5])
def test_mixing_stops_in_its_epoch_and_nothing_else_changes(stop):
    plan = EpochPlan((EARLY, LATE))
    stopped = plan.without_mixing_from(stop)
    for epoch in range(8):
        own, settings = plan.at(epoch), stopped.at(epoch)
        alphas = (0.0, 0.0) if epoch >= stop else (own.mixup_alpha, own.cutmix_alpha)
        assert (settings.mixup_alpha, settings.cutmix_alpha) == alphas
        assert (settings.image_size, settings.magnitude, settings.share) == (own.image_size, own.magnitude, own.share)
    assert plan.without_mixing_from(None) == plan


def test_the_papers_stages_include_both_ends_and_the_released_codes_do_not_include_the_first():
    assert stage_shares(4, True) == pytest.approx((0, 1 / 3, 2 / 3, 1))
    assert stage_shares(4, False) == (0.25, 0.5, 0.75, 1.0)
    assert stage_shares(1, True) == stage_shares(1, False) == (1.0,)


def test_stages_are_equally_long():
    assert first_epochs(4, 8) == (0, 2, 4, 6)
    assert first_epochs(4, 350) == (0, 88, 175, 263)
    assert first_epochs(1, 5) == (0,)


def test_image_sizes_are_those_of_efficientnet_v2_s():
    """Table 6 of the paper: 128 to 300 px; the released code begins at 171 px."""
    assert image_sizes(128, 300, stage_shares(4, True)) == [128, 185, 243, 300]
    assert image_sizes(128, 300, stage_shares(4, False)) == [171, 214, 257, 300]


def test_both_sides_of_other_sizes_grow():
    assert image_sizes((16, 24), (32, 64), (0.0, 0.5, 1.0)) == [(16, 24), (24, 44), (32, 64)]
    assert first_image_size(None, (32, 64)) == (32, 64)
    assert first_image_size(16, (32, 64)) == (16, 32)  # the shorter side
    assert first_image_size((8, 8), (32, 64)) == (8, 8)
    assert first_image_size(16, 32) == 16


def test_all_values_grow_together_and_end_at_the_last():
    first, last = Stage(0, 100, 5, 0.0, 1.0), Stage(0, 200, 15, 0.2, 1.0)
    low, middle, high = progressive_stages(first, last, (0.0, 0.5, 1.0), 30)
    assert low == Stage(0, 100, 5, 0.0, 1.0, share=0.0)
    assert middle == Stage(10, 150, 10, 0.1, 1.0, share=0.5)
    assert high == Stage(20, 200, 15, 0.2, 1.0, share=1.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((-1, 8, 9, 0.0, 0.0), r"data\.stages\.first_epoch"),
        ((0, 0, 9, 0.0, 0.0), r"data\.stages\.image_size"),
        ((0, 8, -1, 0.0, 0.0), r"data\.stages\.magnitude"),
        ((0, 8, 9, -1, 0.0), r"data\.stages\.mixup_alpha"),
        ((0, 8, 9, 0.0, -1), r"data\.stages\.cutmix_alpha"),
    ],
)
def test_wrong_values_are_named(values, words):
    with pytest.raises(ValueError, match=words):
        Stage(*values)
