"""The validation images with the highest loss, drawn and as a table: wrong labels and hard cases show here first."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lit_cnn.reports.contact_sheet import draw_contact_sheet
from lit_cnn.reports.names import distinct, shortened
from lit_cnn.run_folder.atomic import replacing

_NAME_LENGTH = 11
_FILE_LENGTH = 18


def draw_worst(
    images: ArrayLike,
    losses: ArrayLike,
    true: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    out_png: Path,
    *,
    title: str = "",
    files: Sequence[str] | None = None,
) -> Path:
    """Draw images sorted by falling loss, with what they are and what the network said; wrong answers are framed red.

    A CSV of the same name stands next to the picture: file, true, said, probability, loss and right (1 or 0).

    Args:
        images: uint8 (N, C, H, W).
        losses: float (N,).
        true: int64 (N,), the classes of the labels.
        predicted: int64 (N,), the classes said.
        probabilities: float (N,), the probability of the said class.
        class_names: K names.
        out_png: The picture; parent folders are made.
        title: Which images and weights these are.
        files: N paths of the images, or other names.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no image or the lengths differ.
    """
    pixels, loss, label, said, probability = map(np.asarray, (images, losses, true, predicted, probabilities))
    places = list(files or [""] * len(pixels))
    lengths = {len(part) for part in (pixels, loss, label, said, probability, places)}
    if len(lengths) != 1 or not len(pixels):
        raise ValueError(f"the worst images need one loss, label and prediction for each image, got lengths {lengths}")
    order = np.argsort(-loss, kind="stable")
    names = distinct(class_names, _NAME_LENGTH)
    captions, rows = [], []
    for i in order.tolist():
        answer = f"true {names[int(label[i])]}\nsaid {names[int(said[i])]} {_percent(float(probability[i]))}"
        file = [shortened(os.path.basename(places[i]), _FILE_LENGTH)] if places[i] else []
        lines = [answer, f"loss {float(loss[i]):.2f}", *file]
        captions.append("\n".join(lines))
        called = [class_names[int(label[i])], class_names[int(said[i])]]
        rows.append([places[i], *called, float(probability[i]), float(loss[i]), int(label[i] == said[i])])
    wrong = [place for place, row in enumerate(rows) if not row[-1]]
    heading = f"images with the highest loss, wrong answers framed{': ' + title if title else ''}"
    path = draw_contact_sheet(pixels[order], captions, out_png, title=heading, framed=wrong)
    _write_rows(rows, Path(out_png).with_suffix(".csv"))
    return path


def _write_rows(rows: Sequence[Sequence[object]], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "true", "said", "probability", "loss", "right"])
    writer.writerows(rows)
    with replacing(path) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape", newline="")


def _percent(probability: float) -> str:
    """``93 %``; never rounded up to a certainty."""
    return ">99 %" if 0.995 <= probability < 1 else f"{100 * probability:.0f} %"
