"""Which of torch's implementations runs an update: a machine setting, the same arithmetic up to rounding."""

from typing import Any, Literal

import torch
from torch.optim import Optimizer

Kernel = Literal["auto", "loop", "foreach", "fused"]
_FLAGS: dict[str, dict[str, bool]] = {
    "auto": {},
    "loop": {"foreach": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}
KERNELS = tuple(_FLAGS)


def kernel_flags(kernel: Kernel) -> dict[str, bool]:
    """The arguments of torch's SGD and Adam that choose ``kernel``."""
    return dict(_FLAGS[kernel])


def keep_kernel_on_load(optimizer: Optimizer) -> None:
    """Let a state that another kernel saved, or in another memory format, go on with this optimizer's kernel.

    A loaded state brings the flags of its own kernel along. The fused CPU kernels read memory in order: a momentum that
    has another memory layout than its weight would give wrong updates without an error, so each is converted.
    """
    flags: list[dict[str, Any]] = [
        {name: group[name] for name in ("foreach", "fused") if name in group} for group in optimizer.param_groups
    ]

    def settle(optimizer: Optimizer) -> None:
        for group, own in zip(optimizer.param_groups, flags, strict=True):
            group.update(own)
            for parameter in group["params"]:
                state = optimizer.state.get(parameter, {})
                for name, value in state.items():
                    state[name] = _settled(name, value, parameter, bool(own.get("fused")))

    optimizer.register_load_state_dict_post_hook(settle)


def _settled(name: str, value: Any, parameter: torch.Tensor, fused: bool) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    if name == "step":
        return value.to(parameter.device) if fused else value
    if value.shape == parameter.shape and value.stride() != parameter.stride():
        return torch.empty_like(parameter).copy_(value)
    return value
