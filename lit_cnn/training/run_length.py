"""How long an epoch and a run are in optimizer steps, from the settings and the data alone.

Lightning's own estimate would open the training loader, before a checkpoint's position in the data is restored and
before the images of its stages are known.
"""

import math

import lightning.pytorch as pl


def steps_of_epoch(trainer: pl.Trainer, full: int) -> int:
    """Optimizer steps of an epoch under ``limit_train_batches``.

    Args:
        full: Steps of an epoch of all data.

    Raises:
        ValueError: If the limit leaves none.
    """
    whole, limit = full * trainer.accumulate_grad_batches, trainer.limit_train_batches
    batches = min(whole, limit) if isinstance(limit, int) else int(whole * limit)
    if batches == 0:
        raise ValueError(
            f"trainer.limit_train_batches {limit:g} of an epoch of {whole} batches is none of them: state a larger "
            "share, or a number of batches"
        )
    return math.ceil(batches / trainer.accumulate_grad_batches)


def steps_of_run(trainer: pl.Trainer, steps: int) -> int | None:
    """Optimizer steps of the run by ``max_epochs`` and ``max_steps``; None where neither ends it.

    Args:
        steps: Of an epoch.
    """
    limits = [trainer.max_steps] if trainer.max_steps >= 0 else []
    limits += [steps * trainer.max_epochs] if trainer.max_epochs is not None and trainer.max_epochs >= 0 else []
    return min(limits, default=None)
