"""``lit-cnn export CKPT``: a trained network for other programs, verified on real images.

Batch norm is folded into the convolutions, and resizing, cropping and normalizing are part of the graph: it takes the
decoded pixels, uint8 (N, H, W, C) of any size. (ExecuTorch programs take normalized crops, one at a time.) The file is
run by its own runtime on the checkpoint's validation images or those of ``--data``, and not written where it gives
another class than the network to more than 1 of 1000 images. ``--int8`` writes a second ONNX file of a quarter of the
size, which may differ more. A detector leaves as ONNX up to its raw outputs, with a program of numpy that finds boxes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli import export_detector
from lit_cnn.cli.checkpoint_arguments import add_checkpoint_arguments, chosen_checkpoint
from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, busy_warning, progress, say
from lit_cnn.cli.export_table import report, results_table
from lit_cnn.cli.outputs import add_output, chosen_output, require_writable
from lit_cnn.cli.tables import print_tables

if TYPE_CHECKING:  # a help needs none of it
    from lit_cnn.evaluation.trained import Trained
    from lit_cnn.exporting.exporting import Exported
    from lit_cnn.exporting.graph import GraphForm
    from lit_cnn.exporting.real_images import RealImages

FORMATS = ("safetensors", "onnx", "torch-export", "executorch")
IMAGES = 1000
"""Images of the verification: with fewer, 99.9 % means all of them."""


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    from lit_cnn.exporting.exporting import ENDINGS
    from lit_cnn.exporting.graph import GraphForm
    from lit_cnn.exporting.latency import latency
    from lit_cnn.exporting.packages import require_packages
    from lit_cnn.exporting.real_images import real_images
    from lit_cnn.run_folder.checkpoint import DETECTION, load_checkpoint

    checkpoint = chosen_checkpoint(options.checkpoint)
    content = load_checkpoint(checkpoint)
    if is_detector := content.get("task") == DETECTION:
        export_detector.require_possible(options, checkpoint)
    require_packages(options.format, f"--format {options.format}")
    ending = ENDINGS[options.format]
    default = Path(f"{name_of(options.checkpoint, checkpoint)}{ending}")
    out = chosen_output(options.out, default, [Path(checkpoint)])
    require_writable("--out", out, [ending])
    if is_detector:
        return export_detector.run(options, content, checkpoint, out)
    trained = load(content, checkpoint, options)
    images = real_images(trained, options.data, options.images, skip_broken=options.skip_broken)
    for text in images.notes:
        say(text, stderr=True)
    with_preprocessing = options.preprocessing and options.format in ("onnx", "torch-export")
    batch = options.batch or (1 if options.format == "executorch" else None)
    form = GraphForm(with_preprocessing, batch, options.opset)
    load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    files = write(trained, out, form, images, options)
    timed = options.format != "safetensors"
    measured = latency(trained, [each.run for each in files], form, images) if timed else None
    if options.json:
        print(as_json(report(trained, files, measured)))
        return 0
    table = results_table(trained, form, files, measured, busy_warning(load_average))
    line = f"{checkpoint} on {files[0].verification.images} images of {images.images.origin}"
    print_tables([table], line, in_markdown=options.markdown)
    for each in files:
        say(each.path, stderr=options.markdown)
    return 0


def write(
    trained: Trained, out: Path, form: GraphForm, images: RealImages, options: argparse.Namespace
) -> list[Exported]:
    """The files that the options ask for, each verified."""
    from lit_cnn.exporting.exporting import export_verified, int8_verified
    from lit_cnn.exporting.quantizing import CALIBRATION_IMAGES
    from lit_cnn.exporting.real_images import calibration_images

    calibration = None
    if options.int8:  # looked for before minutes of tracing
        count, skip = CALIBRATION_IMAGES, options.skip_broken
        calibration = calibration_images(trained, options.calibration, count, skip_broken=skip)
    with progress("comparing", len(images) * (2 if calibration else 1)) as advance:
        kind, license = options.format, options.license
        exported = export_verified(trained, out, kind, form, images, license=license, advance=advance)
        if calibration is None:
            return [exported]
        return [exported, int8_verified(trained, exported, form, calibration, images, advance=advance)]


def make_parser() -> CommandParser:
    example = "lit-cnn export runs/folder/TIME-ID --format onnx --out flowers.onnx"
    parser = CommandParser("lit-cnn export", __doc__, example=example)
    add_checkpoint_arguments(parser)
    parser.add_argument("--format", choices=FORMATS, default="onnx", help="of the file (default %(default)s)")
    add_output(parser, "--out", "the file (default: a new one, named as the run or checkpoint, in the working folder)")
    parser.add_argument("--opset", type=int, metavar="N", help="version of ONNX's operators (default: the exporter's)")
    parser.add_argument(
        "--no-preprocessing", dest="preprocessing", action="store_false",
        help="take normalized crops, float32 (N, C, height, width), instead of decoded images",
    )  # fmt: skip
    parser.add_argument(
        "--batch", type=batch_size, metavar="N", help="images of each pass: a number, or dynamic (default)"
    )
    parser.add_argument(
        "--int8", action="store_true",
        help="write a second ONNX file in 8-bit integers; it has to agree on 90 %% of the images and may lose 3 points",
    )  # fmt: skip
    parser.add_argument(
        "--calibration", metavar="DATA",
        help="images for the ranges of --int8: a folder (default: the recorded training images)",
    )  # fmt: skip
    parser.add_argument("--license", metavar="NAME", help="of the weights, for the metadata")
    parser.add_argument(
        "--images", type=int, default=IMAGES, metavar="N", help="images to verify on, at most (default %(default)s)"
    )
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.opset is not None and options.format != "onnx":
        parser.error("--opset is ONNX's, so it needs --format onnx")
    if options.format == "safetensors" and (options.batch or not options.preprocessing):
        parser.error("--batch and --no-preprocessing shape a graph, and safetensors holds weights alone")
    if options.int8 and options.format != "onnx":
        parser.error("--int8 quantizes ONNX files, so it needs --format onnx")
    if options.calibration is not None and not options.int8:
        parser.error("--calibration names the images of --int8, so it needs --int8")
    if options.images < 1:
        parser.error(f"--images is {options.images} but must be at least 1")
    return options


def batch_size(text: str) -> int | None:
    if text == "dynamic":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of images nor dynamic")
    return int(text)


def name_of(stated: str, checkpoint: str) -> str:
    """What a file is called by default: as the run folder, the published weights or the checkpoint."""
    if not Path(stated).expanduser().exists():  # timm:NAME.TAG
        return stated.replace(":", "-").replace("/", "-")
    place = Path(checkpoint).resolve()
    return place.parent.parent.name if place.parent.name == "checkpoints" else place.stem


def load(content: dict[str, Any], checkpoint: str, options: argparse.Namespace) -> Trained:
    """The network on the CPU, and its warning; ``content`` is what was read from the file ``checkpoint``."""
    from lit_cnn.evaluation.trained import trained_from

    trained = trained_from(content, checkpoint, options.weights, options.trust)
    if trained.doubt is not None:
        say(trained.doubt, stderr=True)
    return trained
