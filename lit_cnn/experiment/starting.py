"""What a recipe takes from the weights it starts from, where it does not say otherwise: network and preprocessing."""

from collections.abc import Collection, Mapping
from typing import Any

from lit_cnn.data.image_size import as_stated
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.run_folder.checkpoint import load_checkpoint

CHECKPOINT = "model.initial.checkpoint"
ARCHITECTURE = "model.architecture"
OPTION = "model.options."
CHANNELS = {"digits": 1, "npz": None, "litdata": None}
"""Channels of sources that are not of color images: None where their files must be read to know them."""
FREE_OPTIONS = ("dropout", "drop_path", "weight_init", "aux_head", "aux_heads", "zero_init_last")
"""Options of how a network is trained, which its weights do not fix."""


class Start:
    """Weights to start from, as defaults for the keys of a recipe.

    Args:
        file: The checkpoint.

    Raises:
        ValueError: If it cannot be read.
    """

    def __init__(self, file: str) -> None:
        checkpoint = load_checkpoint(file)
        self.network: dict[str, Any] = checkpoint["network"]
        stored = checkpoint["preprocessing"]
        self.preprocessing = None if stored is None else Preprocessing.from_dict(stored)

    def network_keys(self) -> dict[str, Any]:
        """The network's keys; none where it was given as a module, which a checkpoint cannot hold."""
        architecture, options = self.network["architecture"], self.network["options"]
        if architecture is None:
            return {}
        fixed = {f"{OPTION}{name}": value for name, value in options.items() if name not in FREE_OPTIONS}
        return {ARCHITECTURE: architecture, **fixed}

    def data_keys(self, values: Mapping[str, Any], stated: Collection[str]) -> dict[str, Any]:
        """The keys of the preprocessing: what the network saw is what it should see again.

        Args:
            values: The recipe's dotted keys with their values.
            stated: Those that the recipe states itself.
        """
        if self.preprocessing is None:
            return {}
        made = self.preprocessing
        keys: dict[str, Any] = {
            "data.image_size": as_stated(made.image_size),
            "data.evaluation.interpolation": made.interpolation,
            "data.evaluation.resize_mode": made.resize_mode,
            "data.levels": made.levels,
            "data.background": made.background,
            "data.color_profile": made.color_profile,
        }
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
        channels = values.get("data.in_channels") or CHANNELS.get(values["data.source"], 3)
        if channels == 1 and len(mean) == 3:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
        if channels != len(mean):
            return {}
        return {"data.normalize.mean": list(mean), "data.normalize.std": list(std)}
