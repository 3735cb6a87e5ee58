"""``lit-cnn predict CKPT IMAGES…``: needs nothing but the checkpoint."""

import argparse
import json
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lit_cnn.cli.checkpoint_arguments import add_network_arguments
from lit_cnn.evaluation.predict import find_images, write_predictions
from lit_cnn.evaluation.trained import BATCH_SIZE, Trained, load_trained
from lit_cnn.exporting.folding import fold_for_inference


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lit-cnn predict", description="Name the classes of image files, in float32 on every machine."
    )
    parser.add_argument("checkpoint", help="a checkpoint of lit-cnn fit")
    parser.add_argument("images", nargs="+", help="image files or folders")
    add_network_arguments(parser)
    parser.add_argument("--out", type=Path, action="append", default=[], help="a .csv or .json file; may be repeated")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--fold", action="store_true", help="fold batch norm into the convolutions, which is faster")
    parser.add_argument(
        "--compile",
        action="store_true",
        help="fold and compile, which takes seconds to minutes: for many images",
    )
    options = parser.parse_args(arguments)
    trained = load_trained(options.checkpoint, options.weights, options.trust)
    files = find_images(options.images)
    if options.fold or options.compile:
        make_faster(trained, min(BATCH_SIZE, len(files)), with_compile=options.compile)
    console = Console(stderr=True)
    iterator = trained.predictions(files)
    predictions = list(track(iterator, "predicting", total=len(files), console=console, transient=True))
    for path in options.out:
        write_predictions(predictions, path)
    if options.json:
        print(json.dumps([vars(prediction) for prediction in predictions], indent=2))
        return 0
    table = Table("file", "class", "probability", "then")  # the end of a path tells files apart
    for prediction in predictions:
        rest = list(zip(prediction.classes, prediction.probabilities, strict=True))[1:]
        others = ", ".join(f"{name} {value:.1%}" for name, value in rest)
        table.add_row(
            "/".join(Path(prediction.file).parts[-2:]),
            prediction.classes[0],
            f"{prediction.probabilities[0]:.1%}",
            others,
        )
    Console().print(table)
    return 0


def make_faster(trained: Trained, batch_size: int, *, with_compile: bool) -> None:
    """Fold the network, and compile it for batches of ``batch_size`` images; each step is checked on noise."""
    shape = (batch_size, trained.preprocessing.in_channels, *[trained.preprocessing.image_size] * 2)
    example = torch.randn(shape, generator=torch.Generator().manual_seed(0)).contiguous(
        memory_format=torch.channels_last
    )
    trained.network = fold_for_inference(trained.network, example[:1]).network
    if with_compile:
        from lit_cnn.exporting.compiling import compile_for_inference  # a second

        trained.network = compile_for_inference(trained.network, example)
