"""What a recipe takes from the weights it starts from, where it does not say otherwise: network and preprocessing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lit_cnn.data.image_size import as_stated
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.experiment.files import value_text
from lit_cnn.experiment.task import Task
from lit_cnn.pretrained.imagenet import imagenet_classes
from lit_cnn.pretrained.importing import checkpoint_of
from lit_cnn.pretrained.proving import reference_of
from lit_cnn.pretrained.sources import find_published, is_published_spec
from lit_cnn.run_folder.checkpoint import CLASSIFICATION, load_checkpoint
from lit_cnn.run_folder.folder import find_checkpoint
from lit_cnn.training.announce import announce
from lit_cnn.training.trained_module import TrainedModule

CHECKPOINT = "model.initial.checkpoint"
ARCHITECTURE = "model.architecture"
OPTION = "model.options."
CHANNELS = {"digits": 1, "npz": None, "litdata": None}
"""Channels of sources that are not of color images: None where their files must be read to know them."""
DEFAULTS: dict[str, Any] = {
    "data.evaluation.interpolation": "bilinear",
    "data.evaluation.resize_mode": "shorter_side",
    "data.levels": None,
    "data.background": (255, 255, 255),
    "data.color_profile": "convert",
}
"""What a recipe does that does not state these keys; the background is white."""
FREE_OPTIONS = ("dropout", "drop_path", "weight_init", "aux_head", "aux_heads", "zero_init_last")
"""Options of how a network is trained, which its weights do not fix."""


@dataclass(frozen=True)
class KnownWeights:
    """Weights to start from, as values for the keys of a recipe.

    Args:
        architecture: Name of their network; None where it was given as a module, which a checkpoint cannot hold.
        options: Of the network.
        preprocessing: From an image to what the network saw; None where nothing says so.
        whole_preprocessing: Whether all of it is taken, or only how pixels are normalized.
        class_names: That their outputs are of; their numbers where nothing names them.
    """

    architecture: str | None
    options: Mapping[str, Any]
    preprocessing: Preprocessing | None
    whole_preprocessing: bool = True
    class_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: str) -> "KnownWeights":
        """What is known of a checkpoint or of published weights, which are not downloaded for it.

        Raises:
            ValueError: If the file cannot be read, or there are no such weights.
        """
        if is_published_spec(spec):
            row = find_published(spec)
            classes = tuple(each.name for each in imagenet_classes())
            return cls(row.architecture, reference_of(row).options, row.preprocessing, class_names=classes)
        checkpoint = load_checkpoint(find_checkpoint(spec))
        network, stored = checkpoint["network"], checkpoint["preprocessing"]
        detects = checkpoint.get("task", CLASSIFICATION) != CLASSIFICATION  # a canvas is not a crop
        made = None if stored is None or detects else Preprocessing.from_dict(stored)
        names = tuple(checkpoint["class_names"])
        return cls(network["architecture"], network["options"], made, class_names=names)

    def for_task(self, task: Task) -> "KnownWeights":
        """The same where they start a network of ``task``: a detector's canvas is the recipe's own."""
        return self if task == CLASSIFICATION else replace(self, whole_preprocessing=False)

    def network_keys(self) -> dict[str, Any]:
        """The network's keys, except options that its weights do not fix; none for a module."""
        if self.architecture is None:
            return {}
        fixed = {f"{OPTION}{name}": value for name, value in self.options.items() if name not in FREE_OPTIONS}
        return {ARCHITECTURE: self.architecture, **fixed}

    def data_keys(self, values: Mapping[str, Any], stated: Collection[str]) -> dict[str, Any]:
        """The keys of the preprocessing: what the network saw is what it should see again.

        Args:
            values: The recipe's dotted keys with their values.
            stated: Those that the recipe states itself.
        """
        if self.preprocessing is None:
            return {}
        if not self.whole_preprocessing:
            return self._statistics(values)
        made = self.preprocessing
        keys: dict[str, Any] = {"data.image_size": as_stated(made.image_size)}
        keys |= {key: value for key, value in choices_of(made).items() if value != DEFAULTS[key]}
        own_size = {"data.image_size", "data.evaluation.image_size"} & set(stated)
        if "data.evaluation.crop_ratio" not in stated:
            ratio = {"data.evaluation.crop_ratio": round(min(made.image_size) / made.resize, 6)}
            keys |= ratio if own_size else {"data.evaluation.resize": made.resize}
        if statistics := self._statistics(values):
            keys |= statistics
        return keys

    def _statistics(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Mean and standard deviation for the channels of the data; none where those are others or unknown."""
        assert self.preprocessing is not None
        mean, std = self.preprocessing.mean, self.preprocessing.std
        channels = values.get("data.in_channels") or CHANNELS.get(values.get("data.source", ""), 3)
        if channels == 1 and len(mean) == 3:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
        if channels != len(mean):
            return {}
        return {"data.normalize.mean": list(mean), "data.normalize.std": list(std)}


def choices_of(made: Preprocessing) -> dict[str, Any]:
    """The preprocessing by the keys of ``DEFAULTS``."""
    values = (made.interpolation, made.resize_mode, made.levels, made.background, made.color_profile)
    return dict(zip(DEFAULTS, values, strict=True))


def keys_of_weights(start: KnownWeights, values: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
    """The keys of a recipe that follow from the weights it starts from.

    Args:
        start: The weights.
        values: All that the recipe states, by dotted key.
        kept: The stated keys that hold whatever the weights say.
    """
    keys = {**start.network_keys(), **start.data_keys(values, kept)}
    if ARCHITECTURE in kept and values[ARCHITECTURE] != start.architecture:  # as VGG grows: options are of another net
        keys = {key: value for key, value in keys.items() if not key.startswith("model.")}
    pairs = {"data.normalize.mean", "data.normalize.std"}
    if pairs & set(kept):
        kept = {*kept, *pairs}
    return {key: value for key, value in keys.items() if key not in kept}


def describe_keys_of_weights(
    spec: str, start: KnownWeights, taken: Mapping[str, Any], values: Mapping[str, Any]
) -> str:
    """Which keys the weights gave, and where the recipe differs from them, as a sentence."""
    theirs = {**start.network_keys(), **start.data_keys(values, ())}
    shown = ", ".join(f"{key} {value_text(value)}" for key, value in taken.items() if value is not None)
    other = [
        f"{key} {value_text(values[key])} (theirs: {value_text(value)})"
        for key, value in theirs.items()
        if key in values and key not in taken and values[key] != value
    ]
    said = f"from the weights of {spec}: {shown or 'nothing'}"
    return said + (f"; the recipe differs in {', '.join(other)}" if other else "")


def fetch_weights(model: TrainedModule) -> None:
    """Put a file in the place of published weights or of a run folder that ``model`` starts from, importing the former
    at their first use.

    Raises:
        ValueError: If they are not to be had.
    """
    spec = model.initial.checkpoint
    if spec is not None:
        file = find_checkpoint(checkpoint_of(spec, announce))
        model.initial = replace(model.initial, checkpoint=str(file))
