"""What a run cost: seconds of training, images per second, parameters and multiply-adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lit_cnn.architectures.catalog import list_models
from lit_cnn.architectures.meta import on_meta
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.evaluation.run_records import RunRecord, read_run
from lit_cnn.evaluation.trained import build_network
from lit_cnn.experiment.extending import extension_record
from lit_cnn.experiment.identity import leaves
from lit_cnn.profiling.counting import count_madds
from lit_cnn.run_folder.checkpoint import load_checkpoint
from lit_cnn.run_folder.folder import find_checkpoint

SPEED = "timing/images_per_second"


@dataclass(frozen=True)
class Cost:
    """Figures of one run; what is not recorded is None.

    Args:
        seconds: Of training, without validation, start and pauses.
        images_per_second: While training.
    """

    seconds: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True)
class Size:
    """A run's network: parameters, and multiply-adds of one image at the size of evaluation; None where unknown."""

    params: int | None = None
    madds: int | None = None


def cost_of(run: RunRecord) -> Cost:
    """The images of each row of ``timing.csv`` by its speed; steps hold ``data.batch_size`` images, and an epoch no
    more than there are. To a run that extends another the time of that one is added; where its folder is gone the time
    is unknown."""
    origin = extension_record(run.folder).get("extends")
    if origin is None:
        return _own_cost(run)
    own, folder = _own_cost(run, origin["steps"] - 1.0, origin["epochs"] - 1.0), Path(origin["run"])
    before = cost_of(read_run(folder)) if folder.is_dir() else Cost()
    if not (own.seconds and own.images_per_second and before.seconds and before.images_per_second):
        return Cost(None, own.images_per_second)
    seconds = own.seconds + before.seconds
    images = own.seconds * own.images_per_second + before.seconds * before.images_per_second
    return Cost(seconds, images / seconds)


def _own_cost(run: RunRecord, step: float = -1.0, epoch: float = -1.0) -> Cost:
    """Of what a run trained itself, after a step and an epoch that another has done."""
    batch = (run.recipe.get("data") or {}).get("batch_size")
    if not batch:
        return Cost()
    known = ((run.data_set or {}).get("images") or {}).get("train")
    seconds, images = 0.0, 0.0
    for row in run.timing:
        if not row.get(SPEED):
            continue
        seen = (row["step"] - step) * batch
        if known and row.get("epoch", epoch) == epoch + 1:
            seen = min(seen, known)
        images, seconds = images + seen, seconds + seen / row[SPEED]
        step, epoch = row["step"], row.get("epoch", epoch)
    return Cost(seconds, images / seconds) if seconds else Cost()


def sizes_of(runs: Sequence[RunRecord]) -> list[Size]:
    """The size of each run's network, from the checkpoint of one run of each architecture, options and data."""
    known: dict[str, Size] = {}
    sizes = []
    catalog = list_models()
    for run in runs:
        key = _network_key(run)
        if (run.recipe.get("model") or {}).get("architecture") not in catalog:  # another's code would have to be run
            known[key] = Size()
        elif known.get(key, Size()) == Size():
            known[key] = size_of(run.folder)
        sizes.append(known[key])
    return sizes


def _network_key(run: RunRecord) -> str:
    model, data = (run.recipe.get(part) or {} for part in ("model", "data"))
    facts = [model.get("architecture"), sorted(map(str, leaves("", model.get("options") or {})))]
    seen = [data.get(name) for name in ("source", "path", "in_channels", "image_size", "evaluation")]
    return repr([*facts, *seen, (run.data_set or {}).get("classes")])


def size_of(folder: Path) -> Size:
    """Counted without memory or arithmetic; unknown where no checkpoint can be read."""
    try:
        path = find_checkpoint(folder)
        checkpoint = load_checkpoint(path)
        with on_meta():
            network = build_network(checkpoint, str(path), ())
        params = sum(parameter.numel() for parameter in network.parameters())
        if checkpoint["preprocessing"] is None:
            return Size(params)
        seen = Preprocessing.from_dict(checkpoint["preprocessing"])
        return Size(params, count_madds(network, seen.image_size, in_channels=seen.in_channels))
    except (ValueError, KeyError):
        return Size()
