"""``lit-cnn data show``: a contact sheet of the batches that the network will see; ``lit-cnn data pack``: an image
folder as litdata's shards."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.command_parser import CommandParser, recipes_first, require_recipe
from lit_cnn.cli.console import counted, say
from lit_cnn.cli.pixel_arguments import add_pixel_arguments, pixel_format_of

if TYPE_CHECKING:
    from lit_cnn.detection.data import DetectionData

SHOW = "a contact sheet of the batches that the network will see"
PACK = "an image folder as shards for data.source litdata"

LARGEST_CHUNK = 4095
"""MiB; a shard holds the places of its images in 32 bits."""


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn data", __doc__, example="lit-cnn data show quickstart")
    actions = parser.add_subparsers(dest="action", required=True)
    example = "lit-cnn data show folder --data.path my_images --data.mixup.alpha 0.4"
    show = actions.add_parser("show", help=SHOW, description=SHOW, example=example)
    show.add_argument("--out", type=Path, default=Path("batch.png"), help="PNG to write")
    show.add_argument("--images", type=int, default=32, help="how many images")
    pack = actions.add_parser("pack", help=PACK, description=PACK, example="lit-cnn data pack my_images shards")
    pack.add_argument("source", metavar="SRC", help="image folder")
    pack.add_argument("target", metavar="DEST", type=Path, help="folder to make")
    pack.add_argument("--size", type=int, default=256, help="longest shorter side in px; 0 keeps every file as it is")
    pack.add_argument("--quality", type=int, default=90, help="of the JPEGs that are written")
    pack.add_argument("--chunk-mb", type=int, default=32, help="size in MiB at which a shard is closed")
    pack.add_argument("--workers", type=int, default=0, help="processes that decode and encode")
    pack.add_argument("--val-fraction", type=float, default=0.1, help="held out where the folder has no val/")
    pack.add_argument("--group-by", metavar="EXPRESSION", help="images to hold out together, as data.group_by")
    add_pixel_arguments(pack)
    return parser


def run(arguments: list[str]) -> int:
    parser = make_parser()
    if arguments[:1] == ["show"]:
        arguments = ["show", *recipes_first(arguments[1:])]
    options, rest = parser.parse_known_args(arguments)
    if options.action == "show":
        return _show(options, rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return _pack(options)


def _show(options: argparse.Namespace, rest: list[str]) -> int:
    if options.images < 1:
        raise ValueError(f"--images is {options.images} but must be at least 1")
    require_recipe(rest, "lit-cnn data show")
    from lit_cnn.data.levels import levels_warning
    from lit_cnn.detection.data import DetectionData
    from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
    from lit_cnn.experiment.recipe import Recipe
    from lit_cnn.experiment.run_trainer import limit_to_images
    from lit_cnn.reports.contact_sheet import caption, draw_contact_sheet

    cli = RecipeCLI(resolve_configs(rest))
    data: Any = Recipe.of(cli).data
    data.setup("fit")
    for line in data.summary.lines():
        say(line)
    limit_to_images(data)
    if isinstance(data, DetectionData):
        say(show_boxes(data, options.images, options.out))
        return 0
    if problem := levels_warning(data.loaded.train, data.pixel_format, data.loaded.origin):
        say(f"warning: {problem}", stderr=True)
    batch = data.prepare(next(iter(data.train_dataloader())), training=True, step=0, epoch=0)
    shown = slice(0, options.images)
    captions = [caption(target, data.class_names) for target in batch.targets[shown]]
    path = draw_contact_sheet(data.denormalize(batch.images[shown]), captions, options.out, title="training batch")
    say(path)
    return 0


def show_boxes(data: "DetectionData", images: int, out: Path) -> Path:
    """Draw up to ``images`` of the first training batch with their boxes; returns the picture's path."""
    from lit_cnn.data.levels import levels_warning
    from lit_cnn.detection.annotations import as_files
    from lit_cnn.reports.box_sheet import draw_box_sheet

    if problem := levels_warning(as_files(data.loaded.train), data.pixel_format, data.loaded.origin):
        say(f"warning: {problem}", stderr=True)
    batch = data.prepare(next(iter(data.train_dataloader())), training=True, step=0, epoch=0)
    pixels = data.denormalize(batch.images[:images]).permute(0, 2, 3, 1).numpy()
    own = [batch.rows == number for number in range(len(pixels))]
    boxes, labels = [batch.boxes[rows].numpy() for rows in own], [batch.labels[rows].numpy() for rows in own]
    return draw_box_sheet(pixels, boxes, labels, data.class_names, out, title="training batch")


def _pack(options: argparse.Namespace) -> int:
    if not 1 <= options.chunk_mb <= LARGEST_CHUNK:
        raise ValueError(f"--chunk-mb is {options.chunk_mb} but must lie between 1 and {LARGEST_CHUNK} (MiB)")
    from lit_cnn.data.levels import levels_warning
    from lit_cnn.data.sources.holdout import HoldOut
    from lit_cnn.data.sources.labeled import read_labeled
    from lit_cnn.data.sources.load import resolve_data_path
    from lit_cnn.data.sources.packing import Packing, pack_folder
    from lit_cnn.data.summary import DataSummary

    source, pixel_format = resolve_data_path(options.source, "SRC"), pixel_format_of(options)
    packing = Packing(options.size, options.quality, options.chunk_mb * 2**20, options.workers, pixel_format)
    if packing.size:
        train = read_labeled(source).splits["train"]
        if problem := levels_warning(train, pixel_format, options.source, advice="state --levels 0 {}"):
            say(f"warning: {problem}", stderr=True)
    with counted("packing") as advance:
        counts = pack_folder(
            source,
            options.target,
            packing,
            HoldOut(options.val_fraction, group_by=options.group_by),
            advance,
            lambda source: say("\n".join(DataSummary.of("imagefolder", source).lines())),
        )
    size = sum(path.stat().st_size for path in options.target.rglob("*") if path.is_file())
    images = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    path = shlex.quote(str(options.target))
    say(f"{images} images, {size / 1e6:,.1f} MB; train with --data.source litdata --data.path {path}")
    return 0
