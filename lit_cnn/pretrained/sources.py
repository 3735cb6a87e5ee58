"""Published weights: a typed row for each, and the libraries that publish them. The one file that imports timm.

The rows are ``data/published.csv``, which ``tests/pretrained/published.py`` writes from the metadata of the installed
timm and torchvision; accuracies of timm's weights, which its package lacks, are those of its repository's results.
"""

import csv
import difflib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from lit_cnn.data.preprocessing import Preprocessing

Library = Literal["torchvision", "timm"]
LIBRARIES: tuple[Library, ...] = ("timm", "torchvision")
MEASURED = "results of huggingface/pytorch-image-models at commit aa4b5850 (2026-08-08)"
"""Where the accuracies of timm's weights are from; torchvision's are of its own metadata."""


@dataclass(frozen=True)
class PublishedWeights:
    """One published set of weights for a network of the catalog.

    Args:
        architecture: Our name.
        library: Whose network they are of.
        name: The network's name there.
        tag: Of the weights there, such as ``a1_in1k`` or ``IMAGENET1K_V2``.
        default: Whether the library takes them where no tag is given.
        params: Parameters.
        preprocessing: From an image file to the network's input.
        top1: Published accuracy on ImageNet's validation images in percent.
        top5: The same, top-5.
        real_top1: On the ReaL labels (Beyer et al. 2020, arXiv:2006.07159).
        license: Of the weights, as their library states it.
        url: Where the file is.
    """

    architecture: str
    library: Library
    name: str
    tag: str
    default: bool
    params: int
    preprocessing: Preprocessing
    top1: float | None
    top5: float | None
    real_top1: float | None
    license: str
    url: str

    @property
    def spec(self) -> str:
        """What commands take: ``timm:NAME.TAG``."""
        return f"{self.library}:{self.name}.{self.tag}"

    @property
    def megabytes(self) -> float:
        """About the size of the file, of 4 bytes for each parameter."""
        return self.params * 4 / 1e6

    @property
    def hub_id(self) -> str | None:
        """Repository on the Hugging Face Hub."""
        return self.url.split("/resolve/")[0].split("/", 3)[3] if "/resolve/" in self.url else None

    @property
    def license_warning(self) -> str | None:
        """A sentence where the license forbids commercial use."""
        if "-nc" not in self.license.lower():
            return None
        return f"warning: the license of {self.spec} ({self.license}) allows no commercial use"


@functools.cache
def published() -> tuple[PublishedWeights, ...]:
    """All rows, in the order of the catalog."""
    text = (files("lit_cnn.pretrained") / "data" / "published.csv").read_text(encoding="utf-8")
    return tuple(map(_row, csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))))


def _row(cells: Mapping[str, str]) -> PublishedWeights:
    mean, std = (tuple(map(float, cells[key].split())) for key in ("mean", "std"))
    side = int(cells["image_size"])
    preprocessing = Preprocessing(
        (side, side), int(cells["resize"]), cells["resize_mode"], cells["interpolation"], mean, std, 3  # type: ignore[arg-type]
    )  # fmt: skip
    top1, top5, real = (float(cells[key]) if cells[key] else None for key in ("top1", "top5", "real_top1"))
    library: Any = cells["library"]
    return PublishedWeights(
        cells["architecture"],
        library,
        cells["name"],
        cells["tag"],
        cells["default"] == "yes",
        int(cells["params"]),
        preprocessing,
        top1,
        top5,
        real,
        cells["license"],
        cells["url"],
    )


def is_published_spec(text: str) -> bool:
    """Whether ``text`` names weights of a library rather than a file."""
    return text.partition(":")[0] in LIBRARIES and ":" in text


def find_published(spec: str) -> PublishedWeights:
    """The row of ``timm:NAME[.TAG]``, ``torchvision:NAME[.TAG]`` or ``torchvision:ENUM.TAG``.

    Raises:
        ValueError: If there is none; it names the nearest.
    """
    library, _, wanted = spec.partition(":")
    rows = [row for row in published() if row.library == library]
    if library == "torchvision":
        wanted = _without_enum(wanted, rows)
    found = [row for row in rows if wanted == f"{row.name}.{row.tag}"] or [row for row in rows if wanted == row.name]
    if not found:
        names = list(dict.fromkeys([row.name for row in rows] + [f"{row.name}.{row.tag}" for row in rows]))
        near = ", ".join(f"{library}:{name}" for name in difflib.get_close_matches(wanted, names, n=3))
        hint = f"nearest are {near}" if near else "lit-cnn compare --list shows all"
        raise ValueError(f"no published weights {spec!r} fit a network of the catalog; {hint}")
    return next((row for row in found if row.default), found[0])


def _without_enum(wanted: str, rows: Sequence[PublishedWeights]) -> str:
    """``resnet50.IMAGENET1K_V2`` of ``ResNet50_Weights.IMAGENET1K_V2``; DEFAULT is the name alone."""
    name, _, tag = wanted.partition(".")
    plain = name.lower().removesuffix("_weights")
    name = next((row.name for row in rows if row.name.replace("_", "") == plain.replace("_", "")), name)
    return name if tag in ("", "DEFAULT") else f"{name}.{tag}"


def published_of(architecture: str, chosen: str = "") -> PublishedWeights:
    """The weights that ``NAME[@library[:tag]]`` means: the library's default ones where no tag is given.

    Args:
        architecture: Our name.
        chosen: What stands behind the @.

    Raises:
        ValueError: If there are none.
    """
    library, _, tag = chosen.partition(":")
    rows = [row for row in published() if row.architecture == architecture]
    if not rows:
        raise ValueError(
            f"neither timm nor torchvision publishes weights for {architecture}: give a checkpoint, or weights of "
            f"another program by lit-cnn import FILE --architecture {architecture}"
        )
    found = [
        row for row in rows if library in ("", row.library) and tag in ("", row.tag, row.name, f"{row.name}.{row.tag}")
    ]
    if not found:
        known = ", ".join(f"{row.library}:{row.name}.{row.tag}" for row in rows)
        raise ValueError(f"{architecture} has no published weights {chosen!r}; there are {known}")
    return next((row for row in found if row.default), found[0])


def build_other(library: Library, name: str, options: Mapping[str, Any]) -> nn.Module:
    """A network of torchvision or timm without pretrained weights."""
    if library == "timm":
        import timm

        return timm.create_model(name, pretrained=False, **options)
    import torchvision

    return torchvision.models.get_model(name, weights=None, **options)


def load_with_its_library(row: PublishedWeights, state: Mapping[str, Tensor], num_classes: int) -> nn.Module | None:
    """timm's network with weights of an older naming that timm itself converts; None where it does not."""
    if row.library != "timm":
        return None
    import timm

    try:
        overlay = {"state_dict": dict(state), "num_classes": num_classes}
        return timm.create_model(row.name, pretrained=True, num_classes=num_classes, pretrained_cfg_overlay=overlay)
    except (RuntimeError, KeyError, AttributeError, ValueError, TypeError):
        return None


def load_timm_folder(folder: Path) -> nn.Module:
    """What timm makes of a folder in its layout, with its weights."""
    import timm

    return timm.create_model(f"local-dir:{folder}", pretrained=True)


@functools.cache
def real_labels() -> dict[str, list[int]]:
    """ReaL's classes of each ImageNet validation image by its file name (Beyer et al. 2020), as timm carries them."""
    import json
    import pkgutil

    content = pkgutil.get_data("timm.data", "_info/imagenet_real_labels.json")
    assert content is not None
    return {f"ILSVRC2012_val_{number:08d}.JPEG": found for number, found in enumerate(json.loads(content), 1)}


def library_rows(library: Library, name: str) -> Iterator[dict[str, Any]]:
    """What the installed library says of each set of weights for its network ``name`` with ImageNet's 1000 classes."""
    return _timm_rows(name) if library == "timm" else _torchvision_rows(name)


def _timm_rows(name: str) -> Iterator[dict[str, Any]]:
    import timm
    from timm.models import get_pretrained_cfg

    if not timm.is_model(name):
        return
    default = get_pretrained_cfg(name)
    for full in timm.list_pretrained(f"{name}.*"):
        stated = get_pretrained_cfg(full)
        if stated is None or stated.num_classes != 1000 or stated.custom_load or stated.label_offset:
            continue
        side = (stated.test_input_size or stated.input_size)[-1]
        yield {
            "tag": stated.tag,
            "default": default is not None and stated.tag == default.tag,
            "image_size": side,
            "resize": int(side / (stated.test_crop_pct or stated.crop_pct)),  # timm takes the floor
            "resize_mode": "squash" if stated.crop_mode == "squash" else "shorter_side",
            "interpolation": stated.interpolation,
            "mean": stated.mean,
            "std": stated.std,
            "license": stated.license or "none stated",
            "url": f"https://huggingface.co/{stated.hf_hub_id}/resolve/main/model.safetensors",
        }


def _torchvision_rows(name: str) -> Iterator[dict[str, Any]]:
    from torchvision.models import get_model_weights

    kinds: Any = get_model_weights(name)
    for weights in kinds:
        figures = weights.meta["_metrics"].get("ImageNet-1K", {})
        if len(weights.meta["categories"] or ()) != 1000:
            continue
        prepared = weights.transforms()
        # With weights, torchvision's GoogLeNet turns its input from ImageNet's mean and deviation to 0.5 and 0.5.
        own = name == "googlenet"
        yield {
            "tag": weights.name,
            "default": weights == kinds.DEFAULT,
            "image_size": prepared.crop_size[0],
            "resize": prepared.resize_size[0],
            "resize_mode": "shorter_side",
            "interpolation": prepared.interpolation.value,
            "mean": [0.5] * 3 if own else prepared.mean,
            "std": [0.5] * 3 if own else prepared.std,
            "license": "none stated",
            "url": weights.url,
            "top1": figures["acc@1"],
            "top5": figures["acc@5"],
        }
