"""A missing package is one sentence with the command that installs it."""

import importlib.util

import pytest

from lit_cnn.exporting.packages import EXTRAS, require_packages


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name.startswith("onnx") else object())
    with pytest.raises(ValueError, match=r"^--format onnx needs onnx and onnxscript and onnxruntime, which are not"):
        require_packages("onnx", "--format onnx")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"needs executorch, which is not installed: pip install 'lit-cnn\[exec"):
        require_packages("executorch", "ExecuTorch")


def test_formats_of_torch_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    require_packages("torch-export", "it")
    assert set(EXTRAS) == {"onnx", "executorch"}
