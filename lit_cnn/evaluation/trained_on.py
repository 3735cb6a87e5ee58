"""Whether images that a checkpoint is judged on are images that it was trained on, which flatters its figures."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from lit_cnn.data.loading.fingerprints import Fingerprints, digest, recognize
from lit_cnn.data.summary import DataSummary
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.trained import Trained


class TrainedOn(NamedTuple):
    """What is known of the images that a checkpoint is judged on.

    Args:
        known: how many of them it was trained on; None where it does not record that.
        warning: a sentence for people, where there is something to be warned of.
    """

    known: int | None
    warning: str | None = None


def judged(images: EvaluationImages, members: Sequence[Trained]) -> tuple[DataSummary, list[str]]:
    """What the images are, with how many of them each checkpoint was trained on; and warnings of these.

    Args:
        images: labeled by the class names of the first checkpoint.
        members: one checkpoint, or those of an ensemble.
    """
    assert images.summary is not None
    names = members[0].class_names
    found = {member.name: trained_on(images, member, names) for member in members}
    summary = replace(images.summary, trained_on={name: result.known for name, result in found.items()})
    return summary, [result.warning for result in found.values() if result.warning is not None]


def trained_on(images: EvaluationImages, trained: Trained, class_names: Sequence[str]) -> TrainedOn:
    """How many of the images the checkpoint was trained on, by the fingerprints that it keeps.

    Args:
        images: which are evaluated.
        trained: the checkpoint.
        class_names: of the images' labels.
    """
    stored = trained.data_state
    if "train" not in stored:
        return TrainedOn(None, _supposed(images, trained))
    if stored["val"]["digest"] == digest(images.split, class_names):
        return TrainedOn(0)  # its own validation images, of which none is trained on
    found = recognize(Fingerprints(**stored["train"]), images.split, class_names)
    if found is None:
        return TrainedOn(None)
    if not found.known:
        return TrainedOn(0)
    return TrainedOn(found.known, f"{found.sentence(trained.name)}, so their accuracy is flattered")


def _supposed(images: EvaluationImages, trained: Trained) -> str | None:
    """A sentence where an older checkpoint, which keeps no fingerprints, was probably trained on some of the images:
    the set has another size than when it was split, or all of the set's images are evaluated."""
    summary, stored = images.summary, trained.data_state
    if summary is None or not {"train_size", "val_size"} <= stored.keys():
        return None
    before = stored["train_size"], stored["val_size"]
    if summary.evaluated == "val" and summary.validation != "given" and "train" in summary.images:
        now = summary.images["train"], summary.images["val"]
        return (
            None
            if now == before
            else (
                f"{trained.name} was trained on {before[0]:,} and validated on {before[1]:,} images of this set, which "
                f"now has {now[0]:,} and {now[1]:,}, so some of these may have been trained on"
            )
        )
    recorded = trained.recipe.get("data", {}).get("path")
    if summary.evaluated in ("val", "test") or recorded is None or not _same_place(recorded, summary.path):
        return None
    return (
        f"{trained.name} was trained on {before[0]:,} images of this set, all of which are evaluated, so their "
        "accuracy is flattered"
    )


def _same_place(one: str, other: str) -> bool:
    return os.path.realpath(os.path.expanduser(one)) == os.path.realpath(os.path.expanduser(other))
