"""What ``lit-cnn explain`` says of images: rows of tables, captions of pictures, built-in types for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import percent
from lit_cnn.cli.tables import Column, Table
from lit_cnn.reports.explained import Group, Item, Panel

if TYPE_CHECKING:
    from lit_cnn.explanations.confused import Confusion
    from lit_cnn.explanations.explaining import Evidence, ExplainedImage


def report_of_images(explained: Sequence[ExplainedImage], class_names: Sequence[str]) -> list[dict[str, Any]]:
    """Built-in types for JSON; ``at`` is the place of a map's largest value, x and y in pixels of the crop."""
    return [
        {
            "file": image.name,
            "class": class_names[image.predicted],
            "probability": image.probability,
            "true": None if image.true is None else class_names[image.true],
            "maps": [_report_of(each, class_names) for each in image.evidence],
        }
        for image in explained
    ]


def _report_of(evidence: Evidence, class_names: Sequence[str]) -> dict[str, Any]:
    highest, at = evidence.highest
    name, share = class_names[evidence.number], evidence.probability
    return {"class": name, "probability": share, "highest": highest, "at": list(at)}


def report_of_pairs(confusion: Confusion, class_names: Sequence[str]) -> dict[str, Any]:
    """Built-in types for JSON."""
    pairs = [
        {
            "true": pair.true,
            "predicted": pair.predicted,
            "count": pair.count,
            "share": pair.share,
            "images": report_of_images(pair.images, class_names),
        }
        for pair in confusion.pairs
    ]
    return {"images": confusion.images, "wrong": confusion.wrong, "pairs": pairs}


def images_table(explained: Sequence[ExplainedImage], class_names: Sequence[str]) -> Table:
    """A row for each map; ``at`` in pixels of the crop."""
    columns = (
        Column("file", "name"),
        Column("class", "name"),
        Column("probability"),
        Column("map's highest"),
        Column("at x, y"),
        Column("true", "name"),
    )
    rows = []
    for image in explained:
        true = "–" if image.true is None else class_names[image.true]
        for evidence in image.evidence:
            highest, (x, y) = evidence.highest
            name, share = class_names[evidence.number], percent(evidence.probability)
            rows.append([Path(image.name).name, name, share, f"{highest:.3g}", f"{x}, {y}", true])
    known = [image for image in explained if image.true is not None]
    right = sum(image.predicted == image.true for image in known)
    notes = [f"{right} of {len(known)} images in folders of classes are right"] if known else []
    return Table(columns, rows, notes=notes)


def confused_table(confusion: Confusion) -> Table:
    columns = (Column("true", "name"), Column("taken for", "name"), Column("images"), Column("of the class"))
    rows = [[pair.true, pair.predicted, str(pair.count), percent(pair.share)] for pair in confusion.pairs]
    note = f"{confusion.wrong} of {confusion.images} images are wrong"
    return Table(columns, rows, title="most confused classes", notes=[note])


def group_of(explained: Sequence[ExplainedImage], class_names: Sequence[str]) -> Group:
    """The pictures of images: each as it is, and under each of its maps."""
    return Group([_item(image, class_names) for image in explained])


def _item(image: ExplainedImage, class_names: Sequence[str]) -> Item:
    pixels = image.pixels.numpy()
    answer = f"said {class_names[image.predicted]} / {_percent(image.probability)}"
    label = "" if image.true is None else f"\ntrue {class_names[image.true]}"
    panels = [Panel(pixels, f"{Path(image.name).name}\n{answer}{label}")]
    for evidence in image.evidence:
        name = class_names[evidence.number]
        caption = f"map of {name} / {_percent(evidence.probability)}\nhighest {evidence.highest[0]:.3g}"
        panels.append(Panel(pixels, caption, evidence.map.numpy()))
    return Item(panels, framed=image.true not in (None, image.predicted))


def _percent(probability: float) -> str:
    """``93 %``; never rounded up to a certainty."""
    return ">99 %" if 0.995 <= probability < 1 else f"{100 * probability:.0f} %"
