"""``lit-cnn ensemble CKPT CKPT…``: accuracy of several checkpoints together, by the mean of their softmax outputs."""

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, add_split_argument
from lit_cnn.cli.console import percent, points, progress
from lit_cnn.evaluation.ensemble import EnsembleScores, ensemble_scores
from lit_cnn.evaluation.logits import collect
from lit_cnn.evaluation.recorded_data import check_classes, load_images, load_network
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained

_SPLIT_KEYS = ("source", "val_fraction")
"""Recipe keys below ``data`` that decide which images are held out."""


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn ensemble", description=__doc__, allow_abbrev=False)
    add_checkpoint_arguments(parser, several=True)
    add_split_argument(parser)
    options = parser.parse_args(arguments)
    if len(options.checkpoints) < 2:
        parser.error("an ensemble needs two checkpoints or more")
    members = [load_network(path, options.weights, options.trust) for path in options.checkpoints]
    images = load_images(members[0], options.data, options.split)
    for path, member in zip(options.checkpoints, members, strict=True):
        check_classes(path, member, members[0].class_names, images.in_channels)
    with progress("evaluating", len(images) * len(members)) as advance:
        probabilities = [
            collect(member, images, make_views("center", member.preprocessing), advance=advance).probabilities
            for member in members
        ]
    scores = ensemble_scores(probabilities, images.labels)
    warning = other_split(options.checkpoints, members)
    if options.json:
        named = {"checkpoints": options.checkpoints, "split": options.split, "images": len(images)}
        print(json.dumps({**named, **asdict(scores), "warning": warning}, indent=2))
        return 0
    title = f"{len(images)} {options.split} images of {images.origin} ({options.weights} weights)"
    Console().print(scores_table(scores, options.checkpoints, title))
    if warning:
        Console(soft_wrap=True).print(warning, highlight=False, markup=False)
    return 0


def other_split(paths: list[str], members: list[Trained]) -> str | None:
    """A sentence where a member held out other images than the first, whose split is used."""
    first, *others = [[member.recipe.get("data", {}).get(key) for key in _SPLIT_KEYS] for member in members]
    different = [path for path, keys in zip(paths[1:], others, strict=True) if keys != first]
    if not different:
        return None
    return (
        f"{', '.join(different)}: trained with another data.source or data.val_fraction than {paths[0]}, whose images "
        "are used, so some of these may have been training images"
    )


def scores_table(scores: EnsembleScores, paths: list[str], title: str) -> Table:
    top = list(scores.ensemble)
    over_mean = points(scores.gain_over_mean, scores.gain_over_mean_interval)
    over_best = points(scores.gain_over_best, scores.gain_over_best_interval)
    table = Table("member", *[f"top-{name.removeprefix('acc')}" for name in top], title=title)
    table.columns[0].overflow = "fold"
    table.caption = (
        f"gain in top-1 over the mean member {over_mean}, over the best {over_best} points; "
        "95 % intervals by paired bootstrap over the images"
    )
    for path, member in zip(paths, scores.members, strict=True):
        table.add_row(path, *[percent(member[name]) for name in top])
    table.add_section()
    table.add_row("mean of the members", *[percent(scores.mean[name]) for name in top])
    table.add_row("ensemble", *[percent(scores.ensemble[name]) for name in top], style="bold")
    return table
