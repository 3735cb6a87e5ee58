"""``lit-cnn localize CKPT --data FOLDER``: whether a classifier that never saw a box looks at the object.

The box around the largest region of the class activation map above a share of its maximum is compared with the true
boxes of the folder, in Pascal VOC's, COCO's or YOLO's layout. Prints localization accuracies next to those of boxes
that need no network, and draws images with boxes and maps.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lit_cnn.cli.checkpoint_arguments import add_network_arguments, chosen_checkpoint
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, progress, say
from lit_cnn.cli.outputs import require_writable
from lit_cnn.cli.pixel_arguments import add_limit_argument
from lit_cnn.cli.tables import add_form_arguments, print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.data.settings import OnError
    from lit_cnn.detection.annotations import Annotated
    from lit_cnn.evaluation.images import Problem
    from lit_cnn.evaluation.trained import Trained
    from lit_cnn.explanations.boxed_images import SplitName
    from lit_cnn.explanations.localization import LocalizedImage, MapSource

PICTURE = "localized.png"
"""Name of the picture."""
LIMIT = 20
"""Images of the picture."""
THRESHOLD = "0.15"
CHOSEN = "val"
"""The word for a threshold that is chosen on the validation images."""


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    require_writable("--out", options.out / PICTURE, in_new_folder=True)
    from lit_cnn.cli.localized_tables import figures_table, report_of
    from lit_cnn.detection.annotations import read_annotations
    from lit_cnn.evaluation.recorded_data import load_network
    from lit_cnn.explanations.boxed_images import mean_box_size, present_split
    from lit_cnn.explanations.explaining import make_explainer
    from lit_cnn.explanations.localization import MapSource
    from lit_cnn.explanations.localization_figures import (
        box_figures,
        center_box,
        map_figures,
        true_in_crop,
        whole_image,
    )

    checkpoint = chosen_checkpoint(options.checkpoint)
    trained = load_network(checkpoint, options.weights, options.trust)
    make_explainer(trained, "cam")  # refuses a network without an exact map before anything is read
    if trained.doubt is not None:
        say(trained.doubt, stderr=True)
    source = MapSource(trained, options.map_stride)
    annotated = read_annotations(Path(options.data).expanduser(), options.layout, to_train=False)
    split = present_split(annotated, options.split)
    threshold = chosen_threshold(source, annotated, split, options)
    images = localized(source, annotated, split, threshold, options, keep_maps=options.limit)
    size = mean_box_size(annotated.measured)
    rows = [
        map_figures("class activation map", images, threshold),
        box_figures("whole image", images, whole_image),
        box_figures("center box of mean size", images, center_box(size)),
        box_figures("true boxes within the crop", images, true_in_crop),
    ]
    report = report_of(images, rows, trained.class_names, options.shown)
    report |= {"checkpoint": checkpoint, "weights": options.weights, "data": annotated.origin, "split": split}
    report |= {"threshold": threshold, "threshold_from": CHOSEN if options.threshold == CHOSEN else "given"}
    report |= {"center_box": list(size), "map_stride": options.map_stride}
    report["files"] = {"images": str(write_picture(images[: options.limit], trained, annotated, threshold, options))}
    if options.json:
        print(as_json(report))
        return 0
    line = f"{len(images)} {split} images of {annotated.origin}, {checkpoint} ({options.weights} weights)"
    print_tables([figures_table(report, rows)], line, in_markdown=options.markdown)
    say(report["files"]["images"], stderr=options.markdown)
    return 0


def make_parser() -> CommandParser:
    parser = CommandParser(
        "lit-cnn localize", __doc__, example="lit-cnn localize runs/folder/TIME-ID --data birds --threshold val"
    )
    parser.add_argument(
        "checkpoint",
        help="a checkpoint of lit-cnn fit, a run folder, or published weights: timm:NAME.TAG, torchvision:NAME.TAG",
    )
    parser.add_argument(
        "--data", required=True, metavar="PATH", help="a folder of images with boxes of the checkpoint's classes"
    )
    parser.add_argument(
        "--layout", choices=["auto", "voc", "coco", "yolo"], default="auto", help="of the folder (default: found)"
    )
    parser.add_argument(
        "--split", choices=["train", "val", "test"], help="images to localize in (default: test, else val, else train)"
    )
    parser.add_argument(
        "--threshold", default=THRESHOLD, metavar="SHARE",
        help="share of the map's maximum above which a region is (default %(default)s, as in CutMix's appendix B), or "
        f"{CHOSEN}: the one of the highest GT-known localization on the validation images",
    )  # fmt: skip
    parser.add_argument(
        "--class", dest="shown", choices=["predicted", "true"], default="predicted",
        help="whose map and box the picture and the images of --json show",
    )  # fmt: skip
    parser.add_argument(
        "--map-stride", type=int, metavar="PX",
        help="pixels for each position of the map, by strides taken out of the last stages (16: CutMix's 14x14 map of "
        "a ResNet at 224 px; default: the network's own)",
    )  # fmt: skip
    parser.add_argument("--skip-broken", action="store_true", help="leave out and count files that cannot be read")
    add_network_arguments(parser)
    add_form_arguments(parser)
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"first images drawn ({LIMIT})")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that decode (default: as many as help)")
    add_limit_argument(parser)
    parser.add_argument(
        "--out", type=lambda text: Path(text).expanduser(), default=Path("localized"), metavar="FOLDER",
        help=f"where {PICTURE} is written (default: %(default)s)",
    )  # fmt: skip
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = make_parser()
    options = parser.parse_args(arguments)
    for name, least in (("limit", 1), ("workers", 0), ("map_stride", 1)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name.replace('_', '-')} is {value} but must be at least {least}")
    if options.threshold != CHOSEN and not _is_share(options.threshold):
        parser.error(f"--threshold is {options.threshold} but must be a share from 0 to 1, or {CHOSEN}")
    if options.threshold == CHOSEN and options.split in ("val", "train"):
        parser.error(
            f"--threshold {CHOSEN} chooses on the validation images, so the figures must be of others: --split test"
        )
    return options


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def chosen_threshold(source: MapSource, annotated: Annotated, split: SplitName, options: argparse.Namespace) -> float:
    """The stated threshold, or the best on the validation images.

    Raises:
        ValueError: If there are no validation images besides those that are localized in.
    """
    if options.threshold != CHOSEN:
        return float(options.threshold)
    if split != "test" or "val" not in annotated.splits:
        there = " and ".join(sorted(annotated.splits))
        raise ValueError(
            f"--threshold {CHOSEN} needs annotated validation and test images, but {annotated.origin} has {there} "
            "alone: state a share such as 0.15"
        )
    from lit_cnn.explanations.localization import THRESHOLDS
    from lit_cnn.explanations.localization_figures import best_threshold

    images = localized(source, annotated, "val", THRESHOLDS[0], options, keep_maps=0)
    return best_threshold(images, THRESHOLDS)


def localized(
    source: MapSource,
    annotated: Annotated,
    split: SplitName,
    threshold: float,
    options: argparse.Namespace,
    *,
    keep_maps: int,
) -> list[LocalizedImage]:
    """The images of a split, localized; what was left out is said on stderr.

    Raises:
        BrokenImage: If a file cannot be read, with the advice to skip it.
    """
    from lit_cnn.data.sources.decoding import BrokenImage
    from lit_cnn.explanations.boxed_images import boxed_images
    from lit_cnn.explanations.localization import localize

    boxed = boxed_images(source.trained, annotated, split, options.workers, options.max_pixels)
    for note in (*annotated.notes, *boxed.notes):
        say(note, stderr=True)
    broken: dict[int, Problem] = {}
    on_error: OnError = "skip" if options.skip_broken else "stop"
    boxed = replace(boxed, images=replace(boxed.images, on_error=on_error, on_broken=broken.__setitem__))
    try:
        with progress("localizing", len(boxed)) as advance:
            found = localize(source, boxed, threshold, keep_maps=keep_maps, advance=advance)
    except BrokenImage as error:
        raise type(error)(f"{error}, or pass --skip-broken") from None
    if broken:
        first = next(iter(broken.values()))
        say(f"skipped {len(broken)} of {len(boxed)} images of {annotated.origin}, the first: {first}", stderr=True)
    return found


def write_picture(
    images: list[LocalizedImage],
    trained: Trained,
    annotated: Annotated,
    threshold: float,
    options: argparse.Namespace,
) -> Path:
    """The first images with their boxes and maps."""
    from lit_cnn.explanations.localized_pictures import localized_picture
    from lit_cnn.reports.localized import draw_localized

    pixels = replace(trained.preprocessing.pixel_format, channels=3, max_pixels=options.max_pixels)
    pictures = [localized_picture(image, trained.class_names, pixels, options.shown) for image in images]
    title = f"{options.shown} class in {Path(annotated.origin).name}, threshold {threshold:g}, wrong answers framed"
    return draw_localized(pictures, options.out / PICTURE, title=title)
