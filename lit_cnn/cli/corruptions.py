"""``lit-cnn corruptions CKPT``: accuracy under common corruptions (Hendrycks and Dietterich, 2019).

``--sheet`` draws one image under every corruption instead of evaluating.
"""

import argparse
from pathlib import Path

from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, add_split_argument
from lit_cnn.cli.console import as_json, console, percent, points, progress, say, table
from lit_cnn.evaluation.corruptions import CORRUPTIONS, SEVERITIES, CorruptedViews
from lit_cnn.evaluation.recorded_data import load_images, load_network
from lit_cnn.evaluation.robustness import (
    CorruptionScores,
    corruption_scores,
    default_kinds,
    draw_corruptions,
    heat_map_rows,
    scores_report,
)
from lit_cnn.reports.heat_map import draw_heat_map

_SHEET_SEVERITY = 3


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    trained = load_network(options.checkpoint, options.weights, options.trust)
    images = load_images(trained, options.data, options.split)
    if options.limit is not None:
        images = images.sample(options.limit)
    kinds = tuple(options.kinds or default_kinds(images.pixel_format.channels))
    severities = tuple(options.severities or ((_SHEET_SEVERITY,) if options.sheet else SEVERITIES))
    views = CorruptedViews(trained.preprocessing, kinds, severities, options.seed)
    if options.sheet:
        if not 0 <= options.image < len(images):
            raise ValueError(f"--image is {options.image}, but there are the images 0 to {len(images) - 1}")
        say(draw_corruptions(images, options.image, trained.class_names, views, options.sheet))
        return 0
    with progress("evaluating", len(images)) as advance:
        scores = corruption_scores(trained, images, views, advance=advance)
    title = f"top-1 on {len(images)} {options.split} images of {images.origin}"
    if options.out:
        columns = [str(severity) for severity in severities]
        draw_heat_map(heat_map_rows(scores, kinds), ["clean", *columns], title, options.out, "severity")
    if options.json:
        print(as_json(scores_report(scores, views, len(images))))
        return 0
    console(columns=None).print(scores_table(scores, views, title))
    if options.out:
        say(options.out)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lit-cnn corruptions", description=__doc__, allow_abbrev=False)
    add_checkpoint_arguments(parser)
    add_split_argument(parser)
    parser.add_argument("--kinds", nargs="+", choices=list(CORRUPTIONS), metavar="KIND", help=", ".join(CORRUPTIONS))
    parser.add_argument("--severities", nargs="+", type=int, choices=SEVERITIES, help="default: all five")
    parser.add_argument("--seed", type=int, default=0, help="key of the noise")
    parser.add_argument("--limit", type=int, help="evaluate this many images, drawn once and for all")
    parser.add_argument("--out", type=Path, help="heat map to write, a PNG")
    parser.add_argument("--sheet", type=Path, help="draw one image under every corruption (severity 3) to this PNG")
    parser.add_argument("--image", type=int, default=0, help="number of the image on the sheet")
    options = parser.parse_args(arguments)
    if options.limit is not None and options.limit < 1:
        parser.error(f"--limit is {options.limit} but must be at least 1")
    for name in ("kinds", "severities"):
        stated = getattr(options, name)
        setattr(options, name, list(dict.fromkeys(stated)) if stated else None)
    return options


def scores_table(scores: CorruptionScores, views: CorruptedViews, title: str) -> Table:
    return table(
        ["corruption", *[str(severity) for severity in views.severities], "mean"],
        [
            [kind, *[percent(value) for value in row], percent(sum(row) / len(row))]
            for kind, row in zip(views.kinds, scores.accuracy.tolist(), strict=True)
        ],
        no_wrap=["corruption"],
        title=f"{title}, by severity",
        caption=f"clean {percent(scores.clean)}; mean corruption error {percent(scores.mean_error)}, "
        f"{points(scores.added_error)} points over the clean error (not divided by AlexNet's as in the paper)",
    )
