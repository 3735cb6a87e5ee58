"""What a run is, which a resumed run must keep, and where it happens, which may change."""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

MACHINE_KEYS = (
    *("data.path", "data.workers", "data.file_index", "data.eval_batch_size", "data.on_error", "data.seed"),
    "data.max_pixels",
    *("model.seed", "model.channels_last", "model.compile", "model.activation_checkpointing", "model.optimizer.kernel"),
)
"""Keys below ``data`` and ``model`` that say where a run happens or what it does about broken files, or repeat another
key."""
IDENTITY_KEYS = (
    "task",
    "model",
    "data",
    "seed_everything",
    "ema",
    "stochastic_depth",
    "progressive_learning",
    "early_stopping",
    "monitor",
    *("trainer.max_epochs", "trainer.max_steps", "trainer.limit_train_batches", "trainer.overfit_batches"),
)
"""Keys that say what a run is, how long it is and by what its best is chosen; a resumed run must keep them."""
EXTENDABLE_KEYS = (
    "monitor",
    *("trainer", "early_stopping", "model.optimizer", "model.schedule", "model.clipping", "model.loss", "model.sam"),
    *("data.crop", "data.flip", "data.color_jitter", "data.shear", "data.auto_augment", "data.rand_augment"),
    *("data.cutout", "data.random_erasing", "data.mixup", "data.cutmix", "data.mixing"),
    *("data.scale_jitter", "data.visibility"),
)
"""Keys that a run which extends another may change: how long, how fast and on which augmentations it trains, and by
what its best is chosen."""
STATE_KEYS = tuple(f"model.optimizer.{key}" for key in ("name", "decay_excluded", "layer_decay", "head_factor"))
"""Keys below ``EXTENDABLE_KEYS`` on which the layout of the optimizer's state depends."""


def describe_changes(stored: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Every key that differs, as ``key (before -> now)``; empty if none does."""
    before, now = dict(leaves("", stored)), dict(leaves("", wanted))
    different = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    return ", ".join(f"{key} ({before.get(key)!r} -> {now.get(key)!r})" for key in different)


def leaves(prefix: str, value: Any) -> Iterable[tuple[str, Any]]:
    """Dotted keys and values of nested mappings."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(f"{prefix}.{key}" if prefix else key, inner)
    else:
        yield prefix, value


def nested(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Undo ``leaves``: dotted keys as mappings in mappings.

    Raises:
        ValueError: If a key has a value and further keys below it.
    """
    result: dict[str, Any] = {}
    for key, value in keys.items():
        *path, last = key.split(".")
        if above := next((name for name in accumulate(path, "{}.{}".format) if name in keys), None):
            raise ValueError(f"{above} has the value {keys[above]!r} and a key below it, {key}: leave one of them out")
        place = result
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return result


def check_identity(stored: dict[str, Any], wanted: dict[str, Any], folder: Path | None = None) -> None:
    """Refuse to continue a run as something else.

    Args:
        stored: The run's recipe.
        wanted: What it is to go on as.
        folder: Where it is, for the command that extends it.

    Raises:
        ValueError: Naming the keys that differ.
    """
    changes = describe_changes(identity(stored), identity(wanted))
    if changes:
        possible = not describe_changes(_kept(stored), _kept(wanted))
        advice = f"a new run that carries its state is: lit-cnn fit --extend {folder or 'RUN'} --trainer.max_epochs N"
        raise ValueError(
            f"a resumed run must stay the same run, but these keys differ: {changes}; "
            + (advice if possible else "start a new run for that")
        )


def check_extension(folder: Path, stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to extend the run ``folder`` with other data, or a network or optimizer that its state does not fit.

    Raises:
        ValueError: Naming the keys that differ.
    """
    if changes := describe_changes(_kept(stored), _kept(wanted)):
        raise ValueError(
            f"a run that extends another keeps its network, data and optimizer, but these keys differ: {changes}; to "
            f"take its weights alone, start a new run with --model.initial.checkpoint {folder}/checkpoints/best.ckpt"
        )


def _kept(config: dict[str, Any]) -> dict[str, Any]:
    """Dotted keys and values that also a run that extends another keeps."""
    return {
        key: value for key, value in identity(config).items() if key in STATE_KEYS or not _below(key, EXTENDABLE_KEYS)
    }


def identity(config: dict[str, Any]) -> dict[str, Any]:
    """Dotted keys and values of what a run is."""
    return {key: value for key, value in leaves("", config) if key not in MACHINE_KEYS and _below(key, IDENTITY_KEYS)}


def _below(key: str, sections: Iterable[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)
