"""Where a trainer stands, and so where the training data goes on; and whether it still is the same data."""

from collections.abc import Mapping, Sequence
from typing import Any

import lightning

from lit_cnn.data.loading.fingerprints import Fingerprints, other_images
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.huggingface import HubSplit
from lit_cnn.data.sources.load import Source, Split
from lit_cnn.data.sources.names import image_names, relative_path
from lit_cnn.lightning_internals import loop_position

VAL_SAMPLE = 2**14
"""Validation images that are remembered."""


def progress(trainer: lightning.Trainer | None) -> tuple[int, int]:
    """Epoch to train next and its micro-batches already done, which a resumed trainer has restored by now.

    A checkpoint written in or after the last batch of an epoch, but before the trainer counted that epoch, goes on
    with the next epoch; one written at the epoch's end has counted it. Without a trainer both are 0.
    """
    if trainer is None:
        return 0, 0
    position = loop_position(trainer)
    if not inside_epoch(trainer):
        return position.epochs_counted, 0
    if position.is_last_batch:
        return position.epochs_counted + 1, 0
    return position.epochs_counted, position.batches_done


def inside_epoch(trainer: lightning.Trainer | None) -> bool:
    """Whether the trainer has begun an epoch that it has not counted yet, be it for the validation at its end."""
    if trainer is None:
        return False
    position = loop_position(trainer)
    return position.epochs_begun != position.epochs_counted


def fingerprints(source: Source) -> dict[str, Fingerprints]:
    """What is remembered of the training and validation images; of the latter, fewer."""
    return {
        "train": Fingerprints.of(source.train, source.class_names),
        "val": Fingerprints.of(source.val, source.class_names, VAL_SAMPLE),
    }


def data_state(
    source: Source, trainer: lightning.Trainer | None, images: Mapping[str, Fingerprints] | None = None
) -> dict[str, Any]:
    """What order, held-out images and position in the epoch follow from, in tensors and built-in types for a
    checkpoint; ``images`` are the ``fingerprints``."""
    return {
        **{name: known.as_dict() for name, known in (images or {}).items()},
        "train_size": len(source.train),
        "val_size": len(source.val),
        "class_names": list(source.class_names),
        "accumulation": 1 if trainer is None else trainer.accumulate_grad_batches,
    }


def require_resumable(
    stored: dict[str, Any], now: dict[str, Any], source: Source, trainer: lightning.Trainer | None
) -> None:
    """Refuse to continue on data that is not the same (see ``require_same_data``), of which images themselves are
    compared where the checkpoint remembers them.

    Raises:
        ValueError: Naming what differs and what to do.
    """
    require_same_data(
        stored, now, inside=inside_epoch(trainer), changed=changed_images(stored, now, source) if stored else ()
    )


def changed_images(stored: dict[str, Any], now: dict[str, Any], source: Source) -> list[str]:
    """What differs of the images that both states remember, as parts of a sentence; empty where nothing does.

    Args:
        stored: ``data_state`` of the checkpoint.
        now: that of the resumed run.
        source: what it reads.
    """
    changes = []
    for name, title, split in (("train", "training", source.train), ("val", "validation", source.val)):
        if name not in stored or name not in now or stored[f"{name}_size"] != len(split):
            continue
        known = Fingerprints(**stored[name])
        others, resized = other_images(known, split, source.class_names)
        if others:
            what = "with other pixels" if isinstance(split, ArraySplit) else "not in it before"
            changes.append(_counted(others, title, what, split))
        if resized:
            changes.append(_counted(resized, title, "of another size in bytes", split))
        if not others and not resized and known.digest != now[name]["digest"]:
            changes.append(f"{title} images that differ in name, class or order")
    return changes


def _counted(rows: list[int], title: str, what: str, split: Split) -> str:
    example = f" ({relative_path(image_names(split), rows[0])})" if isinstance(split, FolderSplit | HubSplit) else ""
    return f"{len(rows)} {title} image{'s' if len(rows) > 1 else ''} {what}{example}"


def require_same_data(
    stored: dict[str, Any], now: dict[str, Any], *, inside: bool, changed: Sequence[str] = ()
) -> None:
    """Refuse to continue with other images or, inside an epoch, with other micro-batches than those counted so far.

    Args:
        stored: ``data_state`` of the checkpoint; keys that an older one lacks are not compared.
        now: That of the resumed run.
        inside: Whether the trainer stands ``inside_epoch``.
        changed: ``changed_images`` of the two.

    Raises:
        ValueError: Naming what differs and what to do.
    """
    stored = {**now, **stored}
    changes = [
        f"{now[key]} {name} images instead of {stored[key]}"
        for key, name in (("train_size", "training"), ("val_size", "validation"))
        if now[key] != stored[key]
    ]
    if now["class_names"] != stored["class_names"]:
        changes.append(_other_classes(stored["class_names"], now["class_names"]))
    changes += changed
    if changes:
        raise ValueError(
            f"the data set is not the one this run began with: it has {', '.join(changes)}, so order and held-out "
            "images would be others; put the files back (data.on_error skip leaves out those that are broken) or start "
            "a new run"
        )
    if inside and now["accumulation"] != stored["accumulation"]:
        raise ValueError(
            "the checkpoint stands inside an epoch, whose batches were counted with trainer.accumulate_grad_batches "
            f"{stored['accumulation']}, and cannot go on with {now['accumulation']}: keep {stored['accumulation']} "
            "until an epoch has ended, or start a new run"
        )


def _other_classes(stored: list[str], now: list[str]) -> str:
    different = [(name, before) for name, before in zip(now, stored, strict=False) if name != before]
    if len(stored) != len(now):
        return f"{len(now)} classes instead of {len(stored)}"
    return f"the class {different[0][0]} instead of {different[0][1]}"
