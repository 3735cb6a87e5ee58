"""Networks in plain PyTorch, one file per paper."""

from lit_cnn.architectures.catalog import create_model, list_models
from lit_cnn.architectures.features import FeatureExtractor

__all__ = ["FeatureExtractor", "create_model", "list_models"]
