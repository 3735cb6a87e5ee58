"""Detector: a detector's network, its losses, its figures and its optimizer, as a LightningModule."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.architectures.layers.keyed import random_layers, set_random_key
from lit_cnn.detection.boxes import AnnotatedSplit, BoxBatch, Detections
from lit_cnn.detection.canvas import Canvas
from lit_cnn.detection.checkpoint_record import (
    RecordedData,
    constructor_arguments,
    describe_detector,
    describe_network,
    require_detector,
)
from lit_cnn.detection.decoding import DecodingSettings
from lit_cnn.detection.detector_network import DetectorNetwork
from lit_cnn.detection.faster_rcnn_settings import FasterRCNNSettings
from lit_cnn.detection.fcos import FCOSSettings
from lit_cnn.detection.initial_backbone import require_whole, start_backbone
from lit_cnn.detection.mean_losses import MeanLosses
from lit_cnn.detection.metrics import PROTOCOLS, DetectionMetrics
from lit_cnn.detection.networks import create_detector
from lit_cnn.detection.pyramid import PyramidSettings
from lit_cnn.detection.retinanet import RetinaNetSettings
from lit_cnn.detection.ssd import announce_images_without_boxes
from lit_cnn.detection.ssd_settings import SSDSettings
from lit_cnn.detection.thresholds import Thresholds, choose_thresholds
from lit_cnn.lightning_internals import trainer_of
from lit_cnn.randomness import seeded
from lit_cnn.training.fine_tuning import InitialWeights
from lit_cnn.training.optimization.clipping import ClippingSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings
from lit_cnn.training.optimization.schedules import ScheduleSettings
from lit_cnn.training.trained_module import TrainedModule

RAW_FIGURES = ("map", "map50")
"""Those of the raw weights that are logged with the average's."""


class Detector(TrainedModule):
    """Train a detector on a network of the catalog to find the objects in an image.

    Args:
        architecture: Name of the network in the catalog (``lit-cnn models`` lists them) that carries the pyramid.
        detector: fcos (Tian et al. 2019, arXiv:1904.01355), retinanet (Lin et al. 2017, arXiv:1708.02002),
            faster_rcnn (Ren et al. 2015, arXiv:1506.01497) or ssd (Liu et al. 2016, arXiv:1512.02325).
        options: Options of the network.
        pyramid: Maps that the head reads.
        fcos: Head and losses of fcos.
        retinanet: Anchors, head and losses of retinanet.
        faster_rcnn: Anchors, proposals, heads and losses of faster_rcnn.
        ssd: Default boxes and losses of ssd, which takes the strides of the pyramid alone.
        decoding: Which of the scored boxes are kept.
        num_classes: Classes; taken from the data when left out.
        optimizer: Optimizer, learning rate and weight decay.
        schedule: Warm-up and decay of the learning rate.
        clipping: Gradient clipping.
        initial: Weights to start from instead of random ones: a classifier's for the network, or a detector's for all.
        channels_last: Keep weights and images in the layout in which convolutions are fastest; false: NCHW.
        compile: Train with ``torch.compile``: seconds to minutes of compilation, for faster steps.
        seed: Seed of the initial weights, dropout and stochastic depth.
    """

    shown_score = "val/map"
    validated_metrics = (
        *(f"val/{name}" for name in PROTOCOLS),
        *(f"val/{name}_raw" for name in RAW_FIGURES),
    )
    preprocessing: Any
    """From an image to the canvas, which a checkpoint records: that of the data it was fitted to."""
    category_ids: tuple[int, ...]
    """What results call each class."""
    thresholds: Thresholds | None
    """What is shown of the detections, chosen at the last validation of a training."""
    train_losses: MeanLosses

    def __init__(
        self,
        architecture: str,
        detector: Literal["fcos", "retinanet", "faster_rcnn", "ssd"] = "fcos",
        options: NetworkOptions = NetworkOptions(),
        pyramid: PyramidSettings = PyramidSettings(),
        fcos: FCOSSettings = FCOSSettings(),
        retinanet: RetinaNetSettings = RetinaNetSettings(),
        faster_rcnn: FasterRCNNSettings = FasterRCNNSettings(),
        ssd: SSDSettings = SSDSettings(),
        decoding: DecodingSettings = DecodingSettings(),
        num_classes: int | None = None,
        optimizer: OptimizerSettings = OptimizerSettings(),
        schedule: ScheduleSettings = ScheduleSettings(),
        clipping: ClippingSettings = ClippingSettings(),
        initial: InitialWeights = InitialWeights(),
        channels_last: bool = True,
        compile: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(optimizer, schedule, clipping, initial, channels_last, compile, seed)
        find_entry(architecture)
        initial.require_weights()
        require_whole(initial)
        self.architecture, self.detector, self.options = architecture, detector, options
        self.pyramid, self.decoding = pyramid, decoding
        self.fcos, self.retinanet, self.faster_rcnn, self.ssd = fcos, retinanet, faster_rcnn, ssd
        self.num_classes = num_classes
        self.net: DetectorNetwork | None = None
        self.preprocessing, self.category_ids, self.thresholds = None, (), None
        self._found: DetectionMetrics | None = None
        self._found_raw: DetectionMetrics | None = None

    # Building ---------------------------------------------------------------------------------------------------------

    @property
    def network(self) -> DetectorNetwork:
        """The network, once ``configure_model`` has built it."""
        network = super().network
        assert isinstance(network, DetectorNetwork)
        return network

    def configure_model(self, data: Any = None) -> None:
        """Build the network for the classes and the canvas of ``data``, by default the trainer's; once only.

        Raises:
            ValueError: If there is no data, or the network was built for other data.
        """
        trainer = trainer_of(self)
        data = getattr(trainer, "datamodule", None) if data is None else data
        if self.configured:
            self._check_data(data)
            return
        if data is None:
            raise ValueError("a Detector takes classes and canvas from its data: train it with a DetectionData")
        self._adopt(data)
        assert self.num_classes is not None
        with seeded(self.seed, "initialization"):
            self.net = create_detector(
                self.detector,
                self.architecture,
                self.num_classes,
                self.preprocessing.canvas,
                options=self.options,
                pyramid=self.pyramid,
                fcos=self.fcos,
                retinanet=self.retinanet,
                faster_rcnn=self.faster_rcnn,
                ssd=self.ssd,
                decoding=self.decoding,
            )
        start_backbone(self.net, self.initial, self.architecture, resumed=self.resumed)
        self.freeze_and_lay_out()
        if self.compiled:
            self.net.compile(dynamic=False)  # in place: the names of the weights stay
        self.keyed_layers = random_layers(self.net)
        self.train_losses = MeanLosses()
        self.configured = True

    def _adopt(self, data: Any) -> None:
        """Note classes, their ids and the preprocessing of the data."""
        if self.num_classes not in (None, data.num_classes):
            raise ValueError(
                f"model.num_classes is {self.num_classes} but the data has {data.num_classes}: remove "
                "model.num_classes from the recipe, it is taken from the data"
            )
        self.num_classes, self.class_names = data.num_classes, list(data.class_names)
        recorded = isinstance(data, RecordedData)
        self.category_ids = data.category_ids if recorded else tuple(data.loaded.train.category_ids)
        self.preprocessing = data.preprocessing

    def _check_data(self, data: Any) -> None:
        """Refuse data of other classes or of another canvas than those that the network was built for."""
        if data is None:
            return
        built = (self.num_classes, tuple(self.preprocessing.canvas))
        found = (data.num_classes, tuple(data.preprocessing.canvas))
        if built != found:
            raise ValueError(
                f"this Detector was built for {built[0]} classes on a canvas of {list(built[1])}, the data has "
                f"{found[0]} on {list(found[1])}: make a new Detector"
            )

    def setup(self, stage: str) -> None:
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if stage == "fit" and self.configured:
            self._adopt(data)
        if stage == "fit" and self.detector == "ssd":
            announce_images_without_boxes(data.loaded.train)
        super().setup(stage)

    def forget_epoch(self) -> None:
        self.train_losses.reset()

    def forward(self, images: Tensor) -> list[Detections]:
        """What is found in each of the normalized images (N, 3, H, W), in pixels of the canvas."""
        return self.network.detect(images)

    # Steps ------------------------------------------------------------------------------------------------------------

    def training_step(self, batch: BoxBatch, batch_idx: int) -> Tensor:
        losses = self.losses_of(batch, self.trainer.global_step)
        loss = torch.stack(list(losses.values())).sum()
        named = {"loss": loss, **{f"loss_{name}": value for name, value in losses.items()}}
        self.train_losses.update(named, (batch.index >= 0).sum())
        if self.logs_this_step:
            self.log("train/loss_step", loss.detach())
        return loss * batch.weight

    def losses_of(self, batch: BoxBatch, step: int) -> dict[str, Tensor]:
        """The losses of a batch, 0-dim each, whose sum training minimizes.

        Args:
            batch: As the network sees it, on the network's device.
            step: Optimizer steps done before, from which the masks of dropout and stochastic depth are drawn.
        """
        set_random_key(self.keyed_layers, seed=self.seed, step=step, positions=batch.position)
        return self.network.losses(batch)

    def on_train_epoch_end(self) -> None:
        self.log_epoch("train", self.train_losses.compute())
        self.forget_epoch()

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self._found = DetectionMetrics(self.trainer.datamodule.loaded.val)  # type: ignore[attr-defined]
        self._found_raw = DetectionMetrics(self._found.split)

    def validation_step(self, batch: BoxBatch, batch_idx: int) -> dict[str, list[Detections]]:
        """{"found": what is found in each image, in pixels of its file}."""
        assert self._found is not None
        found = found_in_files(self(batch.images), batch, self._found.split)
        self._found.update(batch.index, found)
        return {"found": found}

    def count_raw(self, raw: nn.Module | None, batch: BoxBatch, outputs: dict[str, list[Detections]]) -> None:
        assert self._found_raw is not None
        found = outputs["found"]
        if raw is not None:
            found = found_in_files(raw(batch.images), batch, self._found_raw.split)
        self._found_raw.update(batch.index, found)

    def on_validation_epoch_end(self) -> None:
        """Report what was found, of the average under EMA, and choose the thresholds on it."""
        assert self._found is not None
        assert self._found_raw is not None
        values = self._found.compute()
        if self._found_raw.updated:
            raw = self._found_raw.compute()
            values |= {f"{name}_raw": raw[name] for name in RAW_FIGURES}
        self._log_figures("val", values)
        self.observe(torch.tensor(values["map"]))
        self._found_raw.reset()
        if self.trainer.state.fn == "fit" and not self.trainer.sanity_checking:
            split = self._found.split
            seen = f"val, {len(self._found.found)} images"
            self.thresholds = choose_thresholds(split, self._found.found, seen)

    @property
    def validated(self) -> DetectionMetrics | None:
        """What the last validation found, for pictures; None before the first."""
        return self._found

    def on_test_epoch_start(self) -> None:
        self._found = DetectionMetrics(self.trainer.datamodule.loaded.test)  # type: ignore[attr-defined]

    def test_step(self, batch: BoxBatch, batch_idx: int) -> dict[str, list[Detections]]:
        return self.validation_step(batch, batch_idx)

    def on_test_epoch_end(self) -> None:
        assert self._found is not None
        self._log_figures("test", self._found.compute())

    def _log_figures(self, stage: str, values: Mapping[str, float]) -> None:
        self.log_epoch(stage, {name: torch.tensor(value, device=self.device) for name, value in values.items()})

    def predict_step(self, batch: Any, batch_idx: int) -> list[Detections]:
        """Detections in pixels of the canvas of a batch, or of normalized images (N, 3, H, W) alone."""
        images = batch.images if isinstance(batch, BoxBatch) else batch
        return self(images)

    # Checkpoint -------------------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint.update(describe_detector(self))
        checkpoint["epoch_metrics"] = [self.train_losses.epoch_state()]

    @classmethod
    def recorded_arguments(cls, checkpoint: dict[str, Any], name: str, stated: dict[str, Any]) -> dict[str, Any]:
        """As ``TrainedModule`` says.

        Raises:
            ValueError: If the checkpoint is of another task.
        """
        require_detector(checkpoint, name)
        return constructor_arguments(checkpoint, stated)

    @classmethod
    def recorded_data(cls, checkpoint: dict[str, Any]) -> RecordedData:
        return RecordedData.of(checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        require_detector(checkpoint, "the checkpoint")
        found, wanted = checkpoint["network"], describe_network(self)
        if different := [key for key in wanted if found.get(key) != wanted[key]]:
            said = "; ".join(f"{key} is {found.get(key)!r}, here {wanted[key]!r}" for key in different)
            raise ValueError(f"the checkpoint is of another network: {said}")
        stored = checkpoint["thresholds"]
        self.thresholds = None if stored is None else Thresholds.from_dict(stored)
        if "epoch_metrics" in checkpoint:
            self.train_losses.restore_epoch(checkpoint["epoch_metrics"][0], self.global_rank)


def found_in_files(found: Sequence[Detections], batch: BoxBatch, split: AnnotatedSplit) -> list[Detections]:
    """Detections on the canvas in pixels of the images' files; none in images that do not count.

    Args:
        found: Of each of the N images.
        batch: The images.
        split: Whose rows they are.
    """
    rows = batch.index.tolist()
    placed = []
    for number, (row, each) in enumerate(zip(rows, found, strict=True)):
        image = split.images[max(row, 0)]
        moved = Canvas.to_file(each, batch.scales[number], batch.offsets[number], image.width, image.height)
        placed.append(moved if row >= 0 else Detections(*(part[:0] for part in moved)))
    return placed
