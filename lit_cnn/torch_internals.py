"""What is asked of torch that has no public name: an upgrade of torch is adapted to here.

Each function has a test that says what to change when torch has moved what it reads. ``torch._foreach_*``, which the
optimizers, SAM and the average of the weights call, is not here: it is torch's own way of updating lists of tensors,
each call would be wrapped one to one, and the tests of those files fail where one of them changes.
"""

from contextlib import AbstractContextManager
from typing import Any

import torch


def freezing_compiler() -> AbstractContextManager[Any]:
    """Within, TorchInductor compiles passes without gradients with the weights as constants.

    ``torch.compile(options={"freezing": True})`` would not reach the part of torch that makes constants of the weights.
    """
    from torch._inductor import config  # half a second that only compiling needs

    return config.patch(freezing=True)


def takes_own_gradients() -> bool:
    """Whether an autograd Function can take the place of plain operations: gradients are recorded, and nothing records
    the program (``torch.jit.trace``) or differentiates it forward (``torch.func.jvp``), which know only the latter."""
    forward = torch.autograd.forward_ad._current_level >= 0
    return torch.is_grad_enabled() and not forward and not torch.jit.is_tracing()


def needs_plain_formula(grad: torch.Tensor) -> bool:
    """Whether a backward pass is itself differentiated (``create_graph``, ``torch.func``), or is one of several at once
    (``is_grads_batched``), which code that writes into tensors does not survive."""
    return torch.is_grad_enabled() or _is_several(grad)


def is_channels_last(tensor: torch.Tensor) -> bool:
    """Whether (N, C, H, W) is stored with its channels innermost. One that stands for several at once (``torch.vmap``)
    cannot be asked, and counts as stored otherwise."""
    return not _is_several(tensor) and tensor.is_contiguous(memory_format=torch.channels_last)


def _is_several(tensor: torch.Tensor) -> bool:
    if torch.compiler.is_compiling():  # a compiled pass is never one of several at once
        return False
    return torch._C._functorch.is_batchedtensor(tensor) or torch._C._functorch.is_legacy_batchedtensor(tensor)


def onednn_has_bf16() -> bool:
    """Whether oneDNN multiplies bfloat16 on this CPU, natively or by emulation with AVX-512."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
