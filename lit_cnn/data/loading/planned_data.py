"""What data of every task have in common for Lightning: where the trainer stands, loaders over plans of batches, and
batches that travel as uint8 and become what the network sees on the device."""

from dataclasses import replace
from typing import Any, ClassVar

import lightning
import torch
from torch import Tensor

from lit_cnn.data.loading.datasets import PlannedLoader, make_loader
from lit_cnn.data.loading.sampling import EvalSampler
from lit_cnn.data.loading.workers import available_cores, default_workers
from lit_cnn.data.normalization import denormalize, normalize
from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.lightning_internals import overfits_batches


class PlannedData(lightning.LightningDataModule):
    """Training, validation and test images as batches that follow from plans."""

    batch_size: int
    eval_batch_size: int | None
    workers: int | None
    max_pixels: int | None
    batch_kind: ClassVar[type]
    """The tuple that a loader yields; it has ``images``."""

    @property
    def loaded(self) -> Any:
        """The splits, read at first use: ``train``, ``val``, ``test`` or None, and ``origin``."""
        raise NotImplementedError

    @property
    def preprocessing(self) -> Any:
        """What a checkpoint stores and prediction applies."""
        raise NotImplementedError

    @property
    def class_names(self) -> list[str]:
        """K names in the order of the labels."""
        raise NotImplementedError

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)

    @property
    def train_size(self) -> int:
        """Number of training images."""
        return len(self.loaded.train)

    @property
    def pixel_format(self) -> PixelFormat:
        """What the pixels of a file become, and from how many on it is refused."""
        return replace(self.preprocessing.pixel_format, max_pixels=self.max_pixels)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep what ``train_dataloader`` compares, which knows where the trainer stands."""
        self._resumed = state_dict

    # -- loaders ----------------------------------------------------------------------------------------------------

    def val_dataloader(self) -> PlannedLoader:
        """Every validation image exactly once over all ranks."""
        return self._eval_loader(self.loaded.val)

    def test_dataloader(self) -> PlannedLoader:
        """Every test image exactly once over all ranks.

        Raises:
            ValueError: if there is no test split.
        """
        if self.loaded.test is None:
            raise ValueError(f"{self.loaded.origin} has no test split; validate instead")
        return self._eval_loader(self.loaded.test)

    def predict_dataloader(self) -> PlannedLoader:
        """The validation images, which ``trainer.predict`` takes."""
        return self.val_dataloader()

    def _eval_loader(self, split: Any) -> PlannedLoader:
        rank, world_size = self.ranks()
        batch = self.eval_batch_size or max(1, self.batch_size // world_size)
        sampler = EvalSampler(len(split), batch, rank, world_size)
        return make_loader(self.evaluation_batches(split), sampler, self.loader_workers(), fixed=self.overfits())

    def evaluation_batches(self, split: Any) -> Any:
        """Batches of a split as evaluation sees them."""
        raise NotImplementedError

    def ranks(self) -> tuple[int, int]:
        """Number of this process, and how many there are."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def overfits(self) -> bool:
        """Whether the trainer asks for the same few batches in every epoch."""
        repeated = self.trainer is not None and overfits_batches(self.trainer)
        if repeated and self.ranks()[1] > 1:
            raise ValueError("trainer.overfit_batches repeats the batches of one device: set trainer.devices to 1")
        return repeated

    def process_cores(self) -> int:
        """Cores for each training process of the machine."""
        return max(1, available_cores() // (1 if self.trainer is None else max(1, self.trainer.num_devices)))

    def loader_workers(self) -> int:
        """Processes that prepare images."""
        in_memory = self.in_memory()
        return (
            default_workers(in_memory=in_memory, cores=self.process_cores()) if self.workers is None else self.workers
        )

    def in_memory(self) -> bool:
        """Whether the training images are arrays, which need no decoding."""
        return False

    # -- on the device ----------------------------------------------------------------------------------------------

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Normalize to float channels_last and, in training, mix. What holds no uint8 images passes unchanged."""
        if not isinstance(batch, self.batch_kind) or batch.images.dtype != torch.uint8:  # type: ignore[attr-defined]
            return batch
        trainer = self.trainer
        training = trainer is not None and bool(trainer.training)
        step, epoch = (trainer.global_step, trainer.current_epoch) if training and trainer is not None else (0, 0)
        return self.prepare(batch, training=training, step=step, epoch=epoch)

    def prepare(self, batch: Any, *, training: bool, step: int, epoch: int) -> Any:
        """The batch as the network sees it."""
        raise NotImplementedError

    def normalized(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) -> float32 channels_last, (pixel / 255 - mean) / std."""
        preprocessing = self.preprocessing
        return normalize(images, preprocessing.mean, preprocessing.std)

    def denormalize(self, images: Tensor) -> Tensor:
        """Undo ``normalized`` for pictures: float (N, C, H, W) -> uint8, rounded and clamped."""
        preprocessing = self.preprocessing
        return denormalize(images, preprocessing.mean, preprocessing.std)
