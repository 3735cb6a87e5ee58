"""What a checkpoint records of a Classifier besides its tensors, and the arguments that make the Classifier again.

``LightningModule.on_save_checkpoint`` writes it, so that every checkpoint has it, whoever's Trainer and callback saved.
"""

import inspect
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.run_folder.checkpoint import FORMAT
from lit_cnn.training.fine_tuning import InitialWeights
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.sam import SamSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings

if TYPE_CHECKING:
    from lit_cnn.training.classifier import Classifier

_SETTINGS = {
    "loss": LossSettings,
    "optimizer": OptimizerSettings,
    "schedule": ScheduleSettings,
    "clipping": ClippingSettings,
    "sam": SamSettings,
    "initial": InitialWeights,
}
"""Arguments of Classifier that are dataclasses, of built-in types each."""


def describe_network(model: "Classifier") -> dict[str, Any]:
    """What builds the network again: its name in the catalog (None of a module), options, classes and channels."""
    return built_in(
        {
            "architecture": model.architecture,
            "options": model.options.chosen(),
            "num_classes": model.num_classes,
            "in_channels": model.in_channels,
        }
    )


def describe_classifier(model: "Classifier") -> dict[str, Any]:
    """The entries of a checkpoint, in built-in types: format, network, how it is trained, classes, preprocessing.

    ``class_names`` are the numbers of the classes where no data named them, and ``preprocessing`` is None where none
    said how it prepares images.
    """
    assert model.num_classes is not None
    settings: dict[str, Any] = {
        "loss": model.loss_settings,
        "optimizer": model.optimizer_settings,
        "schedule": model.schedule_settings,
        "clipping": model.clipping_settings,
        "sam": model.sam,
        "initial": model.initial,
    }
    arguments = {
        "channels_last": model.channels_last,
        "compile": model.compiled,
        "activation_checkpointing": model.activation_checkpointing,
        "seed": model.seed,
    }
    return {
        "format": FORMAT,
        "network": describe_network(model),
        "classifier": built_in({**{name: asdict(value) for name, value in settings.items()}, **arguments}),
        "class_names": built_in(model.class_names or [str(number) for number in range(model.num_classes)]),
        "preprocessing": built_in(model.preprocessing.as_dict()) if model.preprocessing else None,
    }


def constructor_arguments(
    kind: type["Classifier"], checkpoint: dict[str, Any], name: str, stated: dict[str, Any]
) -> dict[str, Any]:
    """The arguments that make a checkpoint's Classifier; those that an older lit-cnn did not record are left out.

    Args:
        kind: The class, of which a subclass may take fewer arguments.
        checkpoint: As ``load_checkpoint`` returns it.
        name: Its file, for the sentence.
        stated: Arguments instead of the recorded ones.

    Raises:
        ValueError: If the network was given as a module and is not among the stated arguments.
    """
    accepted = inspect.signature(kind).parameters
    recorded = {**checkpoint["network"], **checkpoint.get("classifier", {}), **stated}
    if "architecture" in accepted and recorded["architecture"] is None:
        raise ValueError(f"{name} holds a network that was given as a module: pass it again as architecture=")
    arguments = {key: value for key, value in recorded.items() if key in accepted or key in stated}
    for key, settings in {"options": NetworkOptions, **_SETTINGS}.items():
        if key in arguments and key not in stated:
            arguments[key] = settings(**arguments[key])
    return arguments


def built_in(value: Any) -> Any:
    """``value`` with paths as text, and numbers, arrays and text of other libraries, such as NumPy's, as Python's."""
    if isinstance(value, dict):
        return {built_in(key): built_in(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(built_in, value))
    if isinstance(value, PurePath):
        return str(value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value.tolist() if hasattr(value, "tolist") else value
