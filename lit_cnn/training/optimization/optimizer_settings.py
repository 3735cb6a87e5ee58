"""What a recipe says of its optimizer."""

from dataclasses import dataclass
from typing import Literal

from lit_cnn.training.optimization.kernels import KERNELS, Kernel

EPSILON = {"sgd": 0.0, "adamw": 1e-8, "rmsprop": 1e-3, "lamb": 1e-6, "muon": 1e-8}
"""The ``epsilon`` of each optimizer where none is given."""
EXCLUDED = {"norm_and_bias": ("norm", "bias"), "norm": ("norm",), "none": ()}
"""The kinds of parameters that each ``decay_excluded`` spares."""
_OWN_KERNELS = ("rmsprop", "lamb", "muon")
_DECOUPLED = ("adamw", "lamb", "muon")
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "name": tuple(EPSILON),
    "decay": ("coupled", "decoupled", None),
    "decay_scaling": ("learning_rate", "independent"),
    "decay_excluded": tuple(EXCLUDED),
    "kernel": KERNELS,
}


@dataclass(frozen=True)
class OptimizerSettings:
    """Which optimizer updates the weights, how fast, and what it shrinks.

    Args:
        name: sgd; adamw (Adam where decay is coupled); rmsprop as TensorFlow defines it; lamb; muon, which takes
            convolutions and linear layers but the last, and gives Adam the rest.
        learning_rate: Peak learning rate at a global batch of ``base_batch_size`` images.
        base_batch_size: The rate grows linearly with the global batch from this size; null uses the rate as it is.
        momentum: Momentum of sgd, rmsprop and muon.
        nesterov: Nesterov's form of the momentum of sgd and muon; without effect where it is 0.
        betas: Averaging factors of the first and second moment of adamw, lamb and muon's Adam.
        epsilon: Added to the denominator (rmsprop: inside the root); null means 1e-8 for adamw and muon, 1e-3 for
            rmsprop (EfficientNet's value) and 1e-6 for lamb.
        rho: Averaging factor of rmsprop's squared gradients.
        weight_decay: λ, the strength of weight decay.
        decay: coupled adds λθ to the gradient, decoupled shrinks the weights; null means coupled for sgd and rmsprop,
            decoupled for adamw, lamb and muon.
        decay_scaling: Decoupled decay shrinks by the current learning rate times λ, or independent of the rate by λ.
        decay_excluded: Parameters that are not decayed: scales and shifts of norm layers and every bias, those of norm
            layers alone, or none. Gains and layer scales count as norm.
        layer_decay: Factor of the rate from each layer to the one before it, counted from the head; 1 gives all layers
            one rate. Fine-tuning takes 0.65 to 0.9.
        head_factor: The rate of the layers that end in the classes, as a multiple of the learning rate.
        filter_rms: Largest root mean square of a convolution filter, renewed after every update (ZFNet: 0.1); null
            sets no limit.
        kernel: How sgd and adamw run an update, a machine setting: one parameter at a time (loop), all in one call per
            operation (foreach) or all in one kernel (fused); auto is torch's choice. the others are foreach.
    """

    name: Literal["sgd", "adamw", "rmsprop", "lamb", "muon"] = "sgd"
    learning_rate: float = 0.1
    base_batch_size: int | None = 256
    momentum: float = 0.9
    nesterov: bool = True
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float | None = None
    rho: float = 0.9
    weight_decay: float = 0.0
    decay: Literal["coupled", "decoupled"] | None = None
    decay_scaling: Literal["learning_rate", "independent"] = "learning_rate"
    decay_excluded: Literal["norm_and_bias", "norm", "none"] = "norm_and_bias"
    layer_decay: float = 1.0
    head_factor: float = 1.0
    filter_rms: float | None = None
    kernel: Kernel = "auto"

    def __post_init__(self) -> None:
        for key, choices in _CHOICES.items():
            value = getattr(self, key)
            _check(key, value, value in choices, f"one of {', '.join(str(choice or 'null') for choice in choices)}")
        _check("learning_rate", self.learning_rate, self.learning_rate >= 0, "at least 0")
        _check(
            "base_batch_size",
            self.base_batch_size,
            self.base_batch_size is None or self.base_batch_size >= 1,
            "at least 1",
        )
        _check("momentum", self.momentum, 0 <= self.momentum < 1, "in [0, 1)")
        _check("betas", self.betas, all(0 <= beta < 1 for beta in self.betas), "two numbers in [0, 1)")
        _check("epsilon", self.epsilon, (self.epsilon or 0.0) >= 0, "at least 0, or null")
        _check("rho", self.rho, 0 <= self.rho < 1, "in [0, 1)")
        _check("weight_decay", self.weight_decay, self.weight_decay >= 0, "at least 0")
        _check("layer_decay", self.layer_decay, 0 < self.layer_decay <= 1, "above 0 and at most 1")
        _check("head_factor", self.head_factor, self.head_factor > 0, "above 0")
        _check("filter_rms", self.filter_rms, self.filter_rms is None or self.filter_rms > 0, "above 0, or null")
        own = self.name in _OWN_KERNELS
        _check("kernel", self.kernel, not own or self.kernel in ("auto", "foreach"), f"auto or foreach for {self.name}")
        if self.decay_scaling == "independent":
            _check("decay_scaling", "independent", self.decay_form == "decoupled", "learning_rate for coupled decay")
            _check("weight_decay", self.weight_decay, self.weight_decay < 1, "below 1 for independent decay_scaling")

    @property
    def decay_form(self) -> str:
        """``decay``, or where it is None the form the optimizer is published with."""
        return self.decay or ("decoupled" if self.name in _DECOUPLED else "coupled")


def _check(key: str, value: object, valid: bool, rule: str) -> None:
    if not valid:
        raise ValueError(f"optimizer.{key} must be {rule}, got {value}")


def scaled_learning_rate(settings: OptimizerSettings, global_batch: int) -> float:
    """The peak rate for ``global_batch`` images per optimizer step (linear rule, Goyal et al. 2017, arXiv:1706.02677).

    Raises:
        ValueError: If ``global_batch`` is not positive.
    """
    if global_batch < 1:
        raise ValueError(f"the global batch must be at least 1 image, got {global_batch}")
    if settings.base_batch_size is None:
        return settings.learning_rate
    return settings.learning_rate * global_batch / settings.base_batch_size
