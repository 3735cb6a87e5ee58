"""The plan answers for every epoch and survives pickling."""

import pickle

import pytest

from lit_cnn.data.augmentation.plan import Augmentation, AugmentationPlan
from lit_cnn.data.settings import Crop, Flip


def _augmentation(size):
    return Augmentation(image_size=size, crop=Crop(), flip=Flip(), fill=(1, 2, 3))


def test_each_epoch_belongs_to_the_last_stage_begun():
    small, large = _augmentation(8), _augmentation(12)
    plan = pickle.loads(pickle.dumps(AugmentationPlan((0, 3), (small, large))))
    assert [plan.at(epoch) for epoch in range(5)] == [small] * 3 + [large] * 2
    assert [plan.number(epoch) for epoch in (0, 2, 3, 100)] == [0, 0, 1, 1]


@pytest.mark.parametrize("epochs", [(), (1, 3), (0, 3, 3), (0, 5, 2)])
def test_epochs_out_of_order_are_refused(epochs):
    with pytest.raises(ValueError, match="begin after the one before"):
        AugmentationPlan(epochs, tuple(_augmentation(8) for _ in epochs))
