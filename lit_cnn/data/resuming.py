"""Where a trainer stands, and so where the training data goes on."""

import lightning


def progress(trainer: lightning.Trainer | None) -> tuple[int, int]:
    """Epoch to train next and its micro-batches already done, which a resumed trainer has restored by now.

    A checkpoint written in or after the last batch of an epoch, but before the trainer counted that epoch, goes on
    with the next epoch; one written at the epoch's end has counted it. Without a trainer both are 0.
    """
    if trainer is None:
        return 0, 0
    epochs = trainer.fit_loop.epoch_progress.current
    batches = trainer.fit_loop.epoch_loop.batch_progress
    if epochs.ready == epochs.processed:  # type: ignore[attr-defined]
        return epochs.processed, 0  # type: ignore[attr-defined]
    if batches.is_last_batch:
        return epochs.processed + 1, 0  # type: ignore[attr-defined]
    return epochs.processed, batches.current.processed  # type: ignore[attr-defined]
