"""Classes of image files."""

import csv
import json
from pathlib import Path

from lit_cnn.data.sources.folders import list_images
from lit_cnn.evaluation.trained import Prediction


def find_images(names: list[str]) -> list[str]:
    """Image files of files and folders, in order.

    Raises:
        ValueError: If a name does not exist or a folder holds no image.
    """
    files: list[str] = []
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            found = list_images(path)
            if not found:
                raise ValueError(f"the folder {name} holds no image")
            files += found
        elif path.is_file():
            files.append(str(path))
        else:
            raise ValueError(f"there is no image {name}")
    return files


def write_predictions(predictions: list[Prediction], path: Path) -> None:
    """Write CSV or JSON, by the ending of ``path``.

    Raises:
        ValueError: If the ending is another.
    """
    if path.suffix == ".json":
        path.write_text(json.dumps([vars(prediction) for prediction in predictions], indent=2) + "\n")
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            width = len(predictions[0].classes) if predictions else 0
            columns = [f"{name}{rank}" for rank in range(1, width + 1) for name in ("class", "probability")]
            writer.writerow(["file", *columns])
            for prediction in predictions:
                pairs = zip(prediction.classes, prediction.probabilities, strict=True)
                writer.writerow([prediction.file, *[value for pair in pairs for value in pair]])
    else:
        raise ValueError(f"predictions are written as .csv or .json, not {path.suffix or 'without an ending'}: {path}")
