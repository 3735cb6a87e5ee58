"""Published weights in our network and in their library's, and own checkpoints, measured on the same images."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import find_entry, list_models
from lit_cnn.architectures.meta import copy_on_meta
from lit_cnn.data.image_size import ImageSize, as_stated, label, sides_of
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.logits import Outcome, collect
from lit_cnn.evaluation.recorded_data import load_images
from lit_cnn.evaluation.scores import hits
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained, load_trained, on_device
from lit_cnn.evaluation.trained_on import judged
from lit_cnn.pretrained.fetching import cached_file
from lit_cnn.pretrained.importing import Tell, checkpoint_of
from lit_cnn.pretrained.proving import fresh_network, noise, reference_of, their_network
from lit_cnn.pretrained.reading import read_weights
from lit_cnn.pretrained.sources import PublishedWeights, find_published, is_published_spec, published_of, real_labels
from lit_cnn.pretrained.transfer import transfer_weights
from lit_cnn.profiling.counting import count_madds
from lit_cnn.profiling.timing import TimingSettings, inference_speeds
from lit_cnn.run_folder.checkpoint import load_checkpoint
from lit_cnn.run_folder.folder import find_checkpoint


@dataclass(frozen=True)
class Compared:
    """One row. Accuracies are in percent; what is not known or was not measured is None.

    Args:
        name: Our network.
        weights: Which: ``timm:NAME.TAG``, or a checkpoint.
        image_size: At which it was measured, in px: the side of a square, or height and width.
        paper_top1: The paper's.
        paper_size: Side in px of our catalog's row.
        published_top1: The library's figure for these weights on ImageNet's validation images.
        theirs_top1: Measured in the library's network.
        ours_top1: Measured in ours.
        ours_top5: The same, top-5.
        images: How many were measured.
        differing: Images that the two networks call differently.
        real_top1: Ours on the ReaL labels.
        published_real: The library's figure.
        logits: Largest difference of the two networks' logits over the largest logit.
        params: Parameters of ours.
        madds: Multiply-adds of ours at ``image_size``.
        theirs_speed: Images per second of the library's network.
        ours_speed: Images per second of ours.
        license: Of the weights.
        proof: How it is known that the weights sit where they belong.
    """

    name: str
    weights: str
    image_size: ImageSize | None
    paper_top1: float | None
    paper_size: int | None
    published_top1: float | None = None
    theirs_top1: float | None = None
    ours_top1: float | None = None
    ours_top5: float | None = None
    images: int | None = None
    differing: int | None = None
    real_top1: float | None = None
    published_real: float | None = None
    logits: float | None = None
    params: int = 0
    madds: int = 0
    theirs_speed: float | None = None
    ours_speed: float | None = None
    license: str = ""
    proof: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Built-in types; other sizes than squares as ``128x64``, width and height."""
        return {**asdict(self), "image_size": self.image_size if isinstance(self.image_size, int) else self.size_text}

    @property
    def size_text(self) -> str | None:
        """One number for a square, else ``128x64``, width and height; None where it is not known."""
        return None if self.image_size is None else label(self.image_size)


@dataclass(frozen=True)
class Settings:
    """How rows are measured.

    Args:
        data: Labeled images for all rows; None: an own checkpoint's own data, and no images for published weights.
        split: Of the data.
        real: Measure on the ReaL labels too.
        speed: Measure images per second.
        trust: Class paths outside the catalog whose code may be run.
    """

    data: str | None = None
    split: Any = "val"
    real: bool = False
    speed: bool = True
    trust: Sequence[str] = ()


def weights_meant(target: str) -> str:
    """The published weights that ``NAME[@library[:tag]]`` means; anything else is a checkpoint and returned as it is.

    Raises:
        ValueError: If the catalog has the name but nobody publishes weights for it.
    """
    name, _, chosen = target.partition("@")
    if name in list_models() and not Path(target).exists():
        return published_of(name, chosen).spec
    return target


def compare(target: str, settings: Settings, tell: Tell = lambda _: None) -> Compared:
    """Measure one row.

    Args:
        target: A name of the catalog, published weights, a checkpoint or a run folder.
        settings: On what.
        tell: Told warnings.

    Raises:
        ValueError: If the weights are not to be had, or the logits are not those of the library's network.
    """
    spec = weights_meant(target)
    trained = load_trained(checkpoint_of(spec, tell), trust=settings.trust)
    if trained.doubt is not None:
        tell(trained.doubt)
    source = trained.provenance.get("source", "")
    row = find_published(source) if is_published_spec(source) else None
    theirs = None if row is None else library_network(row, trained.network)
    result = _described(spec, trained, row)
    if row is not None and theirs is not None:
        report = transfer_weights(theirs, fresh_like(trained.network), noise(reference_of(row)))
        result = replace(result, logits=report.relative)
    trained = on_device(trained)  # the proof above is the CPU's
    images = _images(trained, settings, tell)
    if images is not None:
        result = _measured(result, trained, theirs, images, settings)
    return _timed(result, trained, theirs) if settings.speed else result


def library_network(row: PublishedWeights, ours: nn.Module) -> nn.Module:
    """The library's network with the same weights: from its own file where that is in a cache, else moved from ours."""
    file = cached_file(row)
    classes = getattr(ours, "num_classes", 1000)
    if file is not None:
        return their_network(row, read_weights(file), classes)
    theirs = fresh_network(row, classes)
    transfer_weights(ours, theirs, noise(reference_of(row)))
    return theirs


def fresh_like(network: nn.Module) -> nn.Module:
    """The same network with other weights, which a transfer has to replace."""
    fresh = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.normal_(std=0.01, generator=torch.Generator().manual_seed(0))
    return fresh


def _described(spec: str, trained: Trained, row: PublishedWeights | None) -> Compared:
    """What is known without measuring."""
    recorded = trained.recorded_preprocessing
    size = None if recorded is None else as_stated(recorded.image_size)
    checkpoint_name = row.architecture if row is not None else _architecture(spec, trained)
    entry = find_entry(checkpoint_name) if checkpoint_name in list_models() else None
    if entry is not None and entry.num_classes != len(trained.class_names):
        entry = None  # the paper's figures are of its own classes
    counted = copy_on_meta(trained.network)
    stated = trained.provenance
    return Compared(
        name=checkpoint_name,
        weights=spec if row is None else row.spec,
        image_size=size,
        paper_top1=None if entry is None else entry.paper.top1,
        paper_size=None if entry is None else entry.image_size,
        published_top1=None if row is None else row.top1,
        published_real=None if row is None else row.real_top1,
        params=sum(parameter.numel() for parameter in counted.parameters()),
        madds=count_madds(counted, size or 224, in_channels=recorded.in_channels if recorded else 3),
        license=str(stated.get("license", "own")),
        proof=str(stated.get("proof", {}).get("status", "own")),
    )


def _architecture(spec: str, trained: Trained) -> str:
    described = load_checkpoint(find_checkpoint(checkpoint_of(spec)))["network"]
    return described["architecture"] or type(trained.network).__name__


def _images(trained: Trained, settings: Settings, tell: Tell) -> EvaluationImages | None:
    """What the row is measured on; None, and a sentence, where there is nothing that it can be asked."""
    if settings.data is None and not trained.recipe:
        return None
    try:
        images = load_images(trained, settings.data, settings.split)
        for note in (*images.notes, *judged(images, [trained])[1]):
            tell(note)
        return images
    except ValueError as error:
        tell(f"{trained.name} is not measured: {error}")
        return None


def _measured(
    result: Compared, trained: Trained, theirs: nn.Module | None, images: EvaluationImages, settings: Settings
) -> Compared:
    ours = _outcome(trained, images)
    figures: dict[str, Any] = {
        "images": len(ours.labels),
        "ours_top1": _percent(hits(ours.probabilities, ours.labels)),
        "ours_top5": _percent(hits(ours.probabilities, ours.labels, min(5, ours.probabilities.shape[1]))),
    }
    if settings.real:
        figures["real_top1"] = real_top1(ours, images)
    if theirs is not None:
        device = next(trained.network.parameters()).device
        other = _outcome(replace(trained, network=theirs.to(device)), images)
        figures["theirs_top1"] = _percent(hits(other.probabilities, other.labels))
        figures["differing"] = int((other.probabilities.argmax(1) != ours.probabilities.argmax(1)).sum())
    return replace(result, **figures)


def _outcome(trained: Trained, images: EvaluationImages) -> Outcome:
    return collect(trained, images, make_views("center", trained.preprocessing))


def _percent(right: Tensor) -> float:
    return 100 * float(right.double().mean())


def real_top1(outcome: Outcome, images: EvaluationImages) -> float:
    """Accuracy in percent on the ReaL labels; images to which they give no class do not count.

    Raises:
        ValueError: If the images are not ImageNet's validation images under their own names.
    """
    if not isinstance(images.split, FolderSplit) or outcome.probabilities.shape[1] != 1000:
        raise ValueError("--real needs ImageNet's validation images as files: give their folder by --data")
    known, right = real_labels(), []
    for row, prediction in zip(outcome.rows.tolist(), outcome.probabilities.argmax(1).tolist(), strict=True):
        name = Path(images.split.paths[row]).name
        if name not in known:
            raise ValueError(
                f"--real knows ImageNet's validation images by their names (ILSVRC2012_val_00000001.JPEG), not {name}"
            )
        if known[name]:
            right.append(prediction in known[name])
    if not right:
        raise ValueError("--real: ReaL gives none of these images a class")
    return 100 * sum(right) / len(right)


def _timed(result: Compared, trained: Trained, theirs: nn.Module | None) -> Compared:
    device = next(trained.network.parameters()).device
    timing = TimingSettings(device=str(device), batch_size=4, repeats=3)
    networks = [trained.network, *([theirs.to(device)] if theirs is not None else [])]
    ours, *others = inference_speeds(networks, timing, sides_of(result.image_size or 224))
    return replace(result, ours_speed=ours, theirs_speed=others[0] if others else None)


def compare_all(
    targets: Sequence[str], settings: Settings, tell: Tell, on_row: Callable[[str], object] = lambda _: None
) -> tuple[list[Compared], list[str]]:
    """Every row that could be measured, and a sentence for every other; ``on_row`` gets each target before."""
    rows, failures = [], []
    for target in targets:
        on_row(target)
        try:
            rows.append(compare(target, settings, tell))
        except (ValueError, OSError) as error:
            failures.append(f"{target}: {error}" if target not in str(error) else str(error))
    return rows, failures
