"""What a network says of each labeled image: the records of ``validate --predictions``."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.record_file import Record, RecordFile
from lit_cnn.training.ranks import label_ranks


def results_file(path: Path, images: EvaluationImages) -> RecordFile:
    """A file for ``image_records``: images of files have a file, others a row."""
    return RecordFile(path, [_key(images), "label", "prediction", "probability", "rank"])


def image_records(
    images: EvaluationImages, class_names: Sequence[str], rows: Tensor, probabilities: Tensor
) -> list[Record]:
    """One record for each of n images, in their order.

    Its rank is the place of the image's label among the classes by probability, 1 for a right prediction.

    Args:
        images: All that are evaluated.
        class_names: K names.
        rows: int64 (n,), which of the images these are.
        probabilities: (n, K).
    """
    labels = images.labels[rows]
    best, ranks = probabilities.max(dim=1), label_ranks(probabilities, labels) + 1
    paths = images.split.paths if isinstance(images.split, FolderSplit) else None
    columns = rows.tolist(), labels.tolist(), best.indices.tolist(), best.values.tolist(), ranks.tolist()
    records = []
    for row, label, prediction, probability, rank in zip(*columns, strict=True):
        fields = {
            _key(images): row if paths is None else paths[row],
            "label": class_names[label],
            "prediction": class_names[prediction],
            "probability": probability,
            "rank": rank,
        }
        records.append(Record(list(fields.values()), fields))
    return records


def _key(images: EvaluationImages) -> str:
    return "file" if isinstance(images.split, FolderSplit) else "row"
