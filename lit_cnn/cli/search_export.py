"""``lit-cnn search export``: the recipe of a network that was found, for ``lit-cnn fit``."""

from __future__ import annotations

import argparse
from pathlib import Path

from lit_cnn.cli.console import say


def export(options: argparse.Namespace, rest: list[str]) -> int:
    """Write the recipe of the best network, or of one that is named."""
    from lit_cnn.cli.search import measured_text
    from lit_cnn.search.folder import BEST, write_recipe
    from lit_cnn.search.shown import named_network, open_study, trained_networks

    folder = options.folder.expanduser()
    study = open_study(folder, options.storage)
    found = trained_networks(study)
    chosen = named_network(found, options.network) if options.network else found[0]
    space, settings = study.parts.settings.build_space(), study.parts.settings
    out: Path = options.out or folder / BEST
    candidate = space.candidate(space.decode(chosen.network))
    write_recipe(folder, out, study.parts, candidate, chosen, base=options.recipe, overrides=rest)
    said = measured_text(settings.metric, chosen.accuracy)
    say(f"{out}: network {chosen.name}, {settings.metric} {said} in the search\ntrain it: lit-cnn fit {out}")
    return 0
