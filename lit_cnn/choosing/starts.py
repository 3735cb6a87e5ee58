"""Weights that candidates may start from: the user's checkpoints, and published ones that can be read or downloaded."""

from collections.abc import Callable, Sequence

from lit_cnn.choosing.candidates import Start
from lit_cnn.choosing.folds import FoldsAsked, fold_numbers
from lit_cnn.choosing.images import ImageSet
from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.load import Split
from lit_cnn.experiment.initial_weights import KnownWeights
from lit_cnn.pretrained.fetching import cached_file, reachable
from lit_cnn.pretrained.importing import cached_checkpoint, checkpoint_of
from lit_cnn.pretrained.sources import LIBRARIES, PublishedWeights, is_published_spec, published
from lit_cnn.run_folder.folder import find_checkpoint
from lit_cnn.training.known_images import recognized_images


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


def flattered_starts(specs: Sequence[str], images: ImageSet, asked: FoldsAsked) -> dict[str, str]:
    """Checkpoint -> why its accuracy would be flattered: it was trained on images that candidates are judged on.

    Args:
        specs: Checkpoints or published weights, which know none of a user's images.
        images: What is chosen for.
        asked: Folds that the user has asked for.
    """
    own = [spec for spec in specs if not is_published_spec(spec)]
    judged = _judged(images, asked) if own else None
    found = {}
    for spec in own:
        assert judged is not None
        known = recognized_images(str(find_checkpoint(spec)), judged, images.class_names)
        if known is not None and known.known:
            found[spec] = f"{known.sentence(spec)}, so its accuracy would be flattered"
    return found


def _judged(images: ImageSet, asked: FoldsAsked) -> Split:
    """The images that candidates are judged on."""
    if fold_numbers(images, asked) != (1,):
        return images.pooled()
    if "val" in images.splits:
        return images.splits["val"]
    return ImageData(source=images.source, path=str(images.path)).loaded.val


def published_starts(networks: Sequence[str]) -> tuple[list[Start], dict[str, str]]:
    """For each network the weights that a library takes by default, timm's before torchvision's; none is downloaded.

    Args:
        networks: Names in the catalog.

    Returns:
        The weights that can be read or downloaded, and for the other networks the reason.
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
            found.append(start_of(row.spec))
    return found, missing


def fetch(starts: Sequence[Start], say: Callable[[str], None]) -> dict[str, str]:
    """Download published weights that are not in the cache.

    Args:
        starts: Published weights.
        say: Told what is downloaded.

    Returns:
        Network whose weights cannot be had -> why.
    """
    failed = {}
    for start in starts:
        try:
            checkpoint_of(start.spec, say)
        except ValueError as error:
            failed[start.architecture] = str(error)
    return failed


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
