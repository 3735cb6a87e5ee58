"""Which parameters an optimizer shrinks, and how fast each learns."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.training.optimization.layer_rates import rate_factors
from lit_cnn.training.optimization.optimizer_settings import EXCLUDED, OptimizerSettings

_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_NORM_LAYERS = (*BATCH_NORMS, *_INSTANCE_NORMS, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


def parameter_groups(network: nn.Module, settings: OptimizerSettings) -> list[dict[str, Any]]:
    """Split the trainable parameters into the groups ``decayed`` and ``not_decayed``, each once per factor of the rate.

    Every trainable parameter is in exactly one group, in the order of ``network.parameters()``; there is no empty
    group. Each group holds ``params``, ``name`` and ``weight_decay``, and ``rate_factor`` where layers have rates of
    their own (``layer_decay``, ``head_factor``).

    Raises:
        ValueError: If no parameter is trainable.
    """
    excluded = EXCLUDED[settings.decay_excluded]
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
