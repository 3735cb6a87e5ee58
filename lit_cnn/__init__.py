"""lit-cnn: train and compare convolutional networks, and tune their recipes.

Everything is imported when first used: ``create_model``, ``list_models`` and ``model_info`` need torch alone, the
others Lightning too.
Lightning's tips to install other products are silenced; its other messages, and all other loggers, are as they were.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lit_cnn.lightning_tips import silence_tips

if TYPE_CHECKING:
    from lit_cnn.architectures.catalog import find_entry as model_info
    from lit_cnn.architectures.catalog import list_models
    from lit_cnn.data.module import ImageData
    from lit_cnn.evaluation.trained import load_trained as load_model
    from lit_cnn.experiment.fit import fit
    from lit_cnn.experiment.recipe import Recipe
    from lit_cnn.pretrained.creating import create_model
    from lit_cnn.training.classifier import Classifier

__version__ = "0.1.0"
__all__ = [
    "Classifier",
    "ImageData",
    "Recipe",
    "__version__",
    "create_model",
    "fit",
    "list_models",
    "load_model",
    "model_info",
]
silence_tips()  # here, since a Trainer made before the first Classifier would log them
_LATER = {
    "Classifier": ("lit_cnn.training.classifier", "Classifier"),
    "ImageData": ("lit_cnn.data.module", "ImageData"),
    "create_model": ("lit_cnn.pretrained.creating", "create_model"),
    "list_models": ("lit_cnn.architectures.catalog", "list_models"),
    "model_info": ("lit_cnn.architectures.catalog", "find_entry"),
    "Recipe": ("lit_cnn.experiment.recipe", "Recipe"),
    "fit": ("lit_cnn.experiment.fit", "fit"),
    "load_model": ("lit_cnn.evaluation.trained", "load_trained"),
}
"""Name -> module and the name there, imported at first use."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'lit_cnn' has no attribute {name!r}")
    module, there = _LATER[name]
    return getattr(importlib.import_module(module), there)
