"""``lit-cnn validate CKPT`` and ``lit-cnn test CKPT``: accuracy of a checkpoint on its own data, or on ``--data``, or
the average precision of a detector.

``--predictions`` writes what is said of each image. ``--views`` averages over crops, scales and mirror images, next to
the single center crop; ``--per-class`` gives the classes apart.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lit_cnn.cli import evaluate_boxes
from lit_cnn.cli.checkpoint_arguments import (
    add_checkpoint_arguments,
    add_predictions_argument,
    add_temperature_argument,
    chosen_checkpoint,
)
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, number, percent, points, progress, say
from lit_cnn.cli.tables import Column, Table, print_tables
from lit_cnn.evaluation.choices import VIEW_KINDS

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.cli.evaluated_images import ImageRecords
    from lit_cnn.evaluation.images import EvaluationImages, SplitName
    from lit_cnn.evaluation.logits import Block
    from lit_cnn.evaluation.scores import ClassScore
    from lit_cnn.evaluation.trained import Trained

_CLASSES_SHOWN = 50


def run(arguments: list[str], stage: str) -> int:
    options = parse(arguments, stage)
    from lit_cnn.cli.evaluated_images import evaluated_images, image_records_of, require_predictions
    from lit_cnn.evaluation.calibration import read_temperature
    from lit_cnn.evaluation.trained import on_device, trained_from
    from lit_cnn.run_folder.checkpoint import DETECTION, load_checkpoint

    require_predictions(options)
    temperature = read_temperature(options.temperature)
    checkpoint = chosen_checkpoint(options.checkpoint)
    content = load_checkpoint(checkpoint)
    if content.get("task") == DETECTION:
        return evaluate_boxes.run(options, content, checkpoint, stage)
    trained = on_device(trained_from(content, checkpoint, options.weights, options.trust))
    trained.temperature = temperature
    split: SplitName = "val" if stage == "validate" else "test"
    report: dict[str, Any]
    with (
        evaluated_images(trained, options, split) as images,
        image_records_of(options, images, trained.class_names) as records,
    ):
        if options.views is None and not options.per_class:
            report = plain_report(trained, images, split, records)
            tables = [results_table(report)]
        else:
            report, tables = detailed_report(trained, images, split, options, records)
    if options.json:
        print(as_json({**report, "data": images.facts}))
        return 0
    at = f", temperature {temperature:g}" if temperature != 1 else ""
    line = f"{report['images']} images of {images.origin}, {checkpoint} ({options.weights} weights{at})"
    print_tables(tables, line, in_markdown=options.markdown)
    return 0


def make_parser(stage: str) -> CommandParser:
    example = f"lit-cnn {stage} runs/folder/TIME-ID --per-class"
    parser = CommandParser(f"lit-cnn {stage}", __doc__, example=example)
    add_checkpoint_arguments(parser)
    parser.add_argument("--views", choices=VIEW_KINDS, help="average over these views of each image")
    parser.add_argument("--scales", type=int, nargs="+", help="shorter sides in pixels; each kind of views has its own")
    parser.add_argument("--flip", action="store_true", help="mirror the views center and multi_scale too")
    parser.add_argument(
        "--average", choices=["probabilities", "logits"], default="probabilities", help="what is averaged over views"
    )
    add_temperature_argument(parser)
    add_predictions_argument(parser)
    parser.add_argument("--per-class", action="store_true", help="a row for each class, the worst first")
    return parser


def parse(arguments: list[str], stage: str) -> argparse.Namespace:
    parser = make_parser(stage)
    options = parser.parse_args(arguments)
    if options.views is None and (options.scales or options.flip or options.average != "probabilities"):
        parser.error("--scales, --flip and --average say how --views are made, so they need --views")
    return options


def plain_report(
    trained: Trained, images: EvaluationImages, split: SplitName, records: ImageRecords
) -> dict[str, float]:
    """Number of images, loss and accuracies in the run's precision, named as ``fit`` names them."""
    from lit_cnn.evaluation.recorded_data import evaluation_batch_size
    from lit_cnn.evaluation.validation import in_run_precision, validate

    trained, instead = in_run_precision(trained)
    if instead is not None:
        say(f"{instead}; single images may be called otherwise than in training", stderr=True)
    count = 0

    def add(block: Block) -> None:
        nonlocal count
        count += len(block.rows)
        records.add(block.rows, block.logits.double().softmax(dim=1))

    with progress("evaluating", len(images)) as advance:
        results = validate(trained, images, batch_size=evaluation_batch_size(trained), advance=advance, on_block=add)
    return {"images": count, **{f"{split}/{name}": value for name, value in results.items()}}


def detailed_report(
    trained: Trained, images: EvaluationImages, split: SplitName, options: argparse.Namespace, records: ImageRecords
) -> tuple[dict[str, Any], list[Table]]:
    """What ``--views`` and ``--per-class`` ask for, in float32."""
    from lit_cnn.evaluation.scores import accuracies, balanced_accuracy, class_scores, log_loss
    from lit_cnn.evaluation.validation import compare_views, run_views, views_report

    views = run_views(trained, options.views or "center", options.scales, options.flip)
    single = views == run_views(trained, "center")
    with progress("evaluating", len(images) * (1 if single else 2)) as advance:
        center, outcome = compare_views(trained, images, views, options.average, advance)
    records.add(outcome.rows, outcome.probabilities)
    report: dict[str, Any] = {"images": len(outcome.labels)}
    tables = []
    if options.views is not None:
        report |= views_report(center, outcome, views, options.average)
        tables.append(views_table(report))
    if options.per_class:
        answers = outcome.probabilities, outcome.labels
        whole = {"loss": log_loss(*answers), **accuracies(*answers)}
        scores = class_scores(*answers, trained.class_names)
        report |= {f"{split}/{name}": value for name, value in whole.items()}
        report |= {"balanced_accuracy": balanced_accuracy(scores), "classes": scores}
        tables.append(class_table(scores, whole))
    return report, tables


def results_table(report: dict[str, float]) -> Table:
    from lit_cnn.training.monitor import metric_text

    rows = [[name, metric_text(name, report[name])] for name in report if name != "images"]
    return Table((Column("metric", "name"), Column("value")), rows)


def views_table(report: dict[str, Any]) -> Table:
    center, views = report["center"], report["views"]
    top = [name for name in center if name.startswith("acc")]
    padded = f" + {views['padding']} of padding" if views["padding"] else ""
    scales = "/".join(str(scale) for scale in views["scales"])
    rows = [
        [name, *[percent(row[key]) for key in top], f"{row['views_per_image']:g}", number(row["images_per_second"])]
        for name, row in (("center", center), (f"{views['kind']} at {scales} px{padded}", views))
    ]
    return Table(
        [
            Column("views", "name"),
            *[Column(f"top-{name.removeprefix('acc')}") for name in top],
            *[Column("views per image", rank=1), Column("images/s", rank=2)],
        ],
        rows,
        title=f"mean of {views['average']}",
        notes=[
            f"gain in top-1: {points(report['gain'], report['gain_interval'])} points, 95 % interval by paired "
            "bootstrap over the images"
        ],
    )


CLASS_COLUMNS = (
    *(Column("class", "name"), Column("images", rank=2), Column("recall"), Column("precision", rank=1)),
    *(Column("F1", rank=3), Column("most often called instead", "name", rank=4)),
)


def class_table(scores: list[ClassScore], whole: dict[str, float]) -> Table:
    """The classes, those without images last, below the loss and accuracy of all."""
    from lit_cnn.evaluation.scores import balanced_accuracy

    with_images = sum(row.images > 0 for row in scores)
    among = "" if with_images == len(scores) else f" over the {with_images} of {len(scores)} classes with images"
    hidden = f"the worst {_CLASSES_SHOWN} of {len(scores)} classes; --json has all"
    return Table(
        CLASS_COLUMNS,
        [class_row(row) for row in scores[:_CLASSES_SHOWN]],
        title=f"top-1 {percent(whole['acc1'])}, loss {whole['loss']:.4f}, balanced accuracy "
        f"{percent(balanced_accuracy(scores))}{among}",
        notes=[hidden] if len(scores) > _CLASSES_SHOWN else [],
    )


def class_row(score: ClassScore) -> list[str]:
    if not score.images:
        return [score.name, "no images", "–", percent(score.precision), "–", "–"]
    confused = f"{score.confused_with} ({score.confused})" if score.confused_with else "–"
    figures = [percent(value) for value in (score.recall, score.precision, score.f1)]
    return [score.name, str(score.images), *figures, confused]
