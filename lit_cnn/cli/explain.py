"""``lit-cnn explain CKPT IMAGES…``: where in the image the network's answer comes from.

Writes a contact sheet: each image as the network sees it, the map of the class that it is taken for and, where the
image lies in a folder named after another class, that class's map. ``--filters`` draws the filters of the first layer,
``--confused`` the classes that are confused most on the validation images; both need no images.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, chosen_checkpoint
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, progress, say
from lit_cnn.cli.outputs import require_writable
from lit_cnn.cli.pixel_arguments import add_limit_argument
from lit_cnn.cli.predict import named_files
from lit_cnn.cli.tables import Table, print_tables
from lit_cnn.explanations.choices import AUTO, METHODS

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.images import Problem
    from lit_cnn.evaluation.trained import Trained
    from lit_cnn.explanations.confused import Confusion
    from lit_cnn.explanations.explaining import ExplainedImage, Explainer

IMAGES, FILTERS, CONFUSED = "explanations.png", "filters.png", "confused.png"
"""Names of the pictures."""
EACH = "images"
"""Folder of the picture of each image."""
LIMIT = 40
PAIRS = 5
"""Default numbers of images, and of pairs of classes."""
_OF_PAIR = 3
"""Images of a pair of classes."""
_STEM = 60
"""Letters of a file's name that its picture keeps, since file systems take no longer names than 255 bytes."""
_NAMED = 10
"""Broken files that the last line names."""


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    require_writable("--out", options.out / IMAGES, in_new_folder=True)
    from lit_cnn.cli.explained_tables import confused_table, images_table, report_of_images, report_of_pairs
    from lit_cnn.evaluation.trained import load_trained, on_device
    from lit_cnn.explanations.explaining import make_explainer

    checkpoint = chosen_checkpoint(options.checkpoint)
    trained = on_device(load_trained(checkpoint, options.weights, options.trust))
    if trained.doubt is not None:
        say(trained.doubt, stderr=True)
    asked = class_number(trained, options.class_name)
    report: dict[str, Any] = {"checkpoint": checkpoint, "weights": options.weights}
    tables: list[Table] = []
    broken: dict[str, str] = {}
    if draws_maps(options):
        explainer = make_explainer(trained, options.method, options.layer, options.patch, options.stride)
        report |= {"method": explainer.method, "layer": explainer.layer or None, "unit": explainer.unit}
    report["files"] = {}
    if options.images or options.files_from:
        explained, broken = explain_files(trained, explainer, options, asked)
        report["images"] = report_of_images(explained, trained.class_names)
        report["unreadable"] = broken
        if explained:
            report["files"] |= write_images(explained, trained, explainer, options)
            tables.append(images_table(explained, trained.class_names))
    if options.confused:
        confusion = explain_confusion(trained, explainer, options)
        report["confused"] = report_of_pairs(confusion, trained.class_names)
        if confusion.pairs:
            report["files"]["confused"] = str(write_confusion(confusion, trained, explainer, options.out / CONFUSED))
        tables.append(confused_table(confusion))
    if options.filters:
        report["files"]["filters"] = str(write_filters(trained, options.out / FILTERS))
    show(report, tables, options)
    return unreadable(broken, report)


def make_parser() -> CommandParser:
    parser = CommandParser(
        "lit-cnn explain", __doc__, example="lit-cnn explain runs/folder/TIME-ID photo.jpg more_photos --out why"
    )
    add_checkpoint_arguments(parser)
    parser.add_argument("images", nargs="*", help="image files or folders")
    parser.add_argument(
        "--files-from", metavar="LIST", help="a file with a path on each line, or - for the standard input"
    )
    parser.add_argument(
        "--method", choices=[AUTO, *METHODS], default=AUTO,
        help="class activation map (exact, of networks that end in global average pooling and one linear layer), "
        "Grad-CAM, or occlusion by a patch; auto: the first that the network allows",
    )  # fmt: skip
    parser.add_argument("--class", dest="class_name", metavar="NAME", help="explain this class, not the predicted one")
    parser.add_argument("--layer", metavar="NAME", help="the layer of grad-cam (default: features)")
    parser.add_argument("--patch", type=int, metavar="PX", help="side of the patch (default: a quarter of the crop)")
    parser.add_argument("--stride", type=int, metavar="PX", help="pixels between its places (default: a quarter of it)")
    parser.add_argument("--filters", action="store_true", help=f"draw the first layer's filters to {FILTERS}")
    parser.add_argument(
        "--confused", action="store_true",
        help=f"draw the classes that are confused most, with images, to {CONFUSED}; the images are those of --data, "
        "or the validation images of the run",
    )  # fmt: skip
    parser.add_argument("--pairs", type=int, default=PAIRS, metavar="N", help=f"of these classes (default {PAIRS})")
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"first images explained ({LIMIT})")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that decode (default: as many as help)")
    add_limit_argument(parser)
    parser.add_argument(
        "--out", type=lambda text: Path(text).expanduser(), default=Path("explanations"), metavar="FOLDER",
        help="where the pictures are written (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--each", action="store_true", help=f"also a picture of each image, in {EACH}/ of the folder")
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = make_parser()
    options = parser.parse_intermixed_args(arguments)  # flags may stand before, between and after the images
    if not (draws_maps(options) or options.filters):
        parser.error("name image files or folders, or --files-from a list of them, --confused or --filters")
    if not draws_maps(options) and (options.method != AUTO or options.layer is not None):
        parser.error("--method and --layer are of maps, which --filters alone does not draw: name images or --confused")
    for name, least in (("pairs", 1), ("limit", 1), ("workers", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            parser.error(f"--{name} is {value} but must be at least {least}")
    if options.method in ("cam", "occlusion") and options.layer is not None:
        parser.error(f"--layer is of grad-cam, not of {options.method}")
    if options.method != "occlusion" and (options.patch is not None or options.stride is not None):
        parser.error("--patch and --stride are of --method occlusion")
    if options.class_name is not None and not (options.images or options.files_from):
        parser.error("--class is of images that are named; the classes of --confused follow from the answers")
    if options.data is not None and not options.confused:
        parser.error("--data names the labeled images of --confused: add it, or give the images without --data")
    return options


def draws_maps(options: argparse.Namespace) -> bool:
    """Whether something is asked for that a method explains; filters alone need none."""
    return bool(options.images or options.files_from or options.confused)


def class_number(trained: Trained, name: str | None) -> int | None:
    """The number of a class.

    Raises:
        ValueError: If the network has no such class, with the nearest names.
    """
    import difflib

    if name is None or name in trained.class_names:
        return None if name is None else trained.class_names.index(name)
    with_it = [known for known in trained.class_names if name.lower() in known.lower()]
    with_it.sort(key=lambda known: name.lower() not in known.lower().split())  # those that have it as a word first
    near = with_it[:3] or difflib.get_close_matches(name, trained.class_names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"its classes are {', '.join(trained.class_names[:20])}"
    more = f" and {len(trained.class_names) - 20} more" if not near and len(trained.class_names) > 20 else ""
    raise ValueError(f"--class {name} is not a class of {trained.name}: {hint}{more}")


def explain_files(
    trained: Trained, explainer: Explainer, options: argparse.Namespace, asked: int | None
) -> tuple[list[ExplainedImage], dict[str, str]]:
    """The images that could be read, explained, and of the others what is wrong with each."""
    from lit_cnn.data.sources.decoding import TooManyPixels
    from lit_cnn.evaluation.images import NothingReadable
    from lit_cnn.evaluation.predict import file_images
    from lit_cnn.explanations.explaining import classes_by_folder, explain_images

    paths = named_files(options).paths
    if len(paths) > options.limit:
        say(f"explaining the first {options.limit} of {len(paths)} images (--limit)", stderr=True)
        paths = paths[: options.limit]
    pixel_format = replace(trained.preprocessing.pixel_format, max_pixels=options.max_pixels)
    broken: dict[str, str] = {}

    def note(row: int, problem: Problem) -> None:
        if isinstance(problem, TooManyPixels):
            problem = problem.with_advice("raise --max-pixels")
        broken[paths[row]] = str(problem) or type(problem).__name__

    images = replace(file_images(paths, pixel_format, options.workers, "skip"), on_broken=note)
    true = classes_by_folder(paths, trained.class_names)
    try:
        with progress("explaining", len(paths)) as advance:
            return explain_images(trained, images, explainer, true, asked, advance), broken
    except NothingReadable:
        return [], broken


def explain_confusion(trained: Trained, explainer: Explainer, options: argparse.Namespace) -> Confusion:
    """The most confused classes on the labeled images of ``--data``, or of the run's validation."""
    from lit_cnn.cli.evaluated_images import evaluated_images
    from lit_cnn.explanations.confused import confused_pairs

    with evaluated_images(trained, options, "val") as images, progress("evaluating", len(images)) as advance:
        return confused_pairs(trained, images, explainer, options.pairs, _OF_PAIR, advance)


def write_images(
    explained: list[ExplainedImage], trained: Trained, explainer: Explainer, options: argparse.Namespace
) -> dict[str, Any]:
    """Write the contact sheet and, where asked for, a picture of each image; their names."""
    from lit_cnn.cli.explained_tables import group_of
    from lit_cnn.reports.explained import Scale, draw_explained, highest_value

    whole = group_of(explained, trained.class_names)
    scale = Scale(explainer.unit, highest_value([whole]))
    framed = ", wrong answers framed" if any(item.framed for item in whole.items) else ""
    title = f"{explainer.name} of {Path(trained.name).name}{framed}"
    files: dict[str, Any] = {"images": str(draw_explained([whole], options.out / IMAGES, title=title, scale=scale))}
    if options.each:
        files["each"] = []
        for number, image in enumerate(explained, start=1):
            path = options.out / EACH / f"{number:04}_{Path(image.name).stem[:_STEM]}.png"
            group = group_of([image], trained.class_names)
            files["each"].append(str(draw_explained([group], path, title=Path(image.name).name, scale=scale)))
    return files


def write_confusion(confusion: Confusion, trained: Trained, explainer: Explainer, path: Path) -> Path:
    from lit_cnn.cli.explained_tables import group_of
    from lit_cnn.reports.explained import Scale, draw_explained, highest_value

    groups = []
    for pair in confusion.pairs:
        many = f"{pair.count} image{'s' if pair.count > 1 else ''}, {100 * pair.share:.0f} % of {pair.true}"
        group = group_of(pair.images, trained.class_names)
        groups.append(group._replace(heading=f"{pair.true} taken for {pair.predicted}: {many}"))
    title = f"most confused classes: {confusion.wrong} of {confusion.images} images are wrong"
    return draw_explained(groups, path, title=title, scale=Scale(explainer.unit, highest_value(groups)))


def write_filters(trained: Trained, path: Path) -> Path:
    from lit_cnn.explanations.filters import first_filters
    from lit_cnn.reports.filters import draw_filters

    found = first_filters(trained.network)
    count, channels, height, width = found.weights.shape
    title = f"{found.layer}: {count} filters of {channels} x {height} x {width}"
    return draw_filters(found.weights.numpy(), path, title=title)


def show(report: dict[str, Any], tables: list[Table], options: argparse.Namespace) -> None:
    """Print the figures, and the names of the pictures."""
    if options.json:
        print(as_json(report))
        return
    if tables:
        print_tables(tables, f"{report['method']}: {report['unit']}", in_markdown=options.markdown)
    for name in ("images", "confused", "filters"):
        if name in report["files"]:
            say(report["files"][name], stderr=options.markdown)
    if options.each and "each" in report["files"]:
        say(options.out / EACH, stderr=options.markdown)


def unreadable(broken: dict[str, str], report: dict[str, Any]) -> int:
    """Exit code 0 where all images could be read.

    Raises:
        BrokenImage: Else: what is wrong with one, the names of several.
    """
    if not broken:
        return 0
    from lit_cnn.data.sources.decoding import BrokenImage

    total = len(broken) + len(report["images"])
    if total == 1:
        raise BrokenImage(next(iter(broken.values())))
    if len(broken) == 1:
        raise BrokenImage(f"1 of {total} images is not explained: {next(iter(broken.values()))}")
    names = ", ".join(list(broken)[:_NAMED]) + (f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else "")
    raise BrokenImage(f"{len(broken)} of {total} images are not explained, since they cannot be read: {names}")
