"""``lit-cnn validate CKPT`` and ``lit-cnn test CKPT``: accuracy of a checkpoint on its own data, or on ``--data``.

``--views`` averages over crops, scales and mirror images, next to the single center crop; ``--per-class`` gives the
classes apart.
"""

import argparse
from typing import Any

from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments
from lit_cnn.cli.console import as_json, console, metric, percent, points, progress, say, table
from lit_cnn.data.module import ImageData
from lit_cnn.evaluation.images import EvaluationImages, evaluation_images
from lit_cnn.evaluation.recorded_data import load_data, load_network
from lit_cnn.evaluation.scores import ClassScore, balanced_accuracy, class_scores
from lit_cnn.evaluation.test_time_augmentation import VIEW_KINDS
from lit_cnn.evaluation.trained import Trained
from lit_cnn.evaluation.validation import compare_views, in_run_precision, run_views, validate, views_report

_CLASSES_SHOWN = 50


def run(arguments: list[str], stage: str) -> int:
    options = parse(arguments, stage)
    trained = load_network(options.checkpoint, options.weights, options.trust)
    data = load_data(trained, options.data)
    images = evaluation_images(data, "val" if stage == "validate" else "test")
    report: dict[str, Any]
    if options.views is None and not options.per_class:
        report = plain_report(trained, data, images, "val" if stage == "validate" else "test")
        tables = [results_table(report, f"{options.checkpoint} ({options.weights} weights)")]
    else:
        report, tables = detailed_report(trained, images, options)
    if options.json:
        print(as_json(report))
        return 0
    for shown in tables:
        console(columns=None).print(shown)
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


def plain_report(trained: Trained, data: ImageData, images: EvaluationImages, split: str) -> dict[str, float]:
    """Loss and accuracies in the run's precision, named as ``fit`` names them."""
    trained, instead = in_run_precision(trained)
    if instead is not None:
        say(f"{instead}; single images may be called otherwise than in training", stderr=True)
    with progress("evaluating", len(images)) as advance:
        results = validate(trained, images, batch_size=data.eval_batch_size or data.batch_size, advance=advance)
    return {f"{split}/{name}": value for name, value in results.items()}


def detailed_report(
    trained: Trained, images: EvaluationImages, options: argparse.Namespace
) -> tuple[dict[str, Any], list[Table]]:
    """What ``--views`` and ``--per-class`` ask for, in float32."""
    views = run_views(trained, options.views or "center", options.scales, options.flip)
    single = views == run_views(trained, "center")
    with progress("evaluating", len(images) * (1 if single else 2)) as advance:
        center, outcome = compare_views(trained, images, views, options.average, advance)
    report: dict[str, Any] = {}
    tables = []
    if options.views is not None:
        report |= views_report(center, outcome, views, options.average)
        tables.append(views_table(report, images))
    if options.per_class:
        scores = class_scores(outcome.probabilities, outcome.labels, trained.class_names)
        report |= {"balanced_accuracy": balanced_accuracy(scores), "classes": scores}
        tables.append(class_table(scores))
    return report, tables


def results_table(results: dict[str, float], title: str) -> Table:
    return table(["metric", "value"], [[name, metric(name, value)] for name, value in results.items()], title=title)


def views_table(report: dict[str, Any], images: EvaluationImages) -> Table:
    center, views = report["center"], report["views"]
    top = [name for name in center if name.startswith("acc")]
    padded = f" + {views['padding']} of padding" if views["padding"] else ""
    scales = "/".join(str(scale) for scale in views["scales"])
    rows = [
        [name, *[percent(row[key]) for key in top], f"{row['views_per_image']:g}", f"{row['images_per_second']:.1f}"]
        for name, row in (("center", center), (f"{views['kind']} at {scales} px{padded}", views))
    ]
    return table(
        ["views", *[f"top-{name.removeprefix('acc')}" for name in top], "views per image", "images/s"],
        rows,
        title=f"{report['images']} images of {images.origin}, mean of {views['average']}",
        caption=f"gain in top-1: {points(report['gain'], report['gain_interval'])} points, "
        "95 % interval by paired bootstrap over the images",
    )


def class_table(scores: list[ClassScore]) -> Table:
    rows = [
        [
            *(row.name, str(row.images), percent(row.recall), percent(row.precision), percent(row.f1)),
            f"{row.confused_with} ({row.confused})" if row.confused_with else "-",
        ]
        for row in scores[:_CLASSES_SHOWN]
    ]
    hidden = f"the worst {_CLASSES_SHOWN} of {len(scores)} classes; --json has all"
    return table(
        ["class", "images", "recall", "precision", "F1", "most often called instead"],
        rows,
        title=f"balanced accuracy {percent(balanced_accuracy(scores))}",
        caption=hidden if len(scores) > _CLASSES_SHOWN else None,
    )
