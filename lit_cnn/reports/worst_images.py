"""The validation images with the highest loss: wrong labels and hard cases show here first."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from lit_cnn.reports.contact_sheet import draw_contact_sheet
from lit_cnn.reports.names import distinct

_NAME_LENGTH = 11


def draw_worst(
    images: Tensor,
    losses: Tensor,
    true: Tensor,
    predicted: Tensor,
    probabilities: Tensor,
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
    lengths = {len(part) for part in (images, losses, true, predicted, probabilities)}
    if len(lengths) != 1 or not len(images):
        raise ValueError(f"the worst images need one loss, label and prediction for each image, got lengths {lengths}")
    order = losses.argsort(descending=True, stable=True)
    names = distinct(class_names, _NAME_LENGTH)
    captions = [
        f"true {names[int(true[i])]}\n"
        f"said {names[int(predicted[i])]} {_percent(float(probabilities[i]))}\n"
        f"loss {float(losses[i]):.2f}"
        for i in order.tolist()
    ]
    heading = f"images with the highest loss{': ' + title if title else ''}"
    return draw_contact_sheet(images[order], captions, out_png, title=heading)


def _percent(probability: float) -> str:
    """``93 %``; never rounded up to a certainty."""
    return ">99 %" if 0.995 <= probability < 1 else f"{100 * probability:.0f} %"
