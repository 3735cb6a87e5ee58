"""Records of labeled images: label, prediction, probability and rank by hand."""

from pathlib import Path

import torch
from colors import NAMES

from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import RGB
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.image_results import image_records, results_file
from lit_cnn.evaluation.images import EvaluationImages

LABELS = torch.tensor([0, 1, 2, 0])
FILES = EvaluationImages(FolderSplit(PathTable.of(["a.png", "b.png", "c.png", "d.png"]), LABELS), RGB, "files")
ARRAYS = EvaluationImages(ArraySplit(torch.zeros(4, 3, 2, 2, dtype=torch.uint8), LABELS), RGB, "arrays")
PROBABILITIES = torch.tensor([[0.5, 0.25, 0.25], [0.75, 0.125, 0.125], [0.5, 0.375, 0.125]])


def test_the_rank_is_the_place_of_the_label() -> None:
    records = image_records(FILES, NAMES, torch.tensor([0, 1, 2]), PROBABILITIES)
    assert [record.cells for record in records] == [
        ["a.png", NAMES[0], NAMES[0], 0.5, 1],
        ["b.png", NAMES[1], NAMES[0], 0.75, 2],
        ["c.png", NAMES[2], NAMES[0], 0.5, 3],
    ]
    assert records[1].fields == {
        "file": "b.png",
        "label": NAMES[1],
        "prediction": NAMES[0],
        "probability": 0.75,
        "rank": 2,
    }


def test_rows_may_be_left_out() -> None:
    (record,) = image_records(FILES, NAMES, torch.tensor([3]), torch.tensor([[0.2, 0.3, 0.5]]))
    assert record.cells[:3] == ["d.png", NAMES[0], NAMES[2]]
    assert record.cells[-1] == 3


def test_arrays_have_rows_instead_of_files() -> None:
    records = image_records(ARRAYS, NAMES, torch.tensor([1, 3]), PROBABILITIES[:2])
    assert [record.fields["row"] for record in records] == [1, 3]
    assert results_file(Path("p.csv"), ARRAYS).columns[0] == "row"
    assert results_file(Path("p.csv"), FILES).columns == ["file", "label", "prediction", "probability", "rank"]
