"""Predictions as the records of files."""

from pathlib import Path

from lit_cnn.evaluation.predict import Prediction
from lit_cnn.evaluation.record_file import Record, RecordFile


def answer(prediction: Prediction, min_probability: float | None) -> str | None:
    """The most probable class, or None where it is less probable than ``min_probability`` or the file is broken."""
    if not prediction.classes or prediction.probabilities[0] < (min_probability or 0.0):
        return None
    return prediction.classes[0]


def prediction_file(path: Path, top_k: int, min_probability: float | None = None) -> RecordFile:
    """A file for the ``prediction_record`` of predictions of ``top_k`` classes."""
    pairs = [f"{name}{rank + 1}" for rank in range(top_k) for name in ("class", "probability")]
    return RecordFile(path, ["file", *pairs, *([] if min_probability is None else ["answer"]), "error"])


def prediction_record(prediction: Prediction, top_k: int, min_probability: float | None = None) -> Record:
    """A prediction, with its ``answer`` where a ``min_probability`` is asked for."""
    pairs = [cell for pair in zip(prediction.classes, prediction.probabilities, strict=True) for cell in pair]
    padded = pairs + [None] * (2 * top_k - len(pairs))
    asked = {} if min_probability is None else {"answer": answer(prediction, min_probability)}
    fields = {
        "file": prediction.file,
        "classes": prediction.classes,
        "probabilities": prediction.probabilities,
        **asked,
        "error": prediction.error,
    }
    return Record([prediction.file, *padded, *asked.values(), prediction.error], fields)
