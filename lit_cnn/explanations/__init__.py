"""Where a network's answer comes from in the image: maps of evidence, occlusion, first-layer filters."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit_cnn.explanations.activation_maps import class_activation_map, grad_cam
    from lit_cnn.explanations.occluding import occlusion

__all__ = ["class_activation_map", "grad_cam", "occlusion"]
_WHERE = {
    "class_activation_map": "lit_cnn.explanations.activation_maps",
    "grad_cam": "lit_cnn.explanations.activation_maps",
    "occlusion": "lit_cnn.explanations.occluding",
}
"""Name -> its module, imported at first use."""


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
