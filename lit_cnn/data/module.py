"""ImageData: a source, its augmentation and its batches, for Lightning."""

from dataclasses import dataclass, field, fields
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from lit_cnn.data.augmentation.pipeline import Augmentation, Pipeline, TrainingSettings
from lit_cnn.data.augmentation.plan import EpochPlan, Stage
from lit_cnn.data.batch import Batch
from lit_cnn.data.image_size import ImageSize, Sides, sides_of
from lit_cnn.data.loading.datasets import ArrayBatches, FolderBatches, PlannedLoader, make_loader
from lit_cnn.data.loading.doctor import LoaderFacts
from lit_cnn.data.loading.fingerprints import Fingerprints
from lit_cnn.data.loading.planned_data import PlannedData
from lit_cnn.data.loading.resuming import data_state, fingerprints, progress, require_resumable
from lit_cnn.data.loading.sampling import BatchPlan, TrainSampler
from lit_cnn.data.preprocessing import Preprocessing
from lit_cnn.data.settings import (
    Background,
    Decode,
    Evaluation,
    Normalize,
    OnError,
    background_color,
    checked_levels,
    require,
    require_image_size,
)
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.bit_depth import Levels
from lit_cnn.data.sources.channels import StatedChannels, require_channels, stated_channels, with_channels
from lit_cnn.data.sources.decoding import ColorProfile
from lit_cnn.data.sources.holdout import HoldOut, HoldOutRule
from lit_cnn.data.sources.load import Source, SourceName, Split, load_source
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS
from lit_cnn.data.sources.shards import ShardSplit
from lit_cnn.data.summary import DataSummary


@dataclass(eq=False, repr=False)
class ImageData(Augmentation, PlannedData):
    """Images of a source as batches of the recipe's making.

    Batches travel as uint8 and are normalized, and in training mixed, on the device. Every random decision follows from
    ``seed`` and the sample, so the batches are the same for any number of workers, devices and accumulated batches, and
    after any interruption. What changes training images is given by keyword, see ``Augmentation``. The attribute
    ``stages`` (empty: none) lets image size, RandAugment's magnitude and the alphas of mixing change with the epoch;
    set it before the training loader is made.

    Args:
        source: digits, npz, cifar10, cifar100, imagefolder (folders of classes, or a list of files), list (a CSV, TSV
            or text file of files and their classes), huggingface (what the datasets library reads), or litdata for what
            lit-cnn data pack has written.
        path: file or folder of the source, for litdata also a URL, for huggingface also a name on the Hub; relative
            ones are also looked up under $LIT_CNN_DATA.
        image_size: size in pixels of the images that the network sees in training: the side of a square, or [height,
            width].
        batch_size: images of one optimizer step over all devices and accumulated batches.
        eval_batch_size: images of one evaluation batch on one device; null takes batch_size divided by the devices.
        workers: processes that prepare images; null takes none for sets in memory, else up to 8, one for
            each core that the process may use.
        seed: key of order, augmentation and mixing.
        in_channels: channels of the images that the network sees: 1 for gray, 3 for RGB, 4 for RGB with alpha or four
            channels of an npz; null takes the source's, which for files is 3. Gray becomes RGB by copying, RGB gray by
            its luma. The default statistics of gray files are the mean of ImageNet's three, 0.449 and 0.226; those of
            files with alpha are measured on 100 training images.
        val_fraction: share of the training images held out where the source has no validation split; of the digits 0.2
            always is.
        hold_out: how files are held out: hash goes by class and path of each, so that files or classes that are added,
            removed or renamed move no others; rows is what runs did before, and what sets in memory do.
        group_by: images that belong together, such as those of a patient, and are held out together: a regular
            expression over the path below the training folder, whose first group (or whole match) names the group, such
            as "patient_(\\d+)", or column:NAME of a list; null holds out single images.
        drop_last: leave out the incomplete last batch of an epoch.
        repeats: copies of each image, augmented differently, in the batch of one optimizer step (repeated augmentation,
            Hoffer et al. 2020); the steps of an epoch stay the same, so it sees about 1/repeats of the images.
        on_error: what a file that cannot be decoded does: stop ends the run and names it, skip leaves it out of losses
            and metrics and counts it in every epoch's line.
        file_index: keep the list of an image folder's files in ~/.cache/lit-cnn, so that the next start need not list
            them; it is ignored once a directory of the folder has changed, and not kept where the file system does not
            show such changes.
        decode: full, or reduced to decode training JPEGs at 1/2, 1/4 or 1/8 of their sides where the part that the crop
            keeps stays at least as large as the result; faster for large files, but the pixels are not the same.
        levels: the numbers [low, high] that files hold for black and white, such as [0, 4095] of 12-bit images in
            16-bit files or [-1000, 2000] of CT: each becomes (number - low) / (high - low), clamped, times 255; null
            takes the whole range that a file can hold, 0 to 255 or 0 to 65535. (clip, as older versions did: 32-bit
            numbers outside 0 to 65535 count as its ends instead of being refused.)
        background: what is under transparent pixels: white, black, gray or [r, g, b]; null shows the colors hidden in
            them, as older versions did.
        color_profile: convert the colors of an embedded profile (Display P3, Adobe RGB, CMYK, …) to sRGB, or ignore it,
            as older versions did.
        max_pixels: pixels from which on a file is refused, since a small one could ask for all memory; null for none.
        normalize: statistics that normalize pixels.
        evaluation: what the network sees in validation, test and prediction.

    Raises:
        ValueError: naming the field whose value is impossible.
    """

    batch_kind = Batch

    source: SourceName
    path: str | None = None
    image_size: ImageSize = 224
    batch_size: int = 256
    eval_batch_size: int | None = None
    workers: int | None = None
    seed: int = 0
    in_channels: int | None = StatedChannels()  # type: ignore[assignment]
    val_fraction: float = 0.1
    drop_last: bool = True
    repeats: int = 1
    on_error: OnError = "stop"
    file_index: bool = True
    decode: Decode = "full"
    levels: Levels = None
    background: Background = "white"
    color_profile: ColorProfile = "convert"
    max_pixels: int | None = MAX_PIXELS
    hold_out: HoldOutRule = "hash"
    group_by: str | None = None
    normalize: Normalize = field(default_factory=Normalize, kw_only=True)
    evaluation: Evaluation = field(default_factory=Evaluation, kw_only=True)

    def __post_init__(self) -> None:
        PlannedData.__init__(self)
        require_image_size("image_size", self.image_size)
        for name in ("batch_size", "eval_batch_size", "workers", "repeats", "max_pixels"):
            value, least = getattr(self, name), 0 if name == "workers" else 1
            require(value is None or value >= least, name, value, f"at least {least}")
        require_channels(stated_channels(self))
        require(self.on_error in get_args(OnError), "on_error", self.on_error, "stop or skip")
        require(self.decode in get_args(Decode), "decode", self.decode, "full or reduced")
        HoldOut(self.val_fraction, self.hold_out, self.group_by)  # refuses impossible values
        known = self.color_profile in get_args(ColorProfile)
        require(known, "color_profile", self.color_profile, "convert or ignore")
        self.levels = checked_levels(self.levels)
        background_color(self.background)
        self.crop.require_fit(sides_of(self.image_size))
        self.evaluation.resized_side(self.evaluated_sides)
        self.stages: tuple[Stage, ...] = ()
        self._loaded: Source | None = None
        self._resumed: dict[str, Any] = {}
        self._fingerprints: dict[str, Fingerprints] = {}

    # -- the source -------------------------------------------------------------------------------------------------

    def prepare_data(self) -> None:
        """Load, and where needed download, on one process of the machine before the others."""
        self.setup()

    def setup(self, stage: str | None = None) -> None:
        """Load the source once; needs no trainer."""
        if self._loaded is None:
            loaded = load_source(
                self.source,
                self.path,
                self.val_fraction,
                file_index=self.file_index,
                hold_out=self.hold_out,
                group_by=self.group_by,
            )
            loaded = with_channels(loaded, stated_channels(self))
            self.normalize.require_channels(loaded.in_channels, loaded.origin)
            if isinstance(self.levels, tuple) and isinstance(loaded.train, ArraySplit):
                raise ValueError(
                    f"data.levels is {list(self.levels)}, but the images of {loaded.origin} are arrays of 8-bit levels "
                    "from 0 to 255; set it to null"
                )
            self.require_channels(loaded.in_channels, loaded.origin)
            self._loaded = loaded

    @property
    def loaded(self) -> Source:
        """The source, loaded at first use."""
        self.setup()
        assert self._loaded is not None
        return self._loaded

    @property
    def summary(self) -> DataSummary:
        """What the source turned out to be."""
        return DataSummary.of(self.source, self.loaded)

    @property
    def class_names(self) -> list[str]:
        """K names in the order of the labels."""
        return self.loaded.class_names

    @property
    def class_counts(self) -> Tensor:
        """Training images of each class, int64 (K,)."""
        return torch.bincount(self.loaded.train.labels, minlength=self.num_classes)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch."""
        return TrainSampler(self.train_size, self.batch_size, drop_last=self.drop_last, repeats=self.repeats).steps

    @property
    def evaluated_sides(self) -> Sides:
        """Height and width in pixels of images in evaluation."""
        return sides_of(self.evaluation.image_size or self.image_size)

    @property
    def preprocessing(self) -> Preprocessing:
        """What a checkpoint stores and prediction applies."""
        settings, loaded, size = self.evaluation, self.loaded, self.evaluated_sides
        return Preprocessing(
            image_size=size,
            resize=settings.resized_side(size),
            resize_mode=settings.resize_mode,
            interpolation=settings.interpolation,
            mean=tuple(self.normalize.mean or loaded.mean),
            std=tuple(self.normalize.std or loaded.std),
            in_channels=loaded.in_channels,
            levels=self.levels,
            background=background_color(self.background),
            color_profile=self.color_profile,
        )

    @property
    def pipeline(self) -> Pipeline:
        """What happens to training images by the recipe's own values."""
        augmentation = Augmentation(**{each.name: getattr(self, each.name) for each in fields(Augmentation)})
        fill = tuple(round(255 * value) for value in self.preprocessing.mean)
        return Pipeline(augmentation, self.image_size, fill)

    @property
    def epoch_plan(self) -> EpochPlan:
        """What of it changes with the epoch: ``stages``, and ``mixing.stop_epoch``."""
        return EpochPlan(self.stages or (self.own_stage,)).without_mixing_from(self.mixing.stop_epoch)

    @property
    def own_stage(self) -> Stage:
        """The recipe's own values, which hold in every epoch where there are no ``stages``."""
        return Stage(0, self.image_size, self.rand_augment.magnitude, self.mixup.alpha, self.cutmix.alpha)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps to compare with at resume and to recognize the images it was trained on."""
        if not self._fingerprints:
            self._fingerprints = fingerprints(self.loaded)
        return data_state(self.loaded, self.trainer, self._fingerprints)

    # -- loaders ----------------------------------------------------------------------------------------------------

    def train_dataloader(self) -> PlannedLoader:
        """Micro-batches of this rank, from where the trainer stands.

        Raises:
            ValueError: if batch_size does not divide by devices x accumulation or exceeds the training set, or if the
                data of a resumed run has changed (see ``require_resumable``).
        """
        rank, world_size = self.ranks()
        epoch, first = progress(self.trainer)
        state = self.state_dict()
        require_resumable(self._resumed, state, self.loaded, self.trainer)
        train = self.loaded.train
        sampler = TrainSampler(
            self.train_size,
            self.batch_size,
            rank=rank,
            world_size=world_size,
            accumulation=state["accumulation"],
            seed=self.seed,
            drop_last=self.drop_last,
            epoch=epoch,
            first=first,
            repeats=self.repeats,
            chunks=train.chunks if isinstance(train, ShardSplit) else None,
        )
        training = TrainingSettings(self.pipeline, self.epoch_plan, self.seed, self.num_classes)
        return make_loader(self._batches(train, training), sampler, self.loader_workers(), fixed=self.overfits())

    def evaluation_batches(self, split: Split) -> ArrayBatches | FolderBatches:
        return self._batches(split)

    def in_memory(self) -> bool:
        return isinstance(self.loaded.train, ArraySplit)

    def _batches(self, split: Split, training: TrainingSettings | None = None) -> ArrayBatches | FolderBatches:
        if isinstance(split, ArraySplit):
            return ArrayBatches(split, self.preprocessing, training)
        return FolderBatches(split, self.preprocessing, training, self.on_error, self.decode, self.max_pixels)

    @property
    def loader_facts(self) -> LoaderFacts:
        """How the training loader is set."""
        return LoaderFacts.of(self.loaded.train, self.loader_workers(), self.process_cores(), self.decode)

    def training_images(self, number: int) -> Tensor:
        """Up to ``number`` training images, spread evenly, as the network sees them in evaluation: (N, C, H, W).

        Files that ``on_error`` skips are left out.
        """
        index = np.unique(np.linspace(0, self.train_size - 1, min(number, self.train_size)).round().astype(np.int64))
        zeros = np.zeros_like(index)
        plan = BatchPlan(epoch=0, index=index, repeat=zeros, position=zeros, weight=1.0)
        batch = self._batches(self.loaded.train)[plan]
        return self.normalized(batch.images[batch.index >= 0])

    # -- on the device ----------------------------------------------------------------------------------------------

    def prepare(self, batch: Batch, *, training: bool, step: int, epoch: int) -> Batch:
        """The batch as the network sees it: normalized and, in training, mixed with the key of the optimizer step.

        Under ``mixing.first`` the loader has mixed already.
        """
        batch = batch._replace(images=self.normalized(batch.images))
        if not training or self.mixing.first:
            return batch
        pipeline = self.pipeline.at(self.epoch_plan.at(epoch))
        return pipeline.mix_batch(batch, self.num_classes, (self.seed, step), self.batch_size)
