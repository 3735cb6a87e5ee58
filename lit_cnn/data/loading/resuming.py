"""Where a trainer stands, and so where the training data goes on; and whether it still is the same data."""

from typing import Any

import lightning

from lit_cnn.data.sources.load import Source
from lit_cnn.lightning_internals import loop_position


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


def data_state(source: Source, trainer: lightning.Trainer | None) -> dict[str, Any]:
    """What order, held-out images and position in the epoch follow from, in built-in types for a checkpoint."""
    return {
        "train_size": len(source.train),
        "val_size": len(source.val),
        "class_names": list(source.class_names),
        "accumulation": 1 if trainer is None else trainer.accumulate_grad_batches,
    }


def require_same_data(stored: dict[str, Any], now: dict[str, Any], *, inside: bool) -> None:
    """Refuse to continue with other images or, inside an epoch, with other micro-batches than those counted so far.

    Args:
        stored: ``data_state`` of the checkpoint; keys that an older one lacks are not compared.
        now: That of the resumed run.
        inside: Whether the trainer stands ``inside_epoch``.

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
