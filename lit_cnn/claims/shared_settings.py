"""What the trainings of claims share: small images, one device, float32, and the grid of learning rates."""

from lit_cnn.claims.claim import Bench, Images, Settings

RATE = "model.optimizer.learning_rate"
RATES: tuple[Settings, ...] = tuple({RATE: rate} for rate in (0.03, 0.1, 0.3))
"""The grid of every arm; rates of 64 images."""
NARROW: Settings = {"model.options.widths": (8, 16, 32)}
"""Half of the CIFAR nets' widths."""
GPU_IMAGES, GPU_BATCH = 40_000, 128
GPU_LAYER_MS = 0.3
"""Estimated milliseconds of a training step for each learnable layer on one GPU: about 25 launches of 10 µs, which
take longer than the arithmetic of nets on 32 px. It was not measured."""
PAPER_RATE: Settings = {"model.optimizer.base_batch_size": GPU_BATCH}
"""The paper's rate of the CIFAR ResNets, 0.1 at 128 images, where there is no grid."""
LEAST_CURVE = 4
"""Validations of a run, at least, so that its curve can be drawn."""


def cifar_bench(
    train: int, epochs: int, settings: Settings | None = None, *, image_size: int = 16, on_training: bool = False
) -> Bench:
    """CIFAR-10 on one core: momentum SGD on batches of 64, a cosine with a warm-up of one epoch, padded crops, flips.

    Args:
        train: Training images.
        epochs: Of every run.
        settings: On top.
        image_size: Side in px; the padding of the crop is an eighth of it.
        on_training: Training images judge, without augmentation.
    """
    images = Images("cifar10", train, "training" if on_training else "held_out")
    return Bench("cifar10_resnet20", {**_shared(epochs), **_sized(image_size), **(settings or {})}, images)


def digits_bench(train: int, epochs: int, settings: Settings | None = None, *, on_training: bool = False) -> Bench:
    """scikit-learn's digits in their 8 × 8 px; the rest as in ``cifar_bench``, without flips."""
    images = Images("digits", train, "training" if on_training else "held_out")
    own: Settings = {"data.flip.horizontal": 0.0}
    return Bench("cifar10_resnet20", {**_shared(epochs), **_sized(8), **own, **(settings or {})}, images)


def gpu_bench(epochs: int, settings: Settings | None = None, *, on_training: bool = False) -> Bench:
    """CIFAR-10 in 32 px with batches of 128 on one GPU, 40,000 images."""
    own: Settings = {"trainer.accelerator": "gpu", "trainer.precision": "bf16-mixed", "data.batch_size": GPU_BATCH}
    images = Images("cifar10", GPU_IMAGES, "training" if on_training else "held_out")
    return Bench("cifar10_resnet20", {**_shared(epochs), **_sized(32), **own, **(settings or {})}, images)


def gpu_minutes(runs: int, epochs: int, layers: int) -> float:
    """Estimated minutes of one GPU, by the steps of all runs and ``GPU_LAYER_MS`` for each learnable layer.

    >>> gpu_minutes(16, 60, 28)
    42
    """
    return round(runs * epochs * (GPU_IMAGES // GPU_BATCH) * layers * GPU_LAYER_MS / 60_000)


def _shared(epochs: int) -> Settings:
    return {
        "trainer.max_epochs": epochs,
        "trainer.check_val_every_n_epoch": max(n for n in range(1, epochs // LEAST_CURVE + 2) if epochs % n == 0),
        "trainer.accelerator": "cpu",
        "trainer.devices": 1,
        "trainer.precision": "32-true",
        "model.optimizer.learning_rate": 0.1,
        "model.optimizer.base_batch_size": 64,
        "model.optimizer.nesterov": True,
        "model.optimizer.weight_decay": 5.0e-4,
        "model.schedule.name": "cosine",
        "model.schedule.warmup_epochs": 1,
        "data.batch_size": 64,
        "data.workers": 0,
    }


def _sized(image_size: int) -> Settings:
    return {"data.image_size": image_size, "data.crop.padding": max(image_size // 8, 1)}
