"""The packages that formats need and that are installed on request."""

import importlib.util

EXTRAS = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "executorch": ("executorch",),
}
"""Extra of this package -> what it installs; each is the name of a format too."""


def require_packages(extra: str, purpose: str) -> None:
    """Refuse what needs packages that are not installed.

    Raises:
        ValueError: With the command that installs them.
    """
    missing = [name for name in EXTRAS.get(extra, ()) if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{purpose} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            f"pip install 'lit-cnn[{extra}]'"
        )
