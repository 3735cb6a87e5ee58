"""``lit-cnn ensemble CKPT CKPT…``: accuracy of several checkpoints together, by the mean of their softmax outputs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from lit_cnn.cli.checkpoint_arguments import (
    add_checkpoint_arguments,
    add_predictions_argument,
    add_split_argument,
    chosen_checkpoint,
)
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, percent, points, progress, say
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.ensemble import EnsembleScores


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn ensemble", __doc__, example="lit-cnn ensemble runs/folder/A runs/folder/B")
    add_checkpoint_arguments(parser, several=True)
    add_split_argument(parser)
    add_predictions_argument(parser)
    return parser


def run(arguments: list[str]) -> int:
    parser = make_parser()
    options = parser.parse_args(arguments)
    if len(options.checkpoints) < 2:
        parser.error("an ensemble needs two checkpoints or more")
    from lit_cnn.cli.evaluated_images import evaluated_images, image_records_of, require_predictions
    from lit_cnn.evaluation.ensemble import evaluate_ensemble, other_split
    from lit_cnn.evaluation.recorded_data import check_classes, load_network

    require_predictions(options)
    options.checkpoints = [chosen_checkpoint(path) for path in options.checkpoints]
    members = [load_network(path, options.weights, options.trust) for path in options.checkpoints]
    first = members[0]
    for member in members[1:]:
        check_classes(member, first.class_names, first.preprocessing.in_channels, first.name)
    with (
        evaluated_images(first, options, options.split, members[1:]) as images,
        image_records_of(options, images, first.class_names) as records,
    ):
        with progress("evaluating", len(images) * len(members)) as advance:
            scores, together = evaluate_ensemble(members, images, advance)
        records.add(together.rows, together.probabilities)
    count = len(together.labels)
    warning = other_split(options.checkpoints, members) if options.data is None else None
    if options.json:
        named = {"checkpoints": options.checkpoints, "split": options.split, "images": count}
        print(as_json({**named, **asdict(scores), "warning": warning, "data": images.facts}))
        return 0
    line = f"{count} {options.split} images of {images.origin} ({options.weights} weights)"
    print_tables([scores_table(scores, options.checkpoints)], line, in_markdown=options.markdown)
    if warning:
        say(warning, stderr=options.markdown)
    return 0


def scores_table(scores: EnsembleScores, paths: list[str]) -> Table:
    top = list(scores.ensemble)
    over_mean = points(scores.gain_over_mean, scores.gain_over_mean_interval)
    over_best = points(scores.gain_over_best, scores.gain_over_best_interval)
    return Table(
        [Column("member", "name"), *[Column(f"top-{name.removeprefix('acc')}") for name in top]],
        [[path, *[percent(row[name]) for name in top]] for path, row in zip(paths, scores.members, strict=True)],
        notes=[
            f"gain in top-1 over the mean member {over_mean}, over the best {over_best} points; 95 % intervals by "
            "paired bootstrap over the images"
        ],
        totals=[
            ["mean of the members", *[percent(scores.mean[name]) for name in top]],
            ["ensemble", *[percent(scores.ensemble[name]) for name in top]],
        ],
    )
