"""Images that a checkpoint was trained on are counted and warned of."""

from dataclasses import replace

import pytest
import torch
from colors import color_network, labelled, noise

from lit_cnn.data.loading.fingerprints import Fingerprints
from lit_cnn.data.summary import DataSummary
from lit_cnn.evaluation.trained_on import TrainedOn, judged, trained_on

NAMES = ["red", "green", "blue"]
IMAGES = labelled(noise(40))


def images(rows):
    split = IMAGES.split.take(torch.tensor(list(rows)))
    return replace(IMAGES, split=split, summary=DataSummary("npz", "noise", tuple(NAMES), {"all": len(split)}))


def trained(train, val, name="last.ckpt"):
    parts = {"train": images(train), "val": images(val)}
    state = {key: Fingerprints.of(part.split, NAMES).as_dict() for key, part in parts.items()}
    return replace(color_network(), name=name, data_state={**state, "train_size": 20, "val_size": 10})


def test_its_own_validation_images_are_none():
    """Also where a picture is in both splits: what it was validated on is what it was validated on."""
    assert trained_on(images(range(20, 30)), trained(range(20), range(20, 30)), NAMES) == TrainedOn(0)
    assert trained_on(images(range(19, 30)), trained(range(20), range(19, 30)), NAMES) == TrainedOn(0)


@pytest.mark.parametrize(
    ("rows", "count", "words"),
    [(range(10, 40), 10, "10 of the 30 images were"), (range(19, 40), 1, "1 of the 21 images was")],
)
def test_others_are_counted_and_warned_of(rows, count, words):
    found = trained_on(images(rows), trained(range(20), range(20, 30)), NAMES)
    assert found == TrainedOn(count, f"{words} trained on by last.ckpt, so their accuracy is flattered")


def test_new_images_are_none():
    assert trained_on(images(range(30, 40)), trained(range(20), range(20, 30)), NAMES) == TrainedOn(0)


def test_an_estimate_is_called_one():
    judge = trained(range(20), range(20, 30))
    judge.data_state["train"] = Fingerprints.of(images(range(20)).split, NAMES, sample=10).as_dict()
    found = trained_on(images(range(40)), judge, NAMES)
    assert found.warning.startswith(f"about {found.known} of the 40 images")


def test_every_member_of_an_ensemble_is_looked_at():
    members = [trained(range(20), range(20, 30), "a"), trained(range(15, 35), range(5), "b"), color_network()]
    summary, warnings = judged(images(range(20, 30)), members)
    assert summary.trained_on == {"a": 0, "b": 10, "the checkpoint": None}
    assert warnings == ["10 of the 10 images were trained on by b, so their accuracy is flattered"]
    assert summary.as_dict()["trained_on"] == summary.trained_on


# -- checkpoints that keep no fingerprints ----------------------------------------------------------------------------


def of_set(images_of_set, train, val, **changes):
    summary = DataSummary("imagefolder", "photos", tuple(NAMES), {"train": train, "val": val}, "held out: 10 %")
    return replace(images_of_set, summary=replace(summary, **changes))


OLD = replace(color_network(), name="old.ckpt", data_state={"train_size": 54, "val_size": 6})


def test_a_set_that_has_grown_since_an_older_checkpoint_is_warned_of():
    found = trained_on(of_set(images(range(10)), 90, 10, evaluated="val"), OLD, NAMES)
    assert found == TrainedOn(
        None,
        "old.ckpt was trained on 54 and validated on 6 images of this set, which now has 90 and 10, so some of these "
        "may have been trained on",
    )


@pytest.mark.parametrize(
    ("train", "val", "changes"),
    [
        (54, 6, {"evaluated": "val"}),
        (90, 10, {"evaluated": "val", "validation": "given"}),
        (90, 10, {"evaluated": "test"}),
    ],
)
def test_a_set_that_is_the_same_or_has_given_splits_is_not(train, val, changes):
    assert trained_on(of_set(images(range(10)), train, val, **changes), OLD, NAMES) == TrainedOn(None)


def test_the_whole_set_of_an_older_checkpoint_is_warned_of(tmp_path):
    old = replace(OLD, recipe={"data": {"path": str(tmp_path)}})
    whole = images(range(40))
    found = trained_on(
        replace(whole, summary=replace(whole.summary, path=f"{tmp_path}/.", evaluated="all")), old, NAMES
    )
    assert found.known is None
    assert found.warning == (
        "old.ckpt was trained on 54 images of this set, all of which are evaluated, so their accuracy is flattered"
    )
    assert trained_on(replace(whole, summary=replace(whole.summary, evaluated="all")), old, NAMES) == TrainedOn(None)


def test_a_checkpoint_of_other_data_says_nothing():
    assert trained_on(images(range(10)), color_network(), NAMES) == TrainedOn(None)
