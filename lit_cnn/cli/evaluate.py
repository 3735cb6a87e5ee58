"""``lit-cnn validate CKPT`` and ``lit-cnn test CKPT``: accuracy of a checkpoint on its own data, or on ``--data``."""

import argparse
import json
import os

import lightning.pytorch as pl
import yaml
from rich.console import Console
from rich.table import Table

from lit_cnn.cli.fit import quieten_lightning
from lit_cnn.cli.recipe import RecipeCLI
from lit_cnn.evaluation.trained import load_trained


def run(arguments: list[str], stage: str) -> int:
    parser = argparse.ArgumentParser(prog=f"lit-cnn {stage}", description=__doc__)
    parser.add_argument("checkpoint", help="a checkpoint of lit-cnn fit")
    parser.add_argument("--data", help="data path in place of the recorded one")
    parser.add_argument("--weights", choices=["ema", "raw"], default="ema", help="averaged weights where they exist")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    quieten_lightning()
    trained = load_trained(options.checkpoint, options.weights)
    cli = RecipeCLI(recipe_arguments(trained.recipe, options.data))
    init = cli.parser.instantiate(cli.config)
    init.data.setup(stage)
    if list(init.data.class_names) != trained.class_names:
        raise ValueError(
            f"the data has the classes {', '.join(init.data.class_names)}, but the checkpoint was trained on "
            f"{', '.join(trained.class_names)}"
        )
    model = type(init.model)(
        trained.network, num_classes=len(trained.class_names), in_channels=trained.preprocessing.in_channels
    )
    trainer = pl.Trainer(
        accelerator="auto",
        devices=1,
        logger=False,
        precision=init.trainer.precision,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    evaluate = trainer.validate if stage == "validate" else trainer.test
    results = evaluate(model, datamodule=init.data, verbose=False)[0]
    results = {name: value for name, value in results.items() if not name.endswith("_raw")}
    if options.json:
        print(json.dumps(results, indent=2))
        return 0
    table = Table("metric", "value", title=f"{options.checkpoint} ({options.weights} weights)")
    for name, value in results.items():
        table.add_row(name, f"{value:.4f}" if "loss" in name else f"{value:.2%}")
    Console().print(table)
    return 0


def recipe_arguments(recipe: dict, data_path: str | None) -> list[str]:
    """The checkpoint's recipe as arguments of the parser; the trainer's machine settings are left out."""
    recipe = {key: value for key, value in recipe.items() if key in ("model", "data", "seed_everything")}
    if data_path is not None:
        recipe["data"]["path"] = os.path.expanduser(data_path)
    return ["--config", yaml.safe_dump(recipe)]
