"""Optimizers as the papers define them, and which parameters they shrink.

SGD, Adam and AdamW are torch's. RMSprop is TensorFlow's (used by MnasNet, MobileNetV3 and EfficientNet), which differs
from torch's in three places; LAMB is You et al. 2019, arXiv:1904.00962. Weight decay comes in the two forms of
Loshchilov and Hutter 2019, arXiv:1711.05101: *coupled* adds λθ to the gradient, *decoupled* shrinks the weights.

torch's fused kernels run where ``kernel`` asks for them (see optimizer_kernels.py for what they need at a resume).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.training.optimization.kernels import KERNELS, Kernel, keep_kernel_on_load, kernel_flags
from lit_cnn.training.optimization.layer_rates import rate_factors
from lit_cnn.training.optimization.max_norm import limit_filters_after_updates

_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_NORM_LAYERS = (*BATCH_NORMS, *_INSTANCE_NORMS, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
_EPSILON = {"sgd": 0.0, "adamw": 1e-8, "rmsprop": 1e-3, "lamb": 1e-6}
_EXCLUDED = {"norm_and_bias": ("norm", "bias"), "norm": ("norm",), "none": ()}
_CHOICES: dict[str, tuple[str | None, ...]] = {
    "name": tuple(_EPSILON),
    "decay": ("coupled", "decoupled", None),
    "decay_scaling": ("learning_rate", "independent"),
    "decay_excluded": tuple(_EXCLUDED),
    "kernel": KERNELS,
}


@dataclass(frozen=True)
class OptimizerSettings:
    """Which optimizer updates the weights, how fast, and what it shrinks.

    Args:
        name: sgd; adamw (Adam where decay is coupled); rmsprop as TensorFlow defines it; lamb.
        learning_rate: Peak learning rate at a global batch of ``base_batch_size`` images.
        base_batch_size: The rate grows linearly with the global batch from this size; null uses the rate as it is.
        momentum: Momentum of sgd and rmsprop.
        nesterov: Nesterov's form of sgd's momentum; without effect where the momentum is 0.
        betas: Averaging factors of the first and second moment of adamw and lamb.
        epsilon: Added to the denominator (rmsprop: inside the root); null means 1e-8 for adamw, 1e-3 for rmsprop
            (EfficientNet's value) and 1e-6 for lamb.
        rho: Averaging factor of rmsprop's squared gradients.
        weight_decay: λ, the strength of weight decay.
        decay: coupled adds λθ to the gradient, decoupled shrinks the weights; null means coupled for sgd and rmsprop,
            decoupled for adamw and lamb.
        decay_scaling: Decoupled decay shrinks by the current learning rate times λ, or independent of the rate by λ.
        decay_excluded: Parameters that are not decayed: scales and shifts of norm layers and every bias, those of norm
            layers alone, or none. Gains and layer scales count as norm.
        layer_decay: Factor of the rate from each layer to the one before it, counted from the head; 1 gives all layers
            one rate. Fine-tuning takes 0.65 to 0.9.
        head_factor: The rate of the layers that end in the classes, as a multiple of the learning rate.
        filter_rms: Largest root mean square of a convolution filter, renewed after every update (ZFNet: 0.1); null
            sets no limit.
        kernel: How sgd and adamw run an update, a machine setting: one parameter at a time (loop), all in one call per
            operation (foreach) or all in one kernel (fused); auto is torch's choice. rmsprop and lamb are foreach.
    """

    name: Literal["sgd", "adamw", "rmsprop", "lamb"] = "sgd"
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
        own = self.name in ("rmsprop", "lamb")
        _check("kernel", self.kernel, not own or self.kernel in ("auto", "foreach"), f"auto or foreach for {self.name}")
        if self.decay_scaling == "independent":
            _check("decay_scaling", "independent", self.decay_form == "decoupled", "learning_rate for coupled decay")
            _check("weight_decay", self.weight_decay, self.weight_decay < 1, "below 1 for independent decay_scaling")

    @property
    def decay_form(self) -> str:
        """``decay``, or where it is None the form the optimizer is published with."""
        return self.decay or ("decoupled" if self.name in ("adamw", "lamb") else "coupled")


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


def parameter_groups(network: nn.Module, settings: OptimizerSettings) -> list[dict[str, Any]]:
    """Split the trainable parameters into the groups ``decayed`` and ``not_decayed``, each once per factor of the rate.

    Every trainable parameter is in exactly one group, in the order of ``network.parameters()``; there is no empty
    group. Each group holds ``params``, ``name`` and ``weight_decay``, and ``rate_factor`` where layers have rates of
    their own (``layer_decay``, ``head_factor``).

    Raises:
        ValueError: If no parameter is trainable.
    """
    excluded = _EXCLUDED[settings.decay_excluded]
    own_rates = (settings.layer_decay, settings.head_factor) != (1.0, 1.0)
    factors = rate_factors(network, settings.layer_decay, settings.head_factor) if own_rates else {}
    found: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for kind, parameter in _kinds(network):
        found.setdefault((factors.get(id(parameter), 1.0), kind in excluded), []).append(parameter)
    if not found:
        raise ValueError("the network has no trainable parameter: leave at least one layer unfrozen")
    groups: list[dict[str, Any]] = []
    for (factor, spared), params in sorted(found.items(), key=lambda item: item[0]):
        decay = 0.0 if spared else settings.weight_decay
        group = {"params": params, "name": "not_decayed" if spared else "decayed", "weight_decay": decay}
        groups.append({**group, "rate_factor": factor} if own_rates else group)
    return groups


def _kinds(network: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Each trainable parameter once, as ``kernel`` (conv and linear weights), ``bias`` or ``norm`` (scales, gains)."""
    seen: set[int] = set()
    for module in network.modules():
        own = dict(module.named_parameters(recurse=False, remove_duplicate=False))
        weight = own.get("weight")
        is_norm = isinstance(module, _NORM_LAYERS) or (weight is not None and weight.ndim <= 1)
        for name, parameter in own.items():
            if not parameter.requires_grad or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            is_matrix = parameter.ndim >= 2 and (name.endswith("weight") or sum(n > 1 for n in parameter.shape) >= 2)
            kind = "kernel" if is_matrix else "bias" if "bias" in name else "norm"
            yield "norm" if is_norm else kind, parameter


def make_optimizer(network: nn.Module, settings: OptimizerSettings, global_batch: int) -> Optimizer:
    """The optimizer of ``settings`` over the trainable parameters of ``network``.

    Its state holds tensors and built-in types only. With ``lamb``, only the decayed group takes the trust ratio.
    """
    optimizer = _choose_optimizer(network, settings, global_batch)
    keep_kernel_on_load(optimizer)
    if settings.filter_rms is not None:
        limit_filters_after_updates(optimizer, network, settings.filter_rms)
    return optimizer


def _choose_optimizer(network: nn.Module, settings: OptimizerSettings, global_batch: int) -> Optimizer:
    groups, rate = parameter_groups(network, settings), scaled_learning_rate(settings, global_batch)
    for group in groups:
        if "rate_factor" in group:
            group["lr"] = rate * group["rate_factor"]
    independent = settings.decay_scaling == "independent"
    decoupled = settings.decay_form == "decoupled"
    epsilon = _EPSILON[settings.name] if settings.epsilon is None else settings.epsilon
    if settings.name == "lamb":
        for group in groups:
            group["adapt"] = group["name"] == "decayed"
    if decoupled and (independent or settings.name in ("sgd", "rmsprop")):
        for group in groups:
            group["shrink"], group["shrink_by_rate"] = group.pop("weight_decay"), not independent
    if settings.name == "sgd":
        nesterov = settings.nesterov and settings.momentum > 0
        sgd = DecoupledSGD if decoupled else SGD
        return sgd(groups, lr=rate, momentum=settings.momentum, nesterov=nesterov, **kernel_flags(settings.kernel))
    if settings.name == "rmsprop":
        rmsprop = DecoupledRMSpropTF if decoupled else RMSpropTF
        return rmsprop(groups, lr=rate, rho=settings.rho, momentum=settings.momentum, epsilon=epsilon)
    if settings.name == "adamw":
        adam = (DecoupledAdam if independent else AdamW) if decoupled else Adam
        flags = kernel_flags(settings.kernel)
        return adam(groups, lr=rate, betas=settings.betas, eps=epsilon, weight_decay=0.0, **flags)
    lamb = DecoupledLAMB if independent else LAMB
    return lamb(groups, lr=rate, betas=settings.betas, epsilon=epsilon, coupled=not decoupled)


def _evaluate(closure: Callable[[], Any] | None) -> Any:
    """The loss of a closure run with gradients enabled; None without a closure."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def _with_gradients(group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
    params = [parameter for parameter in group["params"] if parameter.grad is not None]
    return params, [parameter.grad for parameter in params]


class _GroupOptimizer(Optimizer, ABC):
    """Updates the parameters of a group that have a gradient, all in one call."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = _evaluate(closure)
        for group in self.param_groups:
            params, grads = _with_gradients(group)
            if params:
                self._update(group, params, grads)
        return loss

    @abstractmethod
    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None: ...


class RMSpropTF(_GroupOptimizer):
    """RMSprop as TensorFlow 1 defines it.

    a ← ρa + (1 - ρ)g², starting at 1;  v ← μv + η·g/√(a + ε);  θ ← θ - v

    Unlike torch's: a starts at 1 instead of 0, ε stands inside the root, and the rate η inside the velocity, so that a
    falling rate does not rescale past steps. ``weight_decay`` is coupled.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 0.01,
        *,
        rho: float = 0.9,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "momentum": momentum, "epsilon": epsilon, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        for parameter in params:
            state = self.state[parameter]
            if not state:
                state["square"], state["velocity"] = torch.ones_like(parameter), torch.zeros_like(parameter)
        squares = [self.state[parameter]["square"] for parameter in params]
        velocities = [self.state[parameter]["velocity"] for parameter in params]
        if group["weight_decay"]:
            grads = list(torch._foreach_add(grads, params, alpha=group["weight_decay"]))
        torch._foreach_mul_(squares, group["rho"])
        torch._foreach_addcmul_(squares, grads, grads, 1 - group["rho"])
        roots = torch._foreach_add(squares, group["epsilon"])
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(velocities, group["momentum"])
        torch._foreach_addcdiv_(velocities, grads, roots, group["lr"])
        torch._foreach_sub_(params, velocities)


class LAMB(_GroupOptimizer):
    """LAMB (You et al. 2019, Algorithm 2): Adam's step, resized per tensor to the norm of its weights.

    m, v as in Adam with bias correction;  u = m/(√v + ε) + λθ;  θ ← θ - η·(‖θ‖/‖u‖)·u

    The trust ratio ‖θ‖/‖u‖ is 1 where either norm is 0, has no bounds, and is taken by groups with ``adapt`` alone, so
    that norm scales and biases get Adam's step. Some implementations first clip the global gradient norm to 1; the
    paper does not, nor does this class: the run's gradient clipping can. With ``coupled``, λθ joins the gradient.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        coupled: bool = False,
        adapt: bool = True,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "epsilon": epsilon, "weight_decay": weight_decay}
        super().__init__(params, {**defaults, "coupled": coupled, "adapt": adapt})

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        decay = group["weight_decay"]
        if decay and group["coupled"]:
            grads = list(torch._foreach_add(grads, params, alpha=decay))
        updates = self._adam_direction(group, params, grads)
        if decay and not group["coupled"]:
            torch._foreach_add_(updates, params, alpha=decay)
        if group["adapt"]:
            weights, lengths = torch.stack(torch._foreach_norm(params)), torch.stack(torch._foreach_norm(updates))
            ratio = torch.where((weights > 0) & (lengths > 0), weights / lengths, torch.ones_like(weights))
            torch._foreach_mul_(updates, list(ratio.unbind()))
        torch._foreach_add_(params, updates, alpha=-group["lr"])

    def _adam_direction(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> list[Tensor]:
        beta1, beta2 = group["betas"]
        for parameter in params:
            state = self.state[parameter]
            if not state:
                state["step"] = 0
                state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            state["step"] += 1
        steps = [self.state[parameter]["step"] for parameter in params]
        means = [self.state[parameter]["mean"] for parameter in params]
        squares = [self.state[parameter]["square"] for parameter in params]
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, 1 - beta2)
        roots = torch._foreach_div(squares, [1 - beta2**step for step in steps])
        torch._foreach_sqrt_(roots)
        torch._foreach_add_(roots, group["epsilon"])
        updates = torch._foreach_div(means, [1 - beta1**step for step in steps])
        torch._foreach_div_(updates, roots)
        return list(updates)


class _DecoupledDecay(Optimizer):
    """Multiplies the weights by 1 - ``shrink`` (times the rate where ``shrink_by_rate``) between gradient and step."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = _evaluate(closure)  # first: the gradient belongs to the weights before they shrink
        with torch.no_grad():
            for group in self.param_groups:
                params, _ = _with_gradients(group)
                amount = group["shrink"] * (group["lr"] if group["shrink_by_rate"] else 1.0)
                if params and amount:
                    torch._foreach_mul_(params, 1 - amount)
        super().step()
        return loss


class DecoupledSGD(_DecoupledDecay, SGD):
    """SGDW: torch's SGD with decoupled weight decay (group keys ``shrink`` and ``shrink_by_rate``)."""


class DecoupledAdam(_DecoupledDecay, Adam):
    """AdamW whose decay may leave out the rate (group keys ``shrink`` and ``shrink_by_rate``)."""


class DecoupledRMSpropTF(_DecoupledDecay, RMSpropTF):
    """RMSprop with decoupled weight decay (group keys ``shrink`` and ``shrink_by_rate``)."""


class DecoupledLAMB(_DecoupledDecay, LAMB):
    """LAMB whose decay leaves out rate and trust ratio (group keys ``shrink`` and ``shrink_by_rate``)."""
