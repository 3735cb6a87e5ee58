"""``lit-cnn corruptions CKPT``: accuracy under common corruptions (Hendrycks and Dietterich, 2019).

``--sheet`` draws one image under every corruption; without ``--out``, ``--json`` and ``--markdown`` nothing is
evaluated then.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, add_split_argument, chosen_checkpoint
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, percent, points, progress, say
from lit_cnn.cli.outputs import PICTURES, add_output, require_writable
from lit_cnn.cli.tables import Column, Table, print_tables
from lit_cnn.evaluation.choices import CORRUPTION_KINDS, SEVERITIES

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.corruptions import CorruptedViews
    from lit_cnn.evaluation.images import EvaluationImages
    from lit_cnn.evaluation.robustness import CorruptionScores
    from lit_cnn.evaluation.trained import Trained

_SHEET_SEVERITY = 3


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    for flag in ("out", "sheet"):
        if getattr(options, flag):
            require_writable(f"--{flag}", getattr(options, flag), PICTURES)
    from lit_cnn.cli.evaluated_images import evaluated_images
    from lit_cnn.evaluation.recorded_data import load_network
    from lit_cnn.evaluation.robustness import corruption_scores, draw_corruptions, heat_map_rows, scores_report
    from lit_cnn.reports.heat_map import draw_heat_map

    trained = load_network(chosen_checkpoint(options.checkpoint), options.weights, options.trust)
    with evaluated_images(trained, options, options.split) as images:
        if options.limit is not None:
            images = images.sample(options.limit)
        if options.sheet and not 0 <= options.image < len(images):
            raise ValueError(f"--image is {options.image}, but there are the images 0 to {len(images) - 1}")
        views = views_of(trained, images, options, SEVERITIES)
        if evaluates(options):
            with progress("evaluating", len(images)) as advance:
                scores = corruption_scores(trained, images, views, advance=advance)
    if options.sheet:
        sheet = views_of(trained, images, options, (_SHEET_SEVERITY,))
        path = draw_corruptions(images, options.image, trained.class_names, sheet, options.sheet)
        say(path, stderr=options.json or options.markdown)
        if not evaluates(options):
            return 0
    title = f"top-1 on {scores.images} {options.split} images of {images.origin}"
    if options.out:
        columns = [str(severity) for severity in views.severities]
        draw_heat_map(heat_map_rows(scores, views.kinds), ["clean", *columns], title, options.out, "severity")
    if options.json:
        print(as_json({**scores_report(scores, views), "data": images.facts}))
        return 0
    print_tables([scores_table(scores, views)], f"{title}, by severity", in_markdown=options.markdown)
    if options.out:
        say(options.out, stderr=options.markdown)
    return 0


def evaluates(options: argparse.Namespace) -> bool:
    """Whether figures are asked for, and not only a sheet."""
    return not options.sheet or bool(options.out or options.json or options.markdown)


def views_of(
    trained: Trained, images: EvaluationImages, options: argparse.Namespace, severities: tuple[int, ...]
) -> CorruptedViews:
    """The corruptions that are asked for, by default all kinds at ``severities``."""
    from lit_cnn.evaluation.corruptions import CorruptedViews
    from lit_cnn.evaluation.robustness import default_kinds

    possible = default_kinds(images.pixel_format.channels)
    kinds = tuple(options.kinds or possible)
    return CorruptedViews(trained.preprocessing, kinds, tuple(options.severities or severities), options.seed)


def make_parser() -> CommandParser:
    example = "lit-cnn corruptions runs/folder/TIME-ID --kinds fog jpeg_compression --out corruptions.png"
    parser = CommandParser("lit-cnn corruptions", __doc__, example=example)
    add_checkpoint_arguments(parser)
    add_split_argument(parser)
    parser.add_argument(
        "--kinds", nargs="+", choices=CORRUPTION_KINDS, metavar="KIND", help=", ".join(CORRUPTION_KINDS)
    )
    parser.add_argument("--severities", nargs="+", type=int, choices=SEVERITIES, help="default: all five")
    parser.add_argument("--seed", type=int, default=0, help="key of the noise")
    parser.add_argument("--limit", type=int, help="evaluate this many images, drawn once and for all")
    add_output(parser, "--out", "heat map to write (.png, .pdf, .svg)")
    add_output(parser, "--sheet", "draw one image under every corruption (severity 3) to this picture")
    parser.add_argument("--image", type=int, default=0, help="number of the image on the sheet")
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.limit is not None and options.limit < 1:
        parser.error(f"--limit is {options.limit} but must be at least 1")
    for name in ("kinds", "severities"):
        stated = getattr(options, name)
        setattr(options, name, list(dict.fromkeys(stated)) if stated else None)
    return options


def scores_table(scores: CorruptionScores, views: CorruptedViews) -> Table:
    severities = [Column(str(severity), rank=1) for severity in views.severities]
    return Table(
        [Column("corruption", "name"), *severities, Column("mean")],
        [
            [kind, *[percent(value) for value in row], percent(sum(row) / len(row))]
            for kind, row in zip(views.kinds, scores.accuracy.tolist(), strict=True)
        ],
        notes=[
            f"clean {percent(scores.clean)}; mean corruption error {percent(scores.mean_error)}, "
            f"{points(scores.added_error)} points over the clean error (not divided by AlexNet's as in the paper)"
        ],
    )
