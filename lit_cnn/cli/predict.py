"""``lit-cnn predict CKPT IMAGES…``: needs nothing but the checkpoint."""

import argparse
from pathlib import Path

from lit_cnn.cli.checkpoint_arguments import add_network_arguments
from lit_cnn.cli.console import as_json, console, progress, table
from lit_cnn.evaluation.predict import (
    BATCH_SIZE,
    Prediction,
    find_images,
    predict_files,
    readable_files,
    write_predictions,
)
from lit_cnn.evaluation.trained import load_trained
from lit_cnn.exporting.inference import faster_network


def run(arguments: list[str]) -> int:
    options = parse(arguments)
    trained = load_trained(options.checkpoint, options.weights, options.trust)
    images = readable_files(trained, find_images(options.images))
    if options.fold or options.compile:
        known = trained.preprocessing
        shape = min(BATCH_SIZE, len(images)), known.in_channels, *known.image_size
        trained.network = faster_network(trained.network, shape, with_compile=options.compile)
    with progress("predicting", len(images)) as advance:
        predictions = predict_files(trained, images, advance)
    for path in options.out:
        write_predictions(predictions, path)
    if options.json:
        print(as_json(predictions))
        return 0
    console(columns=None).print(table(["file", "class", "probability", "then"], [row(each) for each in predictions]))
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
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
        "--compile", action="store_true", help="fold and compile, which takes seconds to minutes: for many images"
    )
    return parser.parse_args(arguments)


def row(prediction: Prediction) -> list[str]:
    """Cells of the table; the end of a path distinguishes files."""
    (best, share), *rest = zip(prediction.classes, prediction.probabilities, strict=True)
    others = ", ".join(f"{name} {value:.1%}" for name, value in rest)
    return ["/".join(Path(prediction.file).parts[-2:]), best, f"{share:.1%}", others]
