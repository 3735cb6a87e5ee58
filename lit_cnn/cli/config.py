"""``lit-cnn config show RECIPE``: what a recipe resolves to."""

import argparse

from lit_cnn.experiment.parser import RecipeCLI, resolve_configs


def run(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lit-cnn config", description=__doc__)
    parser.add_argument("action", choices=["show"])
    parser.add_argument("recipe", help="name or path of a recipe")
    options, overrides = parser.parse_known_args(arguments)
    cli = RecipeCLI(resolve_configs(["--config", options.recipe, *overrides]))
    print(cli.dump(), end="")
    return 0
