"""Networks in the form in which they are used outside of training: files of other programs, and faster copies.

``export_onnx`` is imported when first used: ``lit-cnn predict --fold`` starts faster without.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit_cnn.exporting.onnx_file import OnnxFile, export_onnx

__all__ = ["OnnxFile", "export_onnx"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lit_cnn.exporting' has no attribute {name!r}")
    from lit_cnn.exporting import onnx_file

    return getattr(onnx_file, name)
