"""The validation images with the highest loss: wrong labels and hard cases show here first."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lit_cnn.reports.contact_sheet import draw_contact_sheet
from lit_cnn.reports.names import distinct

_NAME_LENGTH = 11


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
) -> Path:
    """Draw images sorted by falling loss, with what they are and what the network said.

    Args:
        images: uint8 (N, C, H, W).
        losses: float (N,).
        true: int64 (N,), the classes of the labels.
        predicted: int64 (N,), the classes said.
        probabilities: float (N,), the probability of the said class.
        class_names: K names.
        out_png: The picture; parent folders are made.
        title: Which images and weights these are.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no image or the lengths differ.
    """
    pixels, loss, label, said, probability = map(np.asarray, (images, losses, true, predicted, probabilities))
    lengths = {len(part) for part in (pixels, loss, label, said, probability)}
    if len(lengths) != 1 or not len(pixels):
        raise ValueError(f"the worst images need one loss, label and prediction for each image, got lengths {lengths}")
    order = np.argsort(-loss, kind="stable")
    names = distinct(class_names, _NAME_LENGTH)
    captions = [
        f"true {names[int(label[i])]}\n"
        f"said {names[int(said[i])]} {_percent(float(probability[i]))}\n"
        f"loss {float(loss[i]):.2f}"
        for i in order.tolist()
    ]
    heading = f"images with the highest loss{': ' + title if title else ''}"
    return draw_contact_sheet(pixels[order], captions, out_png, title=heading)


def _percent(probability: float) -> str:
    """``93 %``; never rounded up to a certainty."""
    return ">99 %" if 0.995 <= probability < 1 else f"{100 * probability:.0f} %"
