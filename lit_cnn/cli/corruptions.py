"""``lit-cnn corruptions CKPT``: accuracy under common corruptions (Hendrycks and Dietterich, 2019).

``--sheet`` draws one image under every corruption instead of evaluating.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, add_split_argument
from lit_cnn.cli.console import percent, points, progress
from lit_cnn.evaluation.corruptions import CORRUPTIONS, SEVERITIES, CorruptedViews
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.recorded_data import load_images, load_network
from lit_cnn.evaluation.robustness import CorruptionScores, corruption_scores
from lit_cnn.evaluation.trained import Trained
from lit_cnn.reports.contact_sheet import draw_contact_sheet
from lit_cnn.reports.heat_map import draw_heat_map

_SHEET_SEVERITY = 3


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    trained = load_network(options.checkpoint, options.weights, options.trust)
    images = load_images(trained, options.data, options.split)
    if options.limit is not None:
        images = images.sample(options.limit)
    kinds = tuple(options.kinds or default_kinds(images.in_channels))
    if options.sheet:
        severities = tuple(options.severities or (_SHEET_SEVERITY,))
        print(
            draw_sheet(trained, images, CorruptedViews(trained.preprocessing, kinds, severities, options.seed), options)
        )
        return 0
    severities = tuple(options.severities or SEVERITIES)
    views = CorruptedViews(trained.preprocessing, kinds, severities, options.seed)
    with progress("evaluating", len(images)) as advance:
        scores = corruption_scores(trained, images, views, advance=advance)
    title = f"top-1 on {len(images)} {options.split} images of {images.origin}"
    if options.out:
        columns = [str(severity) for severity in severities]
        draw_heat_map(heat_map_rows(scores, kinds), ["clean", *columns], title, options.out, "severity")
    if options.json:
        print(json.dumps(scores_report(scores, views, len(images)), indent=2))
        return 0
    Console().print(scores_table(scores, views, title))
    if options.out:
        print(options.out)
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


def default_kinds(in_channels: int) -> list[str]:
    """All kinds; on gray images without saturate, which changes nothing there."""
    return [kind for kind in CORRUPTIONS if in_channels == 3 or kind != "saturate"]


def draw_sheet(trained: Trained, images: EvaluationImages, views: CorruptedViews, options: argparse.Namespace) -> Path:
    """Draw the image ``options.image`` clean and under each kind and severity of ``views``."""
    if not 0 <= options.image < len(images):
        raise ValueError(f"--image is {options.image}, but there are the images 0 to {len(images) - 1}")
    pixels = views(images.image(options.image)[None], torch.tensor([options.image]))[0][0]
    names = [f"{kind.replace('_', ' ')} {severity}" for kind in views.kinds for severity in views.severities]
    title = f"{trained.class_names[int(images.labels[options.image])]}: corruptions and their severity"
    return draw_contact_sheet(pixels, ["clean", *names], options.sheet, columns=5, title=title)


def heat_map_rows(scores: CorruptionScores, kinds: tuple[str, ...]) -> dict[str, list[float]]:
    """Row name -> accuracies, that on clean images first."""
    return {
        kind.replace("_", " "): [scores.clean, *row] for kind, row in zip(kinds, scores.accuracy.tolist(), strict=True)
    }


def scores_report(scores: CorruptionScores, views: CorruptedViews, images: int) -> dict[str, Any]:
    """Everything as built-in types."""
    return {
        "images": images,
        "seed": views.seed,
        "clean": scores.clean,
        "mean_corruption_error": scores.mean_error,
        "added_error": scores.added_error,
        "accuracy": {
            kind: dict(zip(map(str, views.severities), row, strict=True))
            for kind, row in zip(views.kinds, scores.accuracy.tolist(), strict=True)
        },
    }


def scores_table(scores: CorruptionScores, views: CorruptedViews, title: str) -> Table:
    table = Table(
        "corruption",
        *[str(severity) for severity in views.severities],
        "mean",
        title=f"{title}, by severity",
        caption=f"clean {percent(scores.clean)}; mean corruption error {percent(scores.mean_error)}, "
        f"{points(scores.added_error)} points over the clean error (not divided by AlexNet's as in the paper)",
    )
    table.columns[0].no_wrap = True
    for kind, row in zip(views.kinds, scores.accuracy.tolist(), strict=True):
        table.add_row(kind, *[percent(value) for value in row], percent(sum(row) / len(row)))
    return table
