"""Weights from elsewhere: moved by structure, accepted by output."""

from typing import Any

_WHERE = {
    "transfer_weights": "lit_cnn.pretrained.transfer",
    "TransferReport": "lit_cnn.pretrained.transfer",
    "read_weights": "lit_cnn.pretrained.reading",
}

__all__ = ["TransferReport", "read_weights", "transfer_weights"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)
