"""What benchmarks/search_estimators.py has measured: a line for each training and each score."""

import csv
import json
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock

EPOCHS = 10
"""Of the truth."""
TRUTH_SEED, OTHER_SEED = 0, 1


@dataclass(frozen=True)
class Result:
    """One line of the file.

    Args:
        network: Its encoding.
        number: In the sample, from 0; a parent has its child's.
        seed: Of initial weights, order and augmentation.
        what: "train", "parent" and "inherit" (trainings), "synflow", "params", "madds", "naswot" (scores).
        epochs: Trained; 0 for scores.
        value: Accuracy at the end, or the score.
        val_loss: At the end; empty for scores.
        curve: Validation accuracy after each epoch.
        losses: Mean training loss of each epoch.
        seconds: Of processor time, for the training with its validations or for the score.
    """

    network: str
    number: int
    seed: int
    what: str
    epochs: int
    value: float
    val_loss: float | None
    curve: list[float]
    losses: list[float]
    seconds: float

    @property
    def key(self) -> tuple[int, int, str, int]:
        return (self.number, self.seed, self.what, self.epochs)


def read_results(path: Path) -> list[Result]:
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [
            Result(
                row["network"],
                int(row["number"]),
                int(row["seed"]),
                row["what"],
                int(row["epochs"]),
                float(row["value"]),
                float(row["val_loss"]) if row["val_loss"] else None,
                json.loads(row["curve"]),
                json.loads(row["losses"]),
                float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


def append(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(tempfile.gettempdir()) / f"{path.name}.lock")
    with lock, path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Result)], lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow(asdict(result) | {"curve": json.dumps(result.curve), "losses": json.dumps(result.losses)})
