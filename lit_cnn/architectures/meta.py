"""Networks whose tensors have shapes and no numbers, on torch's meta device: to count or to probe them.

There torch composes random fills and batch norm from a dozen operations written in Python, which takes most of the time
of building and of running a network; here neither is done.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Module = TypeVar("Module", bound=nn.Module)
Output = TypeVar("Output")
_FILLS = {Tensor.normal_, Tensor.uniform_, Tensor.fill_, Tensor.zero_}
"""What initializers do to a tensor in the end."""


@contextmanager
def on_meta() -> Iterator[None]:
    """Within, tensors are made on the meta device, and what would only set their numbers is left out."""
    with torch.device("meta"), _WithoutNumbers():
        yield


def run_on_meta(function: Callable[[Tensor], Output], images: Tensor) -> Output:
    """What a network on the meta device, or one of its methods, returns for ``images`` there, without gradients."""
    with torch.no_grad(), _WithoutNumbers():
        return function(images)


def copy_on_meta(network: Module) -> Module:
    """A copy on the meta device of a network that stays as it is; no number is copied."""
    memo: dict[int, Any] = {}
    for tensor in chain(network.parameters(), network.buffers()):
        shape = tensor.detach().to("meta")
        memo[id(tensor)] = nn.Parameter(shape, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else shape
    return copy.deepcopy(network, memo).to("meta")


class _WithoutNumbers(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _FILLS and args[0].is_meta:
            return args[0]
        evaluated = func is F.batch_norm and not (kwargs["training"] or torch.is_grad_enabled())
        if evaluated and args[0].is_meta:
            return torch.empty_like(args[0])
        return func(*args, **kwargs)
