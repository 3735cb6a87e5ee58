"""Networks in plain PyTorch, one file per paper."""

from lit_cnn.architectures.catalog import create_model, list_models

__all__ = ["create_model", "list_models"]
