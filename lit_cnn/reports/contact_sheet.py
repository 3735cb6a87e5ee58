"""A contact sheet: a batch of images with what each is, as the network sees it."""

import math
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from lit_cnn.reports.canvas import GRID, INK, RED, image_array, new_figure, write_figure
from lit_cnn.reports.names import distinct, shortened

_CELL = 1.25
"""Width of one image in inches; its caption lines stand below."""
_LINE = 0.16
"""Height of a caption line in inches."""
_MARGIN = 0.15
_LINE_LENGTH = 22
_TITLE_LETTER = 0.1
"""Width of a letter of the title in inches."""


def draw_contact_sheet(
    images: ArrayLike,
    captions: Sequence[str],
    out_png: Path,
    columns: int = 8,
    title: str = "",
    framed: Collection[int] = (),
) -> Path:
    """Draw images with captions; small images are enlarged without smoothing.

    Args:
        images: uint8 (N, C, H, W), gray (C = 1) or color (C = 3); of four channels the first three are shown.
        captions: N texts; a line break starts a second line.
        out_png: The picture; parent folders are made.
        columns: Images in a row.
        title: Heading of the sheet.
        framed: Numbers of the images with a red frame.

    Returns:
        ``out_png``.

    Raises:
        ValueError: If there is no image, or not one caption for each.
    """
    shown = np.asarray(images)
    if not len(shown) or len(shown) != len(captions):
        raise ValueError(f"a contact sheet needs one caption for each image, got {len(shown)} and {len(captions)}")
    columns = min(columns, len(shown))
    rows = math.ceil(len(shown) / columns)
    texts = [wrapped_caption(text) for text in captions]
    lines = max(text.count("\n") + 1 for text in texts)
    head = 0.42 if title else _MARGIN
    tall = _CELL * shown.shape[2] / shown.shape[3]
    step_x, step_y = _CELL + _MARGIN, tall + lines * _LINE + 0.12
    width, height = columns * step_x + _MARGIN, head + rows * step_y + _MARGIN / 2
    figure = new_figure(width, height)
    if title:
        title = shortened(title, int((width - 2 * _MARGIN) / _TITLE_LETTER))
        figure.text(_MARGIN / width, 1 - 0.13 / height, title, va="top", fontsize=11, fontweight="bold", color=INK)
    for number, (image, text) in enumerate(zip(shown, texts, strict=True)):
        left = _MARGIN + number % columns * step_x
        top = height - head - number // columns * step_y
        axes = figure.add_axes((left / width, (top - tall) / height, _CELL / width, tall / height))
        show_image(axes, image, RED if number in framed else GRID)
        for row, line in enumerate(text.split("\n"), start=1):
            baseline = (top - tall - row * _LINE) / height
            figure.text((left + _CELL / 2) / width, baseline, line, ha="center", fontsize=7.5, color=INK)
    return write_figure(figure, out_png)


def draw_targets(
    images: ArrayLike, targets: Iterable[ArrayLike], names: Sequence[str], out_png: Path, title: str
) -> Path:
    """Draw images with what they are: a contact sheet with the ``caption`` of each target as its text."""
    return draw_contact_sheet(images, [caption(target, names) for target in targets], out_png, title=title)


def show_image(axes: Axes, image: np.ndarray, frame: str) -> None:
    """Draw an image, uint8 (C, H, W), with a frame of this color; a small one is enlarged without smoothing."""
    smooth = image.shape[-1] > 160
    axes.imshow(image_array(image), interpolation="antialiased" if smooth else "nearest", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=frame, linewidth=0.6 if frame == GRID else 2.5)


def caption(target: ArrayLike, class_names: Sequence[str]) -> str:
    """What an image is: ``cat``, or ``cat 0.7 / dog 0.3`` for a target on the simplex.

    Args:
        target: Class index, or float (K,); shares below 0.05 and all but the three largest are left out.
        class_names: K names; long ones are shortened such that they stay different.

    Raises:
        ValueError: If the target does not fit the class names.
    """
    shares = np.asarray(target)
    if not np.issubdtype(shares.dtype, np.floating):
        index = int(shares)
        if not 0 <= index < len(class_names):
            raise ValueError(f"class {index} has no name: there are {len(class_names)} class names")
        return distinct(class_names, _LINE_LENGTH)[index]
    if shares.shape != (len(class_names),):
        raise ValueError(f"a soft target needs {len(class_names)} shares, one for each class, got {shares.shape}")
    order = np.argsort(-shares, kind="stable")[:3].tolist()
    names = distinct(class_names, _LINE_LENGTH - len(" 0.70 /"))
    parts = [(names[k], float(shares[k])) for k in order if float(shares[k]) >= 0.05 or k == order[0]]
    if len(parts) == 1 and parts[0][1] > 0.995:
        return parts[0][0]
    return " / ".join(f"{name} {share:.1f}" if len(parts) > 1 else f"{name} {share:.2f}" for name, share in parts)


def wrapped_caption(text: str) -> str:
    """Lines that fit below an image: broken after a slash where too long, then shortened."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) > _LINE_LENGTH and " / " in line:
            parts = line.split(" / ")
            lines += [*(f"{part} /" for part in parts[:-1]), parts[-1]]
        else:
            lines.append(line)
    return "\n".join(shortened(line, _LINE_LENGTH) for line in lines)
