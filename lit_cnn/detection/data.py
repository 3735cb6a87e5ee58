"""DetectionData: annotated images, their augmentation and their batches, for Lightning."""

from dataclasses import dataclass, field
from typing import Any, get_args

from lit_cnn.data.loading.datasets import PlannedLoader, make_loader
from lit_cnn.data.loading.doctor import LoaderFacts
from lit_cnn.data.loading.planned_data import PlannedData
from lit_cnn.data.loading.resuming import progress
from lit_cnn.data.loading.sampling import TrainSampler
from lit_cnn.data.settings import Background, Normalize, OnError, background_color, checked_levels, require
from lit_cnn.data.sources.bit_depth import Levels
from lit_cnn.data.sources.decoding import ColorProfile
from lit_cnn.data.sources.holdout import HoldOut
from lit_cnn.data.sources.load import IMAGENET_STATISTICS, resolve_data_path
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS
from lit_cnn.detection.annotations import Annotated, Layout, read_annotations, with_validation
from lit_cnn.detection.augmentation import BoxAugmentation, BoxTransform
from lit_cnn.detection.batches import BoxBatches
from lit_cnn.detection.box_mixup import mix_boxes
from lit_cnn.detection.boxes import AnnotatedSplit, BoxBatch
from lit_cnn.detection.canvas import Canvas
from lit_cnn.detection.preprocessing import CanvasPreprocessing
from lit_cnn.detection.resuming import annotations_state, require_same_annotations
from lit_cnn.detection.summary import BoxSummary


@dataclass(eq=False, repr=False)
class DetectionData(BoxAugmentation, PlannedData):
    """Annotated images as batches of the recipe's making.

    Every image is fitted into one canvas. Batches travel as uint8 and are normalized, and in training mixed, on the
    device. Every random decision follows from ``seed`` and the image, so the batches are the same for any number of
    workers, devices and accumulated batches, and after any interruption. What changes training images is given by
    keyword, see ``BoxAugmentation``.

    Args:
        path: folder of the images and their annotations; a relative one is also looked up under $LIT_CNN_DATA.
        layout: voc (Pascal VOC), coco, yolo, or auto for the one that the folder has.
        canvas: height and width in pixels of what every image is fitted into, keeping its aspect ratio.
        batch_size: images of one optimizer step over all devices and accumulated batches.
        eval_batch_size: images of one evaluation batch on one device; null takes batch_size divided by the devices.
        workers: processes that prepare images; null takes up to 8, one for each core that the process may use.
        seed: key of order, augmentation and mixing.
        val_fraction: share of the training images held out, by a hash of their paths, where there is no validation
            split.
        group_by: images that belong together, such as those of a patient, and are held out together: a regular
            expression over the path, whose first group (or whole match) names the group; null holds out single images.
        trainval: take training and validation images together for training, as Pascal VOC's figures do, and hold out of
            all of them.
        drop_last: leave out the incomplete last batch of an epoch.
        on_error: what a file that cannot be decoded does: stop ends the run and names it, skip leaves it out of losses
            and metrics.
        levels: the numbers [low, high] that files hold for black and white, as in the data of a classification.
        background: what is under transparent pixels: white, black, gray or [r, g, b]; null shows the colors hidden in
            them.
        color_profile: convert the colors of an embedded profile to sRGB, or ignore it.
        max_pixels: pixels from which on a file is refused, since a small one could ask for all memory; null for none.
        normalize: statistics that normalize pixels; null takes ImageNet's. The canvas has the mean's color where no
            image is.

    Raises:
        ValueError: naming the field whose value is impossible.
    """

    batch_kind = BoxBatch

    path: str
    layout: Layout = "auto"
    canvas: tuple[int, int] = (512, 512)
    batch_size: int = 16
    eval_batch_size: int | None = None
    workers: int | None = None
    seed: int = 0
    val_fraction: float = 0.1
    group_by: str | None = None
    trainval: bool = False
    drop_last: bool = True
    on_error: OnError = "stop"
    levels: Levels = None
    background: Background = "white"
    color_profile: ColorProfile = "convert"
    max_pixels: int | None = MAX_PIXELS
    normalize: Normalize = field(default_factory=Normalize, kw_only=True)

    in_channels = 3
    """Color: gray files become it by copying."""

    def __post_init__(self) -> None:
        PlannedData.__init__(self)
        for name in ("batch_size", "eval_batch_size", "workers", "max_pixels"):
            value, least = getattr(self, name), 0 if name == "workers" else 1
            require(value is None or value >= least, name, value, f"at least {least}")
        require(self.layout in get_args(Layout), "layout", self.layout, "auto, voc, coco or yolo")
        require(self.on_error in get_args(OnError), "on_error", self.on_error, "stop or skip")
        known = self.color_profile in get_args(ColorProfile)
        require(known, "color_profile", self.color_profile, "convert or ignore")
        require(len(self.canvas) == 2, "canvas", self.canvas, "[height, width]")
        self.canvas = (self.canvas[0], self.canvas[1])
        self.levels = checked_levels(self.levels)
        self.normalize.require_channels(self.in_channels, "a detection recipe")
        self._hold_out()
        self.preprocessing.frame  # noqa: B018  # refuses impossible sides
        self._loaded: Annotated | None = None
        self._resumed: dict[str, Any] = {}
        self._annotations: dict[str, Any] = {}

    def _hold_out(self) -> HoldOut:
        return HoldOut(self.val_fraction, "hash", self.group_by)

    # -- the source -------------------------------------------------------------------------------------------------

    def setup(self, stage: str | None = None) -> None:
        """Read the annotations once; needs no trainer."""
        if self._loaded is None:
            annotated = read_annotations(resolve_data_path(self.path), self.layout)
            self._require_readable(annotated)
            self._loaded = with_validation(annotated, self._hold_out(), trainval=self.trainval)

    def use(self, annotated: Annotated) -> None:
        """Take images that are read already instead of those of ``path``; nothing is held out of them.

        Raises:
            ValueError: If a file of them cannot be read and ``on_error`` is stop.
        """
        self._require_readable(annotated)
        self._loaded = annotated

    def _require_readable(self, annotated: Annotated) -> None:
        """Files that reading has come upon already end the run as one of the loader would."""
        for kind in ("unreadable image", "unreadable annotation") if self.on_error == "stop" else ():
            for split in annotated.splits.values():
                for sentence in split.findings.get(kind, ()):
                    raise ValueError(f"{sentence.removesuffix(': left out')}, or set data.on_error to skip")

    @property
    def loaded(self) -> Annotated:
        """The annotated images, read at first use."""
        self.setup()
        assert self._loaded is not None
        return self._loaded

    @property
    def summary(self) -> BoxSummary:
        """What the folder turned out to be."""
        return BoxSummary.of(self.loaded, self.canvas)

    @property
    def class_names(self) -> list[str]:
        """K names in the order of the labels."""
        return list(self.loaded.class_names)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch."""
        return TrainSampler(self.train_size, self.batch_size, drop_last=self.drop_last).steps

    @property
    def preprocessing(self) -> CanvasPreprocessing:
        """What a checkpoint stores and prediction applies."""
        mean, std = (self.normalize.mean or IMAGENET_STATISTICS[0]), (self.normalize.std or IMAGENET_STATISTICS[1])
        red, green, blue = (round(255 * value) for value in mean)
        return CanvasPreprocessing(
            canvas=self.canvas,
            mean=tuple(mean),
            std=tuple(std),
            fill=(red, green, blue),
            levels=self.levels,
            background=background_color(self.background),
            color_profile=self.color_profile,
        )

    @property
    def frame(self) -> Canvas:
        """The canvas that fits images into itself."""
        return self.preprocessing.frame

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps to compare with at resume and to recognize the images it was trained on."""
        if not self._annotations:
            self._annotations = annotations_state(self.loaded)
        return {**self._annotations, "accumulation": self._accumulation()}

    # -- loaders ----------------------------------------------------------------------------------------------------

    def train_dataloader(self) -> PlannedLoader:
        """Micro-batches of this rank, from where the trainer stands.

        Raises:
            ValueError: if batch_size does not divide by devices x accumulation or exceeds the training set, or if the
                data of a resumed run has changed (see ``require_same_annotations``).
        """
        rank, world_size = self.ranks()
        epoch, first = progress(self.trainer)
        require_same_annotations(self._resumed, self.state_dict(), self.loaded, self.trainer)
        sampler = TrainSampler(
            self.train_size,
            self.batch_size,
            rank=rank,
            world_size=world_size,
            accumulation=self._accumulation(),
            seed=self.seed,
            drop_last=self.drop_last,
            epoch=epoch,
            first=first,
        )
        batches = self._batches(self.loaded.train, BoxTransform(self, self.frame, self.seed))
        return make_loader(batches, sampler, self.loader_workers(), fixed=self.overfits())  # type: ignore[arg-type]

    def evaluation_batches(self, split: AnnotatedSplit) -> BoxBatches:
        return self._batches(split)

    def _batches(self, split: AnnotatedSplit, transform: BoxTransform | None = None) -> BoxBatches:
        return BoxBatches(split, self.preprocessing, transform, self.on_error, self.max_pixels)

    def _accumulation(self) -> int:
        return 1 if self.trainer is None else self.trainer.accumulate_grad_batches

    @property
    def loader_facts(self) -> LoaderFacts:
        """How the training loader is set."""
        return LoaderFacts("files", self.loader_workers(), self.process_cores(), "full")

    # -- on the device ----------------------------------------------------------------------------------------------

    def prepare(self, batch: BoxBatch, *, training: bool, step: int, epoch: int) -> BoxBatch:
        """The batch as the network sees it: normalized and, in training, mixed with the key of the optimizer step."""
        batch = batch._replace(images=self.normalized(batch.images))
        if not training or not self.mixup.active(epoch):
            return batch
        return mix_boxes(batch, self.mixup, (self.seed, step), self.batch_size)
