"""Weights that candidates may start from: the user's checkpoints, and published ones that can be read or downloaded."""

from collections.abc import Callable, Sequence

from lit_cnn.choosing.candidates import Start
from lit_cnn.experiment.initial_weights import KnownWeights
from lit_cnn.pretrained.fetching import cached_file, reachable
from lit_cnn.pretrained.importing import cached_checkpoint, checkpoint_of
from lit_cnn.pretrained.sources import LIBRARIES, PublishedWeights, published


def given_starts(specs: Sequence[str]) -> list[Start]:
    """The weights that a user names.

    Raises:
        ValueError: If one cannot be read, or is of a network outside the catalog.
    """
    return [start_of(spec) for spec in specs]


def start_of(spec: str) -> Start:
    """Weights with the network and the options that they fix."""
    known = KnownWeights.of(spec)
    if known.architecture is None:
        raise ValueError(f"--weights {spec} is of a network outside the catalog, which cannot be a candidate")
    keys = known.network_keys()
    options = {key.removeprefix("model.options."): value for key, value in keys.items() if "options." in key}
    held = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    return Start(known.architecture, spec, tuple(sorted(held.items())))


def published_starts(networks: Sequence[str], say: Callable[[str], None]) -> tuple[list[Start], dict[str, str]]:
    """For each network the weights that a library takes by default, timm's before torchvision's.

    Args:
        networks: Names in the catalog.
        say: Told what is downloaded.

    Returns:
        The weights that can be read or downloaded, and the others with the reason.
    """
    found, missing = [], {}
    hosts: dict[str, bool] = {}
    for network in dict.fromkeys(networks):
        rows = [row for row in published() if row.architecture == network and row.default]
        rows.sort(key=lambda row: LIBRARIES.index(row.library))
        row = next((row for row in rows if _at_hand(row, hosts)), None)
        if not rows:
            missing[network] = "no weights are published for it"
        elif row is None:
            first = rows[0]
            missing[network] = f"its weights {first.spec} are not in the cache and {_host(first)} cannot be reached"
        else:
            try:
                checkpoint_of(row.spec, say)
                found.append(start_of(row.spec))
            except ValueError as error:
                missing[network] = str(error)
    return found, missing


def _at_hand(row: PublishedWeights, hosts: dict[str, bool]) -> bool:
    """Whether weights can be had; each host is asked once."""
    if cached_checkpoint(row.spec).is_file() or cached_file(row) is not None:
        return True
    host = _host(row)
    if host not in hosts:
        hosts[host] = reachable(row.url)
    return hosts[host]


def _host(row: PublishedWeights) -> str:
    return row.url.split("/")[2]
