"""lit-cnn: train and compare convolutional networks, and tune their recipes.

``create_model`` and ``list_models`` need torch alone; ``Classifier`` and ``ImageData`` import Lightning when first
used.
"""

from typing import TYPE_CHECKING, Any

from lit_cnn.architectures.catalog import create_model, list_models

if TYPE_CHECKING:
    from lit_cnn.data.module import ImageData
    from lit_cnn.training.classifier import Classifier

__version__ = "0.1.0"
__all__ = ["Classifier", "ImageData", "__version__", "create_model", "list_models"]


def __getattr__(name: str) -> Any:
    if name == "Classifier":
        from lit_cnn.training.classifier import Classifier

        return Classifier
    if name == "ImageData":
        from lit_cnn.data.module import ImageData

        return ImageData
    raise AttributeError(f"module 'lit_cnn' has no attribute {name!r}")
