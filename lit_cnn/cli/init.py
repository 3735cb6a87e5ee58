"""``lit-cnn init FOLDER``: look at a folder of images and write a first recipe, with the reasons in comments.

    lit-cnn init my_images                            writes my_images.yaml
    lit-cnn init my_images --pretrained none --out flowers.yaml

Image size, batch, weights, length, augmentation and class weights follow from the number of images, their sizes and
their classes. lit-cnn choose compares networks on them instead.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from lit_cnn.cli.command_parser import CommandParser
from lit_cnn.cli.console import as_json, say
from lit_cnn.cli.outputs import require_writable

NETWORK = "efficientnet_lite0"
"""Whose published weights are taken where nothing else is asked for and they can be read or downloaded: small, fast and
accurate; then those of the next."""
OTHERS = ("resnet50", "mobilenet_v2", "efficientnet_b0")


def make_parser() -> CommandParser:
    parser = CommandParser("lit-cnn init", __doc__, example="lit-cnn init my_images")
    parser.add_argument(
        "folder", metavar="FOLDER", help="class folders, train/ and val/ of them, a list, or an npz file"
    )
    parser.add_argument(
        "--pretrained",
        default="any",
        metavar="WEIGHTS",
        help="any (published ones at hand), none, timm:NAME or a checkpoint",
    )
    parser.add_argument("--out", type=_path, metavar="FILE", help="the recipe (default: NAME.yaml of the folder)")
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.add_argument("--json", action="store_true", help="print facts, recipe and commands in JSON")
    return parser


def _path(text: str) -> Path:
    return Path(text).expanduser()


def run(arguments: list[str]) -> int:
    options = make_parser().parse_args(arguments)
    from lit_cnn.choosing.first_recipe import first_recipe, next_commands
    from lit_cnn.choosing.images import open_images
    from lit_cnn.run_folder.atomic import write_text

    images = open_images(options.folder)
    file = options.out or Path(f"{images.path.stem}.yaml")
    refuse_existing(file, options.force)
    require_writable("--out", file, (".yaml", ".yml"))
    made = first_recipe(images, _start(options), file)
    check_resolves(made.text, file)
    write_text(file, made.text)
    commands = list(next_commands(file, images))
    if options.json:
        print(as_json({"file": str(file), "facts": made.facts, **asdict(made.candidate), "commands": commands}))
        return 0
    say("\n".join([*made.facts, f"recipe: {file}", "next:", *(f"  {command}" for command in commands)]))
    return 0


def refuse_existing(file: Path, force: bool) -> None:
    """Keep what is there.

    Raises:
        ValueError: If a file is there and ``force`` is not set.
    """
    if file.exists() and not force:
        raise ValueError(f"{file} is there already: pass --force to write over it, or --out another file")


def check_resolves(text: str, file: Path) -> None:
    """See that the recipe can be trained before it is written.

    Raises:
        ValueError: If a key is wrong.
    """
    import tempfile

    from lit_cnn.experiment.parser import RecipeCLI

    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        draft.write_text(text, encoding="utf-8")
        RecipeCLI(["--config", str(draft)])


def _start(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The weights to start from, or None."""
    from lit_cnn.choosing.starts import fetch, published_starts, start_of

    if options.pretrained == "none":
        return None
    if options.pretrained != "any":
        return start_of(options.pretrained)
    for network in (NETWORK, *OTHERS):
        found, _ = published_starts([network])
        if found and not fetch(found, lambda line: say(line, stderr=True)):
            return found[0]
    return None
