"""``lit-cnn validate CKPT`` and ``lit-cnn test CKPT``: accuracy of a checkpoint on its own data, or on ``--data``.

``--views`` averages over crops, scales and mirror images, beside the single centre crop; ``--per-class`` tells the
classes apart.
"""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

import lightning.pytorch as pl
from rich.console import Console
from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments
from lit_cnn.cli.console import percent, points, progress
from lit_cnn.data.module import ImageData
from lit_cnn.evaluation.images import EvaluationImages, evaluation_images
from lit_cnn.evaluation.logits import Average, Outcome, collect
from lit_cnn.evaluation.recorded_data import load_data, load_network
from lit_cnn.evaluation.scores import (
    ClassScore,
    accuracies,
    balanced_accuracy,
    bootstrap_interval,
    class_scores,
    hits,
)
from lit_cnn.evaluation.test_time_augmentation import VIEW_KINDS, ViewKind, Views, make_views
from lit_cnn.evaluation.trained import Trained
from lit_cnn.training.classifier import Classifier
from lit_cnn.training.precision import evaluation_precision
from lit_cnn.training.trainer import quieten_lightning

_CLASSES_SHOWN = 50


def run(arguments: list[str], stage: str) -> int:
    options = parse(arguments, stage)
    quieten_lightning()
    trained = load_network(options.checkpoint, options.weights, options.trust)
    data = load_data(trained, options.data)
    if options.views is None and not options.per_class:
        results = lightning_results(trained, data, stage, show_progress=not options.json)
        title = f"{options.checkpoint} ({options.weights} weights)"
        print(json.dumps(results, indent=2)) if options.json else Console().print(results_table(results, title))
        return 0
    kind: ViewKind = options.views or "center"
    crop = trained.recipe.get("data", {}).get("crop", {})
    padding = crop.get("padding", 0) if crop.get("kind") == "pad" else 0
    views = make_views(kind, trained.preprocessing, options.scales, options.flip, padding)
    images = evaluation_images(data, "val" if stage == "validate" else "test")
    centre, outcome = run_views(trained, images, views, options.average)
    report: dict[str, Any] = {}
    tables = []
    if options.views is not None:
        report |= views_report(centre, outcome, views, options.average)
        tables.append(views_table(report, images))
    if options.per_class:
        scores = class_scores(outcome.probabilities, outcome.labels, trained.class_names)
        report |= {"balanced_accuracy": balanced_accuracy(scores), "classes": [asdict(score) for score in scores]}
        tables.append(class_table(scores))
    if options.json:
        print(json.dumps(without_nan(report), indent=2))
        return 0
    for table in tables:
        Console().print(table)
    return 0


def parse(arguments: list[str], stage: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"lit-cnn {stage}", description=__doc__, allow_abbrev=False)
    add_checkpoint_arguments(parser)
    parser.add_argument("--views", choices=VIEW_KINDS, help="average over these views of each image")
    parser.add_argument("--scales", type=int, nargs="+", help="shorter sides in pixels; each kind of views has its own")
    parser.add_argument("--flip", action="store_true", help="mirror the views center and multi_scale too")
    parser.add_argument(
        "--average", choices=["probabilities", "logits"], default="probabilities", help="what is averaged over views"
    )
    parser.add_argument("--per-class", action="store_true", help="a row for each class, the worst first")
    options = parser.parse_args(arguments)
    if options.views is None and (options.scales or options.flip or options.average != "probabilities"):
        parser.error("--scales, --flip and --average say how --views are made, so they need --views")
    return options


def lightning_results(trained: Trained, data: ImageData, stage: str, show_progress: bool) -> dict[str, float]:
    """Loss and accuracies of the single centre crop, in the precision of the training and so as training reports them.

    Lightning's bar goes to stdout.
    """
    model = Classifier(
        trained.network, num_classes=len(trained.class_names), in_channels=trained.preprocessing.in_channels
    )
    trainer = pl.Trainer(
        accelerator="auto",
        devices=1,
        precision=run_precision(trained),
        logger=False,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=show_progress,
    )
    evaluate = trainer.validate if stage == "validate" else trainer.test
    results = evaluate(model, datamodule=data, verbose=False)[0]
    return {name: value for name, value in results.items() if not name.endswith("_raw")}


def run_precision(trained: Trained) -> Any:
    """The precision that the run was trained in; where this machine would emulate it float32, with a line on stderr."""
    trained_in = trained.recipe.get("trainer", {}).get("precision")
    choice = evaluation_precision(trained_in)
    if choice.precision != trained_in:
        print(f"{choice}; single images may be called otherwise than in training", file=sys.stderr)
    return choice.precision


def results_table(results: dict[str, float], title: str) -> Table:
    table = Table("metric", "value", title=title)
    for name, value in results.items():
        table.add_row(name, f"{value:.4f}" if "loss" in name else f"{value:.2%}")
    return table


def run_views(trained: Trained, images: EvaluationImages, views: Views, average: Average) -> tuple[Outcome, Outcome]:
    """The single centre crop and the views; one and the same where the views are the centre crop."""
    single = make_views("center", trained.preprocessing)
    total = len(images) * (1 if views == single else 2)
    with progress("evaluating", total) as advance:
        centre = collect(trained, images, single, advance=advance)
        if views == single:
            return centre, centre
        return centre, collect(trained, images, views, average=average, advance=advance)


def views_report(centre: Outcome, outcome: Outcome, views: Views, average: Average) -> dict[str, Any]:
    """Both results, and the gain in top-1 with its 95 % interval, as built-in types."""
    gain = hits(outcome.probabilities, outcome.labels).double() - hits(centre.probabilities, centre.labels).double()
    return {
        "images": len(centre.labels),
        "center": _figures(centre),
        "views": {
            "kind": views.kind,
            "scales": list(views.scales),
            "padding": views.padding,
            "average": average,
            **_figures(outcome),
        },
        "gain": float(gain.mean()),
        "gain_interval": list(bootstrap_interval(gain, "views", views.kind)),
    }


def _figures(outcome: Outcome) -> dict[str, float]:
    return {
        **accuracies(outcome.probabilities, outcome.labels),
        "views_per_image": outcome.views,
        "images_per_second": outcome.images_per_second,
    }


def views_table(report: dict[str, Any], images: EvaluationImages) -> Table:
    centre, views = report["center"], report["views"]
    top = [name for name in centre if name.startswith("acc")]
    scales = "/".join(str(scale) for scale in views["scales"])
    table = Table(
        "views",
        *[f"top-{name.removeprefix('acc')}" for name in top],
        "views per image",
        "images/s",
        title=f"{len(images)} images of {images.origin}, mean of {views['average']}",
        caption=f"gain in top-1: {points(report['gain'], report['gain_interval'])} points, "
        "95 % interval by paired bootstrap over the images",
    )
    padded = f" + {views['padding']} of padding" if views["padding"] else ""
    for name, row in (("center", centre), (f"{views['kind']} at {scales} px{padded}", views)):
        values = [percent(row[key]) for key in top]
        table.add_row(name, *values, f"{row['views_per_image']:g}", f"{row['images_per_second']:.1f}")
    return table


def class_table(scores: list[ClassScore]) -> Table:
    table = Table(
        "class",
        "images",
        "recall",
        "precision",
        "F1",
        "most often called instead",
        title=f"balanced accuracy {percent(balanced_accuracy(scores))}",
        caption=f"the worst {_CLASSES_SHOWN} of {len(scores)} classes; --json has all"
        if len(scores) > _CLASSES_SHOWN
        else None,
    )
    for row in scores[:_CLASSES_SHOWN]:
        mistake = f"{row.confused_with} ({row.confused})" if row.confused_with else "-"
        values = [percent(value) if value == value else "-" for value in (row.recall, row.precision, row.f1)]
        table.add_row(row.name, str(row.images), *values, mistake)
    return table


def without_nan(value: Any) -> Any:
    """The same with None for nan, which JSON lacks."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_nan(inner) for inner in value]
    return None if value != value else value
