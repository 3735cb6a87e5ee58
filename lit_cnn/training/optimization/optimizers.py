"""Optimizers as the papers define them.

SGD, Adam and AdamW are torch's. RMSprop is TensorFlow's, which differs from torch's in three places; LAMB and Muon are
written here. Weight decay comes in the two forms of Loshchilov and Hutter 2019, arXiv:1711.05101: *coupled* adds λθ to
the gradient, *decoupled* shrinks the weights.

torch's fused kernels run where ``kernel`` asks for them (see kernels.py for what they need at a resume).
"""

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from lit_cnn.training.optimization.decoupled_decay import (
    DecoupledAdam,
    DecoupledLAMB,
    DecoupledMuon,
    DecoupledRMSpropTF,
    DecoupledSGD,
)
from lit_cnn.training.optimization.kernels import keep_kernel_on_load, kernel_flags
from lit_cnn.training.optimization.lamb import LAMB
from lit_cnn.training.optimization.max_norm import limit_filters_after_updates
from lit_cnn.training.optimization.muon import Muon, split_matrices
from lit_cnn.training.optimization.optimizer_settings import EPSILON, OptimizerSettings, scaled_learning_rate
from lit_cnn.training.optimization.parameter_groups import parameter_groups
from lit_cnn.training.optimization.rmsprop_tf import RMSpropTF


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
    epsilon = EPSILON[settings.name] if settings.epsilon is None else settings.epsilon
    nesterov = settings.nesterov and settings.momentum > 0
    if settings.name == "lamb":
        for group in groups:
            group["adapt"] = group["name"] == "decayed"
    if settings.name == "muon":
        groups = split_matrices(network, groups)
    if decoupled and (independent or settings.name in ("sgd", "rmsprop")):
        for group in groups:
            group["shrink"], group["shrink_by_rate"] = group.pop("weight_decay"), not independent
    match settings.name:
        case "sgd":
            sgd = DecoupledSGD if decoupled else SGD
            flags = kernel_flags(settings.kernel)
            return sgd(groups, lr=rate, momentum=settings.momentum, nesterov=nesterov, **flags)
        case "rmsprop":
            rmsprop = DecoupledRMSpropTF if decoupled else RMSpropTF
            return rmsprop(groups, lr=rate, rho=settings.rho, momentum=settings.momentum, epsilon=epsilon)
        case "adamw":
            adam = (DecoupledAdam if independent else AdamW) if decoupled else Adam
            flags = kernel_flags(settings.kernel)
            return adam(groups, lr=rate, betas=settings.betas, eps=epsilon, weight_decay=0.0, **flags)
        case "lamb":
            lamb = DecoupledLAMB if independent else LAMB
            return lamb(groups, lr=rate, betas=settings.betas, epsilon=epsilon, coupled=not decoupled)
        case "muon":
            muon = DecoupledMuon if independent else Muon
            return muon(
                groups,
                lr=rate,
                momentum=settings.momentum,
                nesterov=nesterov,
                betas=settings.betas,
                epsilon=epsilon,
                coupled=not decoupled,
            )
