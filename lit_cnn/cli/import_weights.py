"""``lit-cnn import SOURCE``: weights from timm, torchvision, the hub or a file as a checkpoint for every command."""

import argparse
from pathlib import Path
from typing import Any

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say
from lit_cnn.cli.outputs import chosen_output, require_writable

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


def run(arguments: list[str]) -> int:
    """Exit code 0 also where the pairing is unproven, which is said on stderr and whenever the checkpoint is used."""
    options = make_parser().parse_args(arguments)
    from lit_cnn.evaluation.imported_weights import Request, import_weights

    stated = stated_preprocessing(options)
    place, cached = place_of(options, stated)
    request = Request(
        options.source,
        options.architecture,
        options.file,
        options.data,
        chosen_options(options.option),
        options.weights,
        options.recorded,
        stated,
    )
    done = import_weights(request, lambda text: say(text, stderr=True))
    done.save(place)
    if done.proof.status == "unproven":
        say(f"warning: {done.proof.sentence}", stderr=True)
    if options.json:
        kept = {name: value for name, value in done.checkpoint.items() if name not in ("state_dict", "class_names")}
        print(as_json({"checkpoint": str(place), **kept}))
        return 0
    described = done.checkpoint["network"]
    chosen = "".join(f", {name}={value}" for name, value in described["options"].items())
    say(f"{described['architecture']}{chosen}, {described['num_classes']} classes, {license_of(done.checkpoint)}")
    if done.proof.status != "unproven":
        say(done.proof.sentence)
    say(f"checkpoint: {place}" + (f" (commands take {options.source} too)" if cached else ""))
    return 0


def place_of(options: argparse.Namespace, stated: dict[str, Any]) -> tuple[Path, bool]:
    """Where the checkpoint is written, and whether that is the cache, in which published weights are as published.

    Raises:
        ValueError: If there are no such published weights, or the file may not be written.
    """
    from lit_cnn.pretrained.importing import cached_checkpoint
    from lit_cnn.pretrained.sources import find_published, is_published_spec

    default = Path(f"{Path(options.source).stem}.ckpt")
    if is_published_spec(options.source):
        kept = cached_checkpoint(find_published(options.source).spec)
        if options.out is None and not stated:
            return kept, True
        default = Path(kept.name)
    sources = [Path(options.source), *([] if options.file is None else [options.file])]
    place = chosen_output(options.out, default, sources)
    require_writable("--out", place)
    return place, False


def license_of(checkpoint: dict[str, Any]) -> str:
    return f"license {checkpoint['provenance'].get('license', 'none stated')}"


def make_parser() -> CommandParser:
    parser = CommandParser(
        prog="lit-cnn import", description=__doc__, example="lit-cnn import weights.pth --architecture resnet50"
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="timm:NAME[.TAG], torchvision:NAME[.TAG], hf-hub:USER/REPO, or a file of weights",
    )
    parser.add_argument("--architecture", metavar="NAME", help="our network; a file needs it")
    parser.add_argument("--file", type=Path, help="the file of a named source, where the network is not reached")
    parser.add_argument(
        "--data", metavar="PATH", help="labeled images that confirm the pairing and decide free choices"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="CKPT",
        help="where to write (default: the cache for weights as they were published, else NAME.ckpt here, if new)",
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the network; may be repeated"
    )
    parser.add_argument("--weights", choices=["ema", "raw"], help="which to take where a file holds both (default ema)")
    parser.add_argument(
        "--recorded", type=Path, metavar="NPZ", help="images (N, 3, H, W) and the logits (N, K) that they should get"
    )
    parser.add_argument("--mean", type=float, nargs="+", help="per channel, for pixels in 0 to 1")
    parser.add_argument("--std", type=float, nargs="+", help="per channel, for pixels in 0 to 1")
    parser.add_argument("--image-size", type=int, metavar="PX", help="side of the center crop")
    parser.add_argument("--resize", type=int, metavar="PX", help="shorter side before the crop")
    parser.add_argument("--interpolation", choices=INTERPOLATIONS)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def chosen_options(pairs: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` with values as in YAML.

    Raises:
        ValueError: If there is no =.
    """
    import yaml

    chosen = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--option {pair} needs KEY=VALUE, such as shortcut=zero_pad_both")
        chosen[key] = yaml.safe_load(value)
    return chosen


def stated_preprocessing(options: argparse.Namespace) -> dict[str, Any]:
    """The entries of a preprocessing that were given by hand.

    Raises:
        ValueError: If there are not three numbers, or a number is impossible.
    """
    stated: dict[str, Any] = {}
    for name in ("mean", "std"):
        numbers = getattr(options, name)
        if numbers is None:
            continue
        if len(numbers) not in (1, 3):
            raise ValueError(f"--{name} has {len(numbers)} numbers, but one or one per channel (3) is expected")
        stated[name] = tuple(numbers * 3 if len(numbers) == 1 else numbers)
        if max(stated[name]) > 1 or (name == "std" and min(stated[name]) <= 0):
            raise ValueError(f"--{name} {' '.join(map(str, numbers))} is not for pixels in 0 to 1: divide it by 255")
    for name in ("image_size", "resize", "interpolation"):
        value = getattr(options, name)
        if value is not None:
            stated[name] = value
            if isinstance(value, int) and value < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be at least 1, got {value}")
    return stated
