"""Whether data, a checkpoint or a run can be trusted: files whole, loadable without code, finite, of one network."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml

from lit_cnn.data.checking import Advance, check_data
from lit_cnn.data.checks.finding import Finding
from lit_cnn.data.sources.decoding import RGB, PixelFormat
from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.evaluation.trained import load_trained, shortened
from lit_cnn.run_folder.checkpoint import BEST, CLASSIFICATION, LAST, PREVIOUS, load_checkpoint, network_weights
from lit_cnn.run_folder.metrics_csv import read_metrics
from lit_cnn.training.metrics_file import METRICS

WEIGHTS = "weights.safetensors"
DATA_FILES = (".npz", ".csv", ".tsv", ".txt", ".parquet", ".arrow")
"""Endings of files that are data sets and not checkpoints."""


def check_path(name: str, pixel_format: PixelFormat = RGB, advance: Advance | None = None) -> Iterator[Finding]:
    """The findings about what ``name`` turns out to be.

    Args:
        name: A data set, a checkpoint or a run folder.
        pixel_format: What the pixels of image files become.
        advance: Called with the images of a data set that were looked at and how many there are.
    """
    path = Path(name).expanduser()
    if (path / "config.yaml").is_file() or (path / "checkpoints").is_dir():
        return check_run(path)
    if path.is_dir() or path.suffix in DATA_FILES or not path.exists():
        return check_data(resolve_data_path(name, "the path"), pixel_format, advance)
    return check_checkpoint(path)


def check_checkpoint(path: Path) -> Iterator[Finding]:
    """Findings about one checkpoint file."""
    try:
        checkpoint = load_checkpoint(path)
    except ValueError as error:
        yield Finding("error", str(error))
        return
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    network = checkpoint["network"]["architecture"] or "a network given as a class path"
    detects = checkpoint.get("task", CLASSIFICATION) == "detection"
    if detects:
        network = f"{checkpoint['network']['detector']['name']} on {network}"
    yield Finding("fact", f"{path.name}: {network}, {checkpoint.get('global_step')} steps, sha256 {digest[:16]}")
    bad = [name for name, value in checkpoint["state_dict"].items() if not torch.isfinite(value).all()]
    if bad:
        yield Finding("error", f"{path.name}: {len(bad)} tensors are not finite, the first is {bad[0]}")
    if checkpoint["network"]["architecture"] is None:
        yield Finding("warning", f"{path.name}: the network is outside the catalog: commands rebuild it with --trust")
        return
    try:
        _rebuild(checkpoint, path, detects=detects)
    except (ValueError, KeyError, RuntimeError) as error:
        problem = shortened(" ".join(str(error).split()))
        yield Finding("error", f"{path.name}: the network cannot be rebuilt: {problem}")


def _rebuild(checkpoint: dict[str, Any], path: Path, *, detects: bool) -> None:
    """Build the network of a checkpoint with its weights, or raise what is wrong."""
    if not detects:
        load_trained(path)
        return
    from lit_cnn.evaluation.trained_detector import load_detector  # torchvision's detectors

    load_detector(checkpoint, str(path), "ema")


def check_run(folder: Path) -> Iterator[Finding]:
    """Findings about a run folder: recipe, metrics, checkpoints and exported weights."""
    try:
        recipe = yaml.safe_load((folder / "config.yaml").read_text())
        source = recipe["data"]["path" if recipe.get("task") == "detection" else "source"]
        yield Finding("fact", f"config.yaml: {recipe['model']['architecture']} on {source}")
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        yield Finding("error", f"{folder / 'config.yaml'} is missing or unreadable ({type(error).__name__})")
    try:
        rows = read_metrics(folder / METRICS)
        yield Finding("fact", f"{METRICS}: {len(rows)} rows")
    except (OSError, ValueError) as error:
        yield Finding("error", f"{folder / METRICS}: {error}")
    checkpoints = [folder / "checkpoints" / name for name in (BEST, LAST, PREVIOUS)]
    if not any(path.is_file() for path in checkpoints):
        yield Finding("error", f"{folder} has no checkpoint")
    for path in checkpoints:
        if path.is_file():
            yield from check_checkpoint(path)
    yield from _check_weights(folder / "checkpoints")


def _check_weights(folder: Path) -> Iterator[Finding]:
    """Compare ``weights.safetensors`` with the best checkpoint it was written from."""
    if not (folder / WEIGHTS).is_file() or not (folder / BEST).is_file():
        return
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(folder / WEIGHTS)
        expected = network_weights(load_checkpoint(folder / BEST))
    except (SafetensorError, ValueError) as error:
        yield Finding("error", f"{folder / WEIGHTS} cannot be compared with {BEST}: {error}")
        return
    same = weights.keys() == expected.keys() and all(torch.equal(weights[name], expected[name]) for name in weights)
    kind = "fact" if same else "error"
    yield Finding(kind, f"{WEIGHTS} {'equals' if same else 'differs from'} the weights of {BEST}")  # type: ignore[arg-type]
