"""All that one page says of a run, gathered from its folder, its network and its images.

What is not at hand (images that were moved, a checkpoint that was never written) is left out and said in ``missing``;
the rest of the page stands.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lit_cnn.evaluation.images import EvaluationImages, SplitName
from lit_cnn.evaluation.recorded_data import load_network
from lit_cnn.evaluation.trained import NotFinite, Trained
from lit_cnn.handover.results import Results, evaluate
from lit_cnn.handover.run_files import RunFiles, run_files
from lit_cnn.profiling.counting import NetworkCount, count_network
from lit_cnn.profiling.timing import TimingSettings, device_name, inference_ms
from lit_cnn.run_folder.checkpoint import BEST
from lit_cnn.run_folder.folder import find_checkpoint


@dataclass(frozen=True)
class Latency:
    """Median time of one image through the network, and under which conditions it was measured.

    Args:
        milliseconds: Of a batch of one image in evaluation, without decoding and preparing it.
        image_size: Height and width in px.
        device: Its name.
        threads: Of torch.
        busy: The machine's load average before; None where the system has none.
    """

    milliseconds: float
    image_size: int
    device: str
    threads: int
    busy: float | None


@dataclass(frozen=True)
class HeatMap:
    """An image with what the network looked at drawn over it.

    Args:
        place: Path of its file, or its row.
        pixels: uint8 (3, h, w).
        true: Class of its label.
        explained: Class whose evidence the map shows.
        probability: Of that class.
    """

    place: str
    pixels: np.ndarray
    true: str
    explained: str
    probability: float


@dataclass(frozen=True)
class HeatMaps:
    """Maps of one method, such as Grad-CAM, and a sentence on how they are to be read."""

    method: str
    reading: str
    maps: Sequence[HeatMap]


Explain = Callable[[Trained, EvaluationImages, Results], HeatMaps]
"""Makes the heat maps of a page, of some of the images that the network was asked about."""


@dataclass(frozen=True)
class StoredFile:
    """A file that belongs to the run.

    Args:
        name: Below the run folder.
        size: In bytes.
        sha256: Of its content, the first 16 digits.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Wanted:
    """What is gathered.

    Args:
        data: Other images than those that the recipe records.
        split: Which images are asked about.
        weights: "ema" for the averaged weights where they exist, or "raw".
        trust: Class paths outside the catalog whose code may be run.
        pixels: Keep small copies of images.
        speed: Measure the latency.
        explain: Makes heat maps; None leaves them out.
        advance: Called as images are done.
    """

    data: str | None = None
    split: SplitName = "val"
    weights: str = "ema"
    trust: tuple[str, ...] = ()
    pixels: bool = True
    speed: bool = True
    explain: Explain | None = None
    advance: Callable[[int], object] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class RunReport:
    """All facts of a run.

    Args:
        files: What its folder holds.
        network: Name of its network.
        checkpoint: The checkpoint that was asked; None where there is none.
        class_names: K names.
        preprocessing: From an image file to the network's input, in built-in types.
        initial: Where its first weights come from; empty where they are random.
        results: Of its network on its images; None where these are not at hand.
        count: Parameters and multiply-adds by stage; None where they cannot be counted.
        latency: Measured here; None where it was not.
        heat_maps: What it looked at; None where nobody explained it.
        stored: Its checkpoint and weights.
        missing: Sentences on what is left out, and why.
        wanted: What was asked for.
    """

    files: RunFiles
    network: str = ""
    checkpoint: Path | None = None
    class_names: tuple[str, ...] = ()
    preprocessing: dict[str, Any] = field(default_factory=dict)
    initial: str = ""
    results: Results | None = None
    count: NetworkCount | None = None
    latency: Latency | None = None
    heat_maps: HeatMaps | None = None
    stored: tuple[StoredFile, ...] = ()
    missing: tuple[str, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)


def gather(folder: Path, wanted: Wanted = Wanted()) -> RunReport:
    """The facts of the run in ``folder``.

    Raises:
        ValueError: If it is not a run folder.
    """
    files = run_files(folder)
    report = RunReport(files, _stated_network(files), missing=files.missing, wanted=wanted)
    try:
        checkpoint = Path(find_checkpoint(folder))
        trained = load_network(str(checkpoint), wanted.weights, wanted.trust)
    except ValueError as error:
        return _without(report, f"the network cannot be asked: {error}")
    report = replace(
        report,
        checkpoint=checkpoint,
        class_names=tuple(trained.class_names),
        preprocessing=trained.recorded_preprocessing.as_dict() if trained.recorded_preprocessing else {},
        initial=_initial(files),
        stored=tuple(_stored(folder, (checkpoint, checkpoint.with_name("weights.safetensors")))),
    )
    if checkpoint.name != BEST:
        report = _without(report, f"there is no {BEST}, so the figures are of {checkpoint.name}")
    report = _counted(report, trained)
    report = _timed(report, trained) if wanted.speed else report
    return _judged(report, trained, wanted)


def _without(report: RunReport, sentence: str) -> RunReport:
    return replace(report, missing=(*report.missing, sentence))


def _stated_network(files: RunFiles) -> str:
    stated = files.recipe.get("model", {}).get("architecture")
    return stated.get("class_path", "") if isinstance(stated, dict) else str(stated or "")


def _initial(files: RunFiles) -> str:
    """The checkpoint or published weights that training began with."""
    return str((files.recipe.get("model", {}).get("initial") or {}).get("checkpoint") or "")


def _stored(folder: Path, paths: Iterable[Path]) -> Iterable[StoredFile]:
    for path in paths:
        if path.is_file():
            content = path.read_bytes()
            name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
            yield StoredFile(name, len(content), hashlib.sha256(content).hexdigest()[:16])


def _side(trained: Trained) -> int:
    """Height and width of the network's input.

    Raises:
        ValueError: If it is not recorded, or not a square.
    """
    height, width = trained.preprocessing.image_size
    if height != width:
        raise ValueError(
            f"the network's input of {width}x{height} pixels is not a square, the only shape that is counted"
        )
    return height


def _counted(report: RunReport, trained: Trained) -> RunReport:
    try:
        channels = trained.preprocessing.in_channels
        count = count_network(trained.network, _side(trained), in_channels=channels, name=report.network)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        return _without(report, f"parameters and multiply-adds are not counted: {_first_line(error)}")
    return replace(report, count=count)


def _timed(report: RunReport, trained: Trained) -> RunReport:
    device = next(trained.network.parameters()).device
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    try:
        settings = TimingSettings(device=str(device), image_size=_side(trained))
        milliseconds = inference_ms(trained.network, settings, trained.preprocessing.in_channels)
    except (ValueError, RuntimeError) as error:
        return _without(report, f"the latency is not measured: {_first_line(error)}")
    latency = Latency(milliseconds, settings.image_size, device_name(device), torch.get_num_threads(), busy)
    return replace(report, latency=latency)


def _judged(report: RunReport, trained: Trained, wanted: Wanted) -> RunReport:
    try:
        results, images = evaluate(
            trained, wanted.data, wanted.split, with_pixels=wanted.pixels, advance=wanted.advance
        )
    except NotFinite as error:
        return _without(report, f"the figures are those that the run recorded: {error}")
    except (ValueError, OSError) as error:
        return _without(
            report, f"the images are not at hand, so the figures are those that the run recorded: {_first_line(error)}"
        )
    report = replace(report, results=results)
    if wanted.explain is None or not wanted.pixels:
        return report
    try:
        return replace(report, heat_maps=wanted.explain(trained, images, results))
    except ValueError as error:
        return _without(report, f"what the network looks at is not shown: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
