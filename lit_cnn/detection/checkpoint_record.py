"""What a checkpoint records of a Detector besides its tensors, and what makes the Detector again."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.fcos import FCOSSettings
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.pyramid import PyramidSettings
from lit_cnn.detection.retinanet import RetinaNetSettings
from lit_cnn.detection.ssd_settings import SSDSettings
from lit_cnn.run_folder.checkpoint import FORMAT, require_task
from lit_cnn.training.checkpoint_record import built_in
from lit_cnn.training.fine_tuning import InitialWeights
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings

if TYPE_CHECKING:
    from lit_cnn.detection.detector import Detector

NETWORK = {
    "options": NetworkOptions,
    "pyramid": PyramidSettings,
    "fcos": FCOSSettings,
    "retinanet": RetinaNetSettings,
    "faster_rcnn": FasterRCNNSettings,
    "ssd": SSDSettings,
}
"""Arguments of Detector that are dataclasses and fix the network's layers."""
ALWAYS_RECORDED = ("pyramid", "fcos", "retinanet")
"""Those that every checkpoint has; a later detector's stand in its own alone, so that older ones compare equal."""
TRAINING = {
    "optimizer": OptimizerSettings,
    "schedule": ScheduleSettings,
    "clipping": ClippingSettings,
    "initial": InitialWeights,
}
"""Those that say how it is trained."""


@dataclass(frozen=True)
class RecordedData:
    """What a Detector takes from its data, as a checkpoint records it.

    Args:
        class_names: K names in the order of the labels.
        category_ids: What results call each class.
        preprocessing: From an image to the canvas.
    """

    class_names: list[str]
    category_ids: tuple[int, ...]
    preprocessing: CanvasPreprocessing

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.class_names)

    @classmethod
    def of(cls, checkpoint: dict[str, Any]) -> "RecordedData":
        """Of a checkpoint as ``load_checkpoint`` returns it."""
        made = CanvasPreprocessing.from_dict(checkpoint["preprocessing"])
        return cls(list(checkpoint["class_names"]), tuple(checkpoint["category_ids"]), made)


def describe_network(model: "Detector") -> dict[str, Any]:
    """What builds the network again: the backbone's name in the catalog and its options, classes, and the detector."""
    recorded = dict.fromkeys((*ALWAYS_RECORDED, model.detector))
    return built_in(
        {
            "architecture": model.architecture,
            "options": model.options.chosen(),
            "num_classes": model.num_classes,
            "in_channels": 3,
            "detector": {
                "name": model.detector,
                "canvas": list(model.preprocessing.canvas),
                **{key: as_lists(asdict(getattr(model, key))) for key in recorded},
            },
        }
    )


def describe_detector(model: "Detector") -> dict[str, Any]:
    """The entries of a checkpoint, in built-in types."""
    settings: dict[str, Any] = {
        "optimizer": model.optimizer_settings,
        "schedule": model.schedule_settings,
        "clipping": model.clipping_settings,
        "initial": model.initial,
    }
    arguments = {"channels_last": model.channels_last, "compile": model.compiled, "seed": model.seed}
    return {
        "format": FORMAT,
        "task": "detection",
        "network": describe_network(model),
        "detector": built_in({**{name: asdict(value) for name, value in settings.items()}, **arguments}),
        "class_names": built_in(model.class_names),
        "decoding": built_in(asdict(model.decoding)),
        "category_ids": built_in(list(model.category_ids)),
        "preprocessing": built_in(model.preprocessing.as_dict()),
        "thresholds": None if model.thresholds is None else built_in(model.thresholds.as_dict()),
    }


def as_lists(value: Any) -> Any:
    """``value`` with lists for tuples, as JSON has them."""
    if isinstance(value, dict):
        return {key: as_lists(inner) for key, inner in value.items()}
    return [as_lists(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def constructor_arguments(checkpoint: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    """The arguments that make a checkpoint's Detector.

    Args:
        checkpoint: As ``load_checkpoint`` returns it.
        stated: Arguments instead of the recorded ones.
    """
    network = checkpoint["network"]
    detector = dict(network["detector"])
    recorded = {
        "architecture": network["architecture"],
        "detector": detector.pop("name"),
        "options": network["options"],
        **{key: detector[key] for key in NETWORK if key in detector},
        **checkpoint.get("detector", {}),
        "decoding": checkpoint["decoding"],
    }
    kinds = {**NETWORK, **TRAINING, "decoding": DecodingSettings}
    made = {key: kinds[key](**value) if key in kinds else value for key, value in recorded.items()}
    return {**made, **stated}


def require_detector(checkpoint: dict[str, Any], name: str) -> None:
    """Refuse a checkpoint of another task.

    Raises:
        ValueError: Naming it.
    """
    require_task(checkpoint, "detection", name)
