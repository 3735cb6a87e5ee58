"""``lit-cnn search export``: the recipe of a network that was found, for ``lit-cnn fit``."""

from __future__ import annotations

import argparse
from pathlib import Path

from lit_cnn.cli.console import say


def export(options: argparse.Namespace, rest: list[str]) -> int:
    """Write the recipe of the best network, or of one that is named."""
    from lit_cnn.cli.search import opened, refuse_lost_storage
    from lit_cnn.search.findings import best_first, found_networks
    from lit_cnn.search.folder import BEST, find_parts, write_recipe
    from lit_cnn.search.lookup import named_network

    folder = options.folder.expanduser()
    refuse_lost_storage(folder, options.storage)
    parts = find_parts([], folder)
    sweep, _ = opened(folder, parts, options.storage, lambda line: None)
    found = best_first(found_networks(sweep))
    if not found:
        raise ValueError(f"the search {folder} has trained no network yet, so there is none to export")
    chosen = named_network(found, options.network) if options.network else found[0]
    space = parts.settings.build_space()
    candidate = space.candidate(space.decode(chosen.network))
    out: Path = options.out or folder / BEST
    write_recipe(folder, out, parts, candidate, chosen, base=options.recipe, overrides=rest)
    say(f"{out}: network {chosen.name}, {parts.settings.metric} {chosen.accuracy:.4f} in the search")
    say(f"train it: lit-cnn fit {out}")
    return 0
