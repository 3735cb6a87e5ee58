"""``lit-cnn data show``: a contact sheet of the batches that the network will see."""

import argparse
from pathlib import Path

from lit_cnn.cli.recipe import RecipeCLI, resolve_configs
from lit_cnn.reports.contact_sheet import caption, draw_contact_sheet


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn data", description=__doc__, allow_abbrev=False)
    parser.add_argument("action", choices=["show"])
    parser.add_argument("--out", type=Path, default=Path("batch.png"), help="PNG to write")
    parser.add_argument("--images", type=int, default=32, help="how many images")
    options, rest = parser.parse_known_args(arguments)
    cli = RecipeCLI(resolve_configs(rest))
    data = cli.parser.instantiate(cli.config).data
    data.setup("fit")
    batch = data.prepare(next(iter(data.train_dataloader())), training=True, step=0, epoch=0)
    shown = slice(0, options.images)
    captions = [caption(target, data.class_names) for target in batch.targets[shown]]
    path = draw_contact_sheet(data.denormalize(batch.images[shown]), captions, options.out, title="training batch")
    print(path)
    return 0
