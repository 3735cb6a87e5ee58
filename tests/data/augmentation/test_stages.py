"""Stages change what they state from their first epoch on."""

from lit_cnn.data.augmentation.mixing import MixingAlphas
from lit_cnn.data.augmentation.stages import first_epochs, stage_at, staged_alphas
from lit_cnn.data.settings import Stage

EARLY, LATE = Stage(2, 8, mixup_alpha=0.5), Stage(5, 12, cutmix_alpha=0.0)


def test_an_epoch_belongs_to_the_last_stage_begun():
    assert [stage_at((EARLY, LATE), epoch) for epoch in (0, 1, 2, 4, 5, 9)] == [None, None, EARLY, EARLY, LATE, LATE]
    assert stage_at((), 3) is None


def test_the_time_before_the_first_stage_counts():
    assert first_epochs((EARLY, LATE)) == (0, 2, 5)
    assert first_epochs((Stage(0, 8), LATE)) == (0, 5)
    assert first_epochs(()) == (0,)


def test_alphas_that_a_stage_does_not_state_are_kept():
    own = MixingAlphas(0.1, 1.0)
    assert staged_alphas(own, None) == own
    assert staged_alphas(own, EARLY) == (0.5, 1.0)
    assert staged_alphas(own, LATE) == (0.1, 0.0)
