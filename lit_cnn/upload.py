"""Small tensors on their way to the device, for which nobody waits."""

import torch
from torch import Tensor


def upload(values: Tensor, device: torch.device) -> Tensor:
    """``values``, which lie on the CPU, on ``device``: the copy is queued behind the work that the device has.

    A copy to a GPU waits for it unless it is asynchronous and from pinned memory; ``torch.tensor(…, device=…)`` always
    waits. On the CPU they are returned as they are.
    """
    source = values.pin_memory() if device.type == "cuda" else values
    return source.to(device, non_blocking=True)
