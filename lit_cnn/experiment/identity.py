"""What a run is, which a resumed run must keep, and where it happens, which may change."""

from collections.abc import Iterable, Mapping
from typing import Any

MACHINE_KEYS = (
    *("data.path", "data.workers", "data.file_index", "data.eval_batch_size", "data.on_error", "data.seed"),
    "data.max_pixels",
    *("model.seed", "model.channels_last", "model.compile", "model.activation_checkpointing", "model.optimizer.kernel"),
)
"""Keys below ``data`` and ``model`` that say where a run happens or what it does about broken files, or repeat another
key."""
IDENTITY_KEYS = (
    "model",
    "data",
    "seed_everything",
    "ema",
    "stochastic_depth",
    "progressive_learning",
    "early_stopping",
    "trainer.max_epochs",
    "trainer.max_steps",
)
"""Keys that say what a run is; a resumed run must keep them."""


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
    """Undo ``leaves``: dotted keys as mappings in mappings."""
    result: dict[str, Any] = {}
    for key, value in keys.items():
        *path, last = key.split(".")
        place = result
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return result


def check_identity(stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to continue a run as something else.

    Raises:
        ValueError: Naming the keys that differ.
    """
    changes = describe_changes(identity(stored), identity(wanted))
    if changes:
        raise ValueError(
            f"a resumed run must stay the same run, but these keys differ: {changes}; start a new run for that"
        )


def identity(config: dict[str, Any]) -> dict[str, Any]:
    """Dotted keys and values of what a run is."""
    return {
        key: value
        for key, value in leaves("", config)
        if key not in MACHINE_KEYS and any(key == part or key.startswith(f"{part}.") for part in IDENTITY_KEYS)
    }
