"""Data sets that turn a ``BatchPlan`` into a ``Batch``, and the loaders over them. All of it can be pickled."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, SequentialSampler

from lit_cnn.data.augmentation.draws import Draws
from lit_cnn.data.augmentation.pipeline import Pipeline, TrainingSettings, TrainingTransform
from lit_cnn.data.augmentation.plan import Stage
from lit_cnn.data.batch import SKIPPED, Batch
from lit_cnn.data.loading.oversized import naming_by_size
from lit_cnn.data.loading.sampling import BatchPlan
from lit_cnn.data.loading.workers import leave_signals_to_the_parent
from lit_cnn.data.preprocessing import EvaluationTransform, Preprocessing, evaluate_images
from lit_cnn.data.settings import Decode, OnError
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import AnyImage, BrokenImage, attempt
from lit_cnn.data.sources.load import EncodedSplit
from lit_cnn.data.sources.pillow_limits import MAX_PIXELS


class PlannedBatches(Protocol):
    """A data set addressed by plans."""

    def __getitem__(self, plan: BatchPlan) -> Batch: ...


def _batch(images: Tensor, labels: Tensor, plan: BatchPlan) -> Batch:
    index, position = torch.from_numpy(plan.index), torch.from_numpy(plan.position)
    return Batch(images, labels, index, position, torch.tensor(plan.weight, dtype=torch.float32))


def _rows(plan: BatchPlan) -> np.ndarray:
    """Rows to read: padding shows sample 0."""
    return plan.index.clip(min=0)


class ArrayBatches(Dataset[Batch]):
    """Batches of an in-memory split.

    Args:
        split: images and labels.
        preprocessing: what evaluation sees.
        training: what training sees; None prepares each batch for evaluation.
    """

    def __init__(
        self, split: ArraySplit, preprocessing: Preprocessing, training: TrainingSettings | None = None
    ) -> None:
        self.split, self.preprocessing, self.training = split, preprocessing, training
        self.pipelines = {} if training is None else training.pipelines()

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        rows = torch.from_numpy(_rows(plan))
        batch = _batch(self.split.images[rows], self.split.labels[rows], plan)
        training = self.training
        if training is None:
            return batch._replace(images=evaluate_images(batch.images, self.preprocessing))
        pipeline = self.pipelines[training.epoch_plan.at(plan.epoch)]
        draws = Draws(training.seed, plan.epoch, rows, torch.from_numpy(plan.repeat))
        if not training.mixes:
            return batch._replace(images=pipeline.augment_batch(batch.images, draws))
        framed = batch._replace(images=pipeline.frame_batch(batch.images, draws))
        mixed = pipeline.mix_batch(framed, training.num_classes, (training.seed, plan.step))
        return mixed._replace(images=pipeline.distort_batch(mixed.images, draws))


class FolderBatches(Dataset[Batch]):
    """Batches of image files, loose or packed; the parameters of ``ArrayBatches``, and what to do with a broken file.

    Args:
        on_error: stop raises a ValueError that names the file; skip warns once of each and yields a blank sample of
            index ``SKIPPED``.
        decode: scale at which training images are decoded.
        max_pixels: pixels from which on a file counts as broken; None for no limit.
    """

    def __init__(
        self,
        split: EncodedSplit,
        preprocessing: Preprocessing,
        training: TrainingSettings | None = None,
        on_error: OnError = "stop",
        decode: Decode = "full",
        max_pixels: int | None = MAX_PIXELS,
    ) -> None:
        self.split, self.on_error = split, on_error
        self.pixel_format = replace(preprocessing.pixel_format, max_pixels=max_pixels)
        self.evaluation, self.training = EvaluationTransform(preprocessing), training
        self.pipelines: dict[Stage, Pipeline] = {}
        self.transforms: dict[Stage, TrainingTransform] = {}
        sides = preprocessing.image_size
        if training is not None:
            self.pipelines, sides = training.pipelines(), training.pipeline.sides
            self.transforms = {
                stage: TrainingTransform(pipeline, training.seed, decode) for stage, pipeline in self.pipelines.items()
            }
        self.blank = torch.zeros(self.pixel_format.channels, *sides, dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        rows = _rows(plan)
        labels = self.split.labels[torch.from_numpy(rows)]
        training = self.training
        if training is None:
            images, plan = self._prepared(rows, plan, [self.evaluation] * len(rows))
            return _batch(images, labels, plan)
        stage = training.epoch_plan.at(plan.epoch)
        transform = self.transforms[stage]
        keys = [(plan.epoch, row, repeat) for row, repeat in zip(rows.tolist(), plan.repeat.tolist(), strict=True)]
        apply = transform.frame if training.mixes else transform
        images, plan = self._prepared(rows, plan, [partial(_keyed, apply, key) for key in keys])
        batch = _batch(images, labels, plan)
        if not training.mixes:
            return batch
        mixed = self.pipelines[stage].mix_batch(batch, training.num_classes, (training.seed, plan.step))
        pairs = zip(mixed.images, keys, strict=True)
        return mixed._replace(images=_stacked([transform.distort(image, *key) for image, key in pairs]))

    def _prepared(
        self, rows: np.ndarray, plan: BatchPlan, steps: Sequence[Callable[[AnyImage], Tensor]]
    ) -> tuple[Tensor, BatchPlan]:
        """The files of some rows decoded and prepared (N, C, H, W), and the plan with the broken ones marked, which a
        blank image stands for."""
        images, broken = [], np.zeros(len(rows), dtype=bool)
        for place, (row, step) in enumerate(zip(rows.tolist(), steps, strict=True)):
            image = attempt(partial(self._read, row, step))
            if not isinstance(image, Tensor):
                if self.on_error == "stop":
                    raise image.with_advice(image.in_training) if isinstance(image, BrokenImage) else image
                warnings.warn(f"skipped: {image}", stacklevel=1)  # the same one is shown once
                broken[place] = True
                image = step(self.blank)
            images.append(image)
        return _stacked(images), replace(plan, index=np.where(broken & (plan.index >= 0), SKIPPED, plan.index))

    def _read(self, row: int, step: Callable[[AnyImage], Tensor]) -> Tensor:
        image = self.split.read(row, self.pixel_format)
        with naming_by_size(image):
            return step(image)


def _stacked(images: list[Tensor]) -> Tensor:
    """(N, C, H, W) in channels_last: decoders put the channels of a pixel together, and moving them apart takes as long
    as the augmentation."""
    return torch.stack([image.permute(1, 2, 0) for image in images]).permute(0, 3, 1, 2)


def _keyed(apply: Callable[..., Tensor], key: tuple[int, int, int], image: AnyImage) -> Tensor:
    return apply(image, *key)


class PlannedLoader(DataLoader[Batch]):
    """A loader over plans that Lightning may save and restore; its position follows from the trainer's progress."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing of its own."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing to restore."""


def unchanged(batch: Batch) -> Batch:
    """The data set makes whole batches, so there is nothing to collate."""
    return batch


class FixedBatches(Dataset[Batch]):
    """The batches of a list of plans, by number: the same in every epoch, as ``Trainer(overfit_batches=…)`` wants them.

    Args:
        dataset: What makes a batch of a plan.
        plans: One for each batch.
    """

    def __init__(self, dataset: PlannedBatches, plans: Iterable[BatchPlan]) -> None:
        self.dataset, self.plans = dataset, list(plans)

    def __len__(self) -> int:
        return len(self.plans)

    def __getitem__(self, number: int) -> Batch:
        return self.dataset[self.plans[number]]


def make_loader(
    dataset: PlannedBatches, sampler: Sampler[BatchPlan], workers: int, *, fixed: bool = False
) -> PlannedLoader:
    """A loader that asks ``dataset`` for the sampler's plans in ``workers`` processes (0: in this one).

    Args:
        dataset: What makes a batch of a plan.
        sampler: The plans of an epoch.
        workers: Processes.
        fixed: Whether every epoch has the plans of this one.
    """
    if fixed:
        dataset = FixedBatches(dataset, sampler)  # type: ignore[assignment]
        sampler = SequentialSampler(dataset)  # type: ignore[assignment,arg-type]
    return PlannedLoader(
        dataset,  # type: ignore[arg-type]
        batch_size=None,
        sampler=sampler,
        num_workers=workers,
        collate_fn=unchanged,  # type: ignore[arg-type]
        persistent_workers=workers > 0,
        worker_init_fn=leave_signals_to_the_parent,
        pin_memory=torch.cuda.is_available(),
    )
