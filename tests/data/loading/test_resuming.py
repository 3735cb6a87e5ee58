"""Where the data goes on; every way to interrupt a fit is tried in test_module.py."""

import pytest

from lit_cnn.data.loading.resuming import inside_epoch, progress, require_same_data

STATE = {"train_size": 90, "val_size": 10, "class_names": ["cat", "dog"], "accumulation": 1}


def test_without_a_trainer_the_data_begins_at_the_start():
    assert progress(None) == (0, 0)
    assert not inside_epoch(None)


@pytest.mark.parametrize("inside", [False, True])
def test_the_same_data_and_checkpoints_that_do_not_state_it_go_on(inside):
    for stored in (STATE, {}, {"train_size": 90}):
        require_same_data(stored, STATE, inside=inside)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_size": 89}, "it has 89 training images instead of 90, so"),
        ({"train_size": 89, "val_size": 9}, "89 training images instead of 90, 9 validation images instead of 10, so"),
        ({"class_names": ["cat", "wolf"]}, "the class wolf instead of dog"),
        ({"class_names": ["dog", "cat"]}, "the class dog instead of cat"),
        ({"class_names": ["cat"]}, "1 classes instead of 2"),
    ],
)
def test_other_images_are_refused_anywhere(inside, changes, words):
    with pytest.raises(ValueError, match=words) as caught:
        require_same_data(STATE, {**STATE, **changes}, inside=inside)
    assert "put the files back" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_accumulation_is_refused_inside_an_epoch_alone():
    now = {**STATE, "accumulation": 2}
    require_same_data(STATE, now, inside=False)
    with pytest.raises(ValueError, match=r"trainer\.accumulate_grad_batches 1, and cannot go on with 2: keep 1 until"):
        require_same_data(STATE, now, inside=True)
