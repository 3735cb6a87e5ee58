"""``lit-cnn validate CKPT`` and ``lit-cnn test CKPT`` of a detector: its figures by their protocols, and those of each
class."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import as_json, progress, say
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.detection.metrics import ClassFigures
    from lit_cnn.evaluation.detector_validation import SplitName, Validation

REFUSED: dict[str, Any] = {"views": None, "temperature": "1", "predictions": None, "trust": []}
"""Options that a detector has no use for, with their defaults."""
CLASS_COLUMNS = (
    *(Column("class", "name"), Column("objects", rank=3), Column("AP@[.50:.95]", rank=1), Column("AP50")),
    *(Column("VOC 2007 AP50", rank=4), Column("VOC 2010 AP50", rank=2), Column("best F1", rank=5)),
)


def run(options: argparse.Namespace, checkpoint: dict[str, Any], path: str, stage: str) -> int:
    """Print the figures.

    Args:
        options: Of the command line.
        checkpoint: As it was read.
        path: Its file.
        stage: validate or test.
    """
    for name, default in REFUSED.items():
        if getattr(options, name) != default:
            raise ValueError(f"--{name} is for classifiers, and {path} holds a detector: leave it out")
    from lit_cnn.evaluation.detector_validation import (
        detection_data,
        evaluated_summary,
        run_precision,
        split_of,
        validate_detector,
    )
    from lit_cnn.evaluation.trained_detector import load_detector

    split: SplitName = "val" if stage == "validate" else "test"
    detector = load_detector(checkpoint, path, options.weights)
    data = detection_data(checkpoint, detector, path, options.data, options.skip_broken, split)
    images = len(split_of(data, split))
    summary = evaluated_summary(data, split)
    for line in () if options.json else summary.lines():
        say(line, stderr=options.markdown)
    choice, same = run_precision(checkpoint)
    if not same:
        say(f"{choice}; single boxes may be others than in training", stderr=True)
    with progress("evaluating", images) as advance:
        found = validate_detector(detector, data, split, bf16="bf16" in str(choice.precision), advance=advance)
    report = {**report_of(found, split), "data": summary.as_dict()}
    if options.json:
        print(as_json(report))
        return 0
    line = f"{report['images']} images of {data.loaded.origin}, {path} ({options.weights} weights)"
    print_tables(
        [figures_table(found, split), class_table(found.metrics.per_class())], line, in_markdown=options.markdown
    )
    return 0


def report_of(found: Validation, split: SplitName) -> dict[str, Any]:
    """All figures in built-in types, with the protocol of each."""
    metrics = found.metrics
    figures = metrics.compute()
    return {
        "images": len(metrics.found),
        **{f"{split}/{name}": value for name, value in figures.items()},
        "protocols": {f"{split}/{name}": metrics.protocol(name) for name in figures},
        "ms_per_image": found.milliseconds,
        "classes": [asdict(each) for each in metrics.per_class()],
    }


def figures_table(found: Validation, split: SplitName) -> Table:
    """The figures, and how each is counted."""
    metrics = found.metrics
    rows = [[f"{split}/{name}", share(value), metrics.protocol(name)] for name, value in metrics.compute().items()]
    note = f"{found.milliseconds:.1f} ms per image in the network, decoding and suppression, without reading the file"
    return Table((Column("metric", "name"), Column("value"), Column("protocol", "name")), rows, notes=[note])


def class_table(classes: list[ClassFigures]) -> Table:
    """A row for each class, in the order of the labels."""
    rows = [
        [each.name, str(each.objects), *map(share, (each.ap, each.ap50, each.voc07_ap50, each.voc_ap50, each.f1))]
        for each in classes
    ]
    return Table(CLASS_COLUMNS, rows)


def share(value: float) -> str:
    """Three decimals; a dash where there was no object of the kind."""
    return "–" if value < 0 else f"{value:.3f}"
