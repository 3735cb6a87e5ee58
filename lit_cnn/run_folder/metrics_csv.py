"""Reading the ``metrics.csv`` of a run."""

import csv
import io
from pathlib import Path


def read_metrics(path: Path | str) -> list[dict[str, float]]:
    """Rows of a metrics file as {name: value}, without the empty cells and without a last row that a kill has cut off.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a metrics file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no metrics file {path}: pass the metrics.csv of a run folder")
    try:
        names = read_header(path)
        text = path.read_bytes().decode()
        whole = text[: text.rindex("\n") + 1]  # the last row may be cut off where a run was killed
        lines = list(csv.reader(io.StringIO(whole, newline="")))[1:]
        if names[:2] != ["epoch", "step"] or any(len(line) != len(names) or not line[1] for line in lines):
            raise ValueError
        return [{name: float(cell) for name, cell in zip(names, line, strict=True) if cell} for line in lines]
    except (ValueError, csv.Error):
        raise ValueError(
            f"{path} is not a metrics file: expected a header epoch,step,… and rows of numbers of that length; "
            "pass the metrics.csv of a run folder"
        ) from None


def read_header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])
