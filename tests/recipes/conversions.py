"""From a fact of tests/facts/recipes.json, as its source prints it, to the value of a recipe's key."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Key = str | tuple[str, Callable[[Any], Any]]
IMAGENET = 1_281_167


def optimizer(text: str) -> str:
    return next(name for name in ("rmsprop", "lamb", "sgd") if name in text.lower())


def epochs_at(batch_size: int) -> Callable[[int], int]:
    return lambda iterations: round(iterations * batch_size / IMAGENET)


def survival(probability: float) -> float:
    return round(1 - probability, 12)


def layers_copied(text: str) -> dict[str, int]:
    found = re.search(r"first (\d+) conv layers and last (\d+) FC layers", text)
    return {} if found is None else {"convolutions": int(found.group(1)), "linears": int(found.group(2))}


def twice(side: float) -> list[float]:
    return [side, side]


SCHEDULES = {
    "divide by 10 when validation error stops improving": {"name": "plateau"},
    "annealed manually on validation plateau": {"name": "plateau"},
    "divide by 10 when validation accuracy stops improving, 3 times": {"name": "plateau", "plateau_drops": 3},
    "divide by 10 on plateau": {"name": "plateau"},
    "decrease 4 percent every 8 epochs": {"name": "exponential", "decay_rate": 0.96, "decay_epochs": 8},
    "polynomial power 0.5, 2.4M iterations": {"name": "polynomial", "power": 0.5},
    "divide by 10 every 30 epochs": {"name": "step", "step_epochs": [30, 60], "step_factor": 0.1},
    "x0.98 per epoch": {"name": "exponential", "decay_rate": 0.98, "decay_epochs": 1},
    "x0.94 every 2.5 epochs, staircase": {"decay_rate": 0.94, "decay_epochs": 2.5, "staircase": True},
    "x0.96 every 2.5 epochs": {"name": "exponential", "decay_rate": 0.96, "decay_epochs": 2.5},
    "x0.97 every 2.4 epochs, staircase": {"decay_rate": 0.97, "decay_epochs": 2.4, "staircase": True},
    "x0.97 every 2.4 epochs": {"name": "exponential", "decay_rate": 0.97, "decay_epochs": 2.4},
    "linear to 0": {"name": "polynomial", "power": 1, "final_factor": 0},
    "cosine": {"name": "cosine", "final_factor": 0},
    "cosine to 0": {"name": "cosine", "final_factor": 0},
    "step": {"name": "step"},
    "step: x0.1 at 30/60/80 of 90 scaled epochs": {
        "name": "step",
        "step_epochs": [round(epoch * 350 / 90, 3) for epoch in (30, 60, 80)],
        "step_factor": 0.1,
    },
    "divide by 10 three times (as fb.resnet.torch)": {"name": "step", "step_factor": 0.1},
}
SPARED = {
    "none stated (BVLC prototxt: biases have decay multiplier 0, lr multiplier 2)": "none",
    "batch-norm variables only; SE and classifier biases are decayed (released code)": "norm",
    "batch-norm": "norm",
    "WS gains and biases": "norm_and_bias",
    "bias, gamma, beta in released code (paper silent)": "norm_and_bias",
    "bias and norm": "norm_and_bias",
    "batch norm and biases (only tensors with more than one dimension decay)": "norm_and_bias",
    "1e-4 on all weights, biases and BN affine": "none",
}


def of_100_epochs(text: str) -> dict[str, Any]:
    """A schedule of SCHEDULES over 100 instead of 90 epochs."""
    return {**SCHEDULES[text], "step_epochs": [30, 60, 90]}


POLICIES = {"AutoAugment v0 policy; area 8-100 percent, flip": "imagenet_v0", "trivial augment wide": "trivial"}
PROCEDURE: dict[str, Key] = {"optimizer.name": ("model.optimizer.name", optimizer)}
MOMENTUM: dict[str, Key] = {**PROCEDURE, "optimizer.momentum": "model.optimizer.momentum"}
NESTEROV: dict[str, Key] = {**MOMENTUM, "optimizer.nesterov": "model.optimizer.nesterov"}
RMSPROP: dict[str, Key] = {**MOMENTUM, "optimizer.decay": "model.optimizer.rho"}
SCHEDULE: dict[str, Key] = {"lr_schedule": ("model.schedule", SCHEDULES.__getitem__)}
SMOOTHING: dict[str, Key] = {"label_smoothing": "model.loss.label_smoothing"}
EMA: dict[str, Key] = {"ema_decay": "ema.decay"}
RATE: dict[str, Key] = {"learning_rate": "rate", "batch_size_images": "data.batch_size"}
DECAY: dict[str, Key] = {"weight_decay": "model.optimizer.weight_decay"}
DECAY_OF: dict[str, Key] = {
    **DECAY,
    "weight_decay_excluded": ("model.optimizer.decay_excluded", SPARED.__getitem__),
}
EPOCHS: dict[str, Key] = {"epochs": "trainer.max_epochs"}
WARMUP: dict[str, Key] = {"warmup_epochs": "model.schedule.warmup_epochs"}
SIZE: dict[str, Key] = {"train_resolution_px": "data.image_size"}
DROPOUT: dict[str, Key] = {"dropout_rate": "model.options.dropout"}
FLIP: dict[str, Key] = {"augmentation.horizontal_flip": ("data.flip.horizontal", lambda flips: 0.5 if flips else 0.0)}
CIFAR_CROP: dict[str, Key] = {
    "augmentation.pad_px": "data.crop.padding",
    "augmentation.random_crop_px": "data.image_size",
    **FLIP,
}
AUXILIARY: dict[str, Key] = {"aux_loss_weight": "model.loss.auxiliary_weight"}
TPU_TABLE: dict[str, Key] = {
    **EPOCHS,
    **RATE,
    **SCHEDULE,
    **WARMUP,
    **DECAY,
    **SMOOTHING,
    **DROPOUT,
    "top1_percent": "about.value",
}


def below(prefix: str, keys: Mapping[str, Key]) -> dict[str, Key]:
    """The same keys for facts that stand below ``prefix``."""
    return {f"{prefix}.{path}": key for path, key in keys.items()}
