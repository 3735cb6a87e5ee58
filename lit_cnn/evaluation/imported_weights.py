"""Weights from a library, the hub or a file as a checkpoint, with what can prove that they sit where they belong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_cnn.architectures.catalog import check_options, find_entry
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.data.sources.arrays import read_npz
from lit_cnn.data.sources.class_names import sorted_classes
from lit_cnn.data.sources.find_lists import is_list
from lit_cnn.data.sources.layout import find_layout
from lit_cnn.data.sources.lists import read_list
from lit_cnn.data.sources.shards import is_packed, read_shards
from lit_cnn.data.sources.tree import subfolders
from lit_cnn.evaluation.evidence import decide_by_images
from lit_cnn.evaluation.given_data import given_images
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.trained import Trained
from lit_cnn.pretrained.fitting import Fit, decide_by_logits, fits, fits_of_libraries
from lit_cnn.pretrained.hub import hub_id, on_hub
from lit_cnn.pretrained.imagenet import imagenet_classes
from lit_cnn.pretrained.importing import Imported, Tell, file_facts, import_published, imported
from lit_cnn.pretrained.proving import UNPROVEN, Proof, reference_of
from lit_cnn.pretrained.reading import read_foreign
from lit_cnn.pretrained.sources import PublishedWeights, find_published, is_published_spec, published
from lit_cnn.pretrained.unwrapping import WeightsKind
from lit_cnn.run_folder.checkpoint import load_checkpoint

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ALONE = 64
"""Up to this side in px images are taken whole, without a crop."""


@dataclass(frozen=True)
class Request:
    """What is imported.

    Args:
        source: ``timm:NAME[.TAG]``, ``torchvision:NAME[.TAG]``, a repository of the hub, or a file.
        architecture: Our name; needed for a file.
        file: Where the weights of a named source are, if not in a cache.
        data: Labeled images that confirm the pairing and decide free choices.
        options: Choices of the user's own.
        weights: Which to take where a file holds averaged and raw ones.
        recorded: An npz file of ``images`` (N, 3, H, W) in the units of the input, and their ``logits`` (N, K).
        stated: Entries of the preprocessing that are known.
    """

    source: str
    architecture: str | None = None
    file: Path | None = None
    data: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: WeightsKind | None = None
    recorded: Path | None = None
    stated: Mapping[str, Any] = field(default_factory=dict)


def import_weights(request: Request, tell: Tell) -> Imported:
    """The weights in our network.

    Args:
        request: Which.
        tell: Told what was chosen and what is doubtful.

    Raises:
        ValueError: If they are not to be had, fit no network, fit several and nothing decides, or what should prove the
            pairing refutes it.
    """
    repository = None if is_published_spec(request.source) else hub_id(request.source)
    if repository is None and not is_published_spec(request.source):
        return _from_file(request, Path(request.source).expanduser(), tell)
    row, names, file = on_hub(repository) if repository is not None else (find_published(request.source), None, None)
    _require_published(request, row)
    if row.license_warning:
        tell(row.license_warning)
    preprocessing = _checked(row.preprocessing, request.stated, row, tell)
    done = import_published(replace(row, preprocessing=preprocessing), request.file or file, request.weights)
    classes = done.network.num_classes
    if repository is None and classes != len(imagenet_classes()):
        raise ValueError(
            f"{request.file or row.spec} has {classes} classes, and {row.spec} was published with "
            f"{len(imagenet_classes())}: take a file of other weights by lit-cnn import FILE --architecture "
            f"{row.architecture}"
        )
    if names is not None and len(names) == classes:
        done.checkpoint["class_names"] = list(map(str, names))
    for note in done.notes:
        tell(note)
    if request.data is None:
        return done
    fit = Fit(reference_of(row).options, done.network, done.proof.method, len(done.checkpoint["state_dict"]))
    _, seen = _by_images([fit], request.data, preprocessing, done.checkpoint["class_names"])
    proof = also_seen(done.proof, seen)
    done.checkpoint["provenance"]["proof"] = proof.as_dict()
    return replace(done, proof=proof)


def also_seen(known: Proof, seen: Proof) -> Proof:
    """What is known without images, and what they have shown."""
    status = known.status if known.status == "proven" else seen.status
    first = known.sentence if status == known.status else known.sentence.removeprefix(UNPROVEN)
    return replace(known, status=status, sentence=f"{first}; {seen.sentence.removeprefix(UNPROVEN)}")


def _require_published(request: Request, row: PublishedWeights) -> None:
    """Refuse what weights whose network is known do not need: another architecture or options, recorded logits."""
    if request.architecture not in (None, row.architecture):
        raise ValueError(
            f"{request.source} is {row.architecture}, not {request.architecture}: leave --architecture out"
        )
    entry, options = find_entry(row.architecture), reference_of(row).options
    check_options(entry, request.options)
    known = {**entry.option_defaults(), **options}
    if any(known[name] != value for name, value in request.options.items()):
        raise ValueError(f"{row.spec} has the options {dict(options)}: leave --option out")
    if request.recorded is not None:
        raise ValueError(
            f"--recorded proves the pairing of a file, and {row.spec} is proven by its library: leave it out"
        )


def _from_file(request: Request, path: Path, tell: Tell) -> Imported:
    if request.file is not None:
        raise ValueError(f"--file is the file of a named source, and {path} is a file itself: leave it out")
    read = read_foreign(path, request.weights)
    for note in read.notes:
        tell(note)
    _refuse_own(path)
    if request.architecture is None:
        raise ValueError(f"{path} does not say which network its weights are of: add --architecture NAME")
    proven = fits_of_libraries(read.state, request.architecture, request.options)
    found = [fit for fit, _ in proven] or fits(read.state, request.architecture, request.options)
    row = _like(request.architecture, found[0].options)
    preprocessing = _checked(_assumed(request, row, tell), request.stated, row, tell)
    names = _class_names(found[0].network.num_classes, request.data)
    fit, proof = _decide(request, found, proven, preprocessing, names)
    facts = {"source": str(path), "license": "none stated", **file_facts(path)}
    return imported(request.architecture, fit.options, fit.network, proof, preprocessing, facts, names)


def _refuse_own(path: Path) -> None:
    try:
        load_checkpoint(path)
    except ValueError:
        return
    raise ValueError(f"{path} is a checkpoint of lit-cnn already: every command takes it as it is")


def _decide(
    request: Request,
    found: list[Fit],
    proven: list[tuple[Fit, Proof]],
    preprocessing: Preprocessing,
    names: list[str] | None,
) -> tuple[Fit, Proof]:
    """By recorded logits, by labeled images, or by the only network with the file's names."""
    if request.recorded is not None:
        return decide_by_logits(found, *_recorded(request.recorded))
    if request.data is not None:
        fit, proof = _by_images(found, request.data, preprocessing, names)
        known = next((each for other, each in proven if other is fit), None)
        return fit, proof if known is None else also_seen(known, proof)
    if len(found) > 1:
        choices = "; ".join(fit.label for fit in found)
        raise ValueError(
            f"the weights fit {request.architecture} in {len(found)} ways that compute different things ({choices}): "
            "choose by --option KEY=VALUE, or let labeled images decide by --data FOLDER"
        )
    if proven:
        return proven[0]
    (fit,) = found
    return fit, Proof(
        "unproven",
        f"{UNPROVEN}{fit.pairs} tensors were paired by {fit.method} and nothing has checked it: add "
        "--data FOLDER with labeled images",
        None,
        fit.method,
    )


def _by_images(found: list[Fit], data: str, preprocessing: Preprocessing, names: list[str] | None) -> tuple[Fit, Proof]:
    known = names or [row.name for row in imagenet_classes()]

    def trained_of(fit: Fit) -> Trained:
        return Trained(fit.network, known, preprocessing, {}, "the weights")

    images: EvaluationImages = given_images(trained_of(found[0]), data, "val")
    return decide_by_images(found, trained_of, images)


def _recorded(path: Path) -> tuple[Tensor, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return torch.from_numpy(arrays["images"]).float(), torch.from_numpy(arrays["logits"]).float()
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path} is not an npz file with the arrays images and logits ({error})") from None


def _class_names(classes: int, data: str | None) -> list[str] | None:
    """ImageNet's (None) for 1000 classes; else those that the data names, or numbers."""
    if classes == len(imagenet_classes()):
        return None
    if data is None:
        return [str(number) for number in range(classes)]
    names = _named(Path(data).expanduser())
    if len(names) != classes:
        raise ValueError(f"--data {data} has {len(names)} classes, but the weights have {classes}")
    return names


def _named(path: Path) -> list[str]:
    if path.suffix == ".npz":
        return read_npz(path, to_train=False)[1]
    if is_packed(path):
        return read_shards(str(path))[1]
    if path.is_file() and is_list(path):
        return read_list(path).class_names
    layout = find_layout(path)
    folders = next(iter(layout.splits.values()), layout.root)
    return sorted_classes(folder.name for folder in subfolders(folders))


def _like(architecture: str, options: Mapping[str, Any]) -> PublishedWeights | None:
    """Published weights of the same network with the same options, the library's default ones first."""
    rows = [row for row in published() if row.architecture == architecture]
    rows = [row for row in rows if dict(reference_of(row).options) == dict(options)]
    return next((row for row in rows if row.default), rows[0] if rows else None)


def _assumed(request: Request, row: PublishedWeights | None, tell: Tell) -> Preprocessing:
    """The preprocessing where the file does not say it: that of published weights, or ImageNet's usual."""
    assert request.architecture is not None
    missing = {"mean", "std"} - set(request.stated)
    if row is not None:
        assumed, whose = row.preprocessing, f"that of {row.spec}"
    else:
        side = find_entry(request.architecture).image_size
        resize = side if side <= ALONE else round(side / 0.875)
        assumed, whose = (
            Preprocessing((side, side), resize, "shorter_side", "bilinear", IMAGENET_MEAN, IMAGENET_STD, 3),
            "ImageNet's usual",
        )
    if missing:
        tell(
            f"the file does not say how images are prepared; assumed is {whose}: {describe(assumed)} (--mean, --std, "
            "--image-size, --resize and --interpolation say otherwise)"
        )
    return assumed


def describe(preprocessing: Preprocessing) -> str:
    """``224 px of 256 px, bicubic, mean 0.5 0.5 0.5, std 0.5 0.5 0.5``."""
    mean, std = (" ".join(f"{number:g}" for number in numbers) for numbers in (preprocessing.mean, preprocessing.std))
    squash = ", squash" if preprocessing.resize_mode == "squash" else ""
    return (
        f"{preprocessing.image_size[0]} px of {preprocessing.resize} px{squash}, {preprocessing.interpolation}, "
        f"mean {mean}, std {std}"
    )


def _checked(
    assumed: Preprocessing, stated: Mapping[str, Any], row: PublishedWeights | None, tell: Callable[[str], object]
) -> Preprocessing:
    """With what the user has stated; a warning where published weights were trained with something else.

    Raises:
        ValueError: If images are to be resized to less than the crop.
    """
    given = dict(stated)
    if isinstance(given.get("image_size"), int):
        side = given["image_size"]
        given["image_size"] = (side, side)
        given.setdefault("resize", round(side * assumed.resize / assumed.image_size[0]))
    chosen = replace(assumed, **given)
    if chosen.resize < min(chosen.image_size):
        side = min(chosen.image_size)
        raise ValueError(f"--resize {chosen.resize} is below the crop of {side} px: state --image-size, too")
    if row is not None and (
        differing := [name for name in given if getattr(chosen, name) != getattr(row.preprocessing, name)]
    ):
        tell(
            f"warning: {', '.join(differing)} differ from what {row.spec} was published with "
            f"({describe(row.preprocessing)}): expect a lower accuracy than published"
        )
    return chosen
