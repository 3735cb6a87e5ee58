"""Layers that act at random in training, each by a key.

Their masks are a hash of (key, layer, position of the sample in the global batch), so that a step gives the same masks
on any number of ranks, under gradient accumulation, activation checkpointing and ``torch.compile``. A trainer sets the
key of each step with :func:`set_random_key`; without one a fresh key is drawn from torch's default generator at every
forward pass, as ``nn.Dropout`` would.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lit_cnn.randomness import derive_key, fold
from lit_cnn.upload import upload


class KeyedLayer(nn.Module):
    """A layer whose training-time mask is drawn from ``key`` and ``positions``.

    Args:
        rate: Probability in [0, 1) that a unit (or a path) is dropped. It may be changed during training.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"a drop rate must be in [0, 1), got {rate}")
        self.rate = rate
        self.key: Tensor | None = None
        self.host_key: int | None = None  # the same number, for a decision that the program itself takes
        self.positions: Tensor | None = None

    def batch_key(self, x: Tensor) -> Tensor:
        """() int64: the key of the optimizer step, or a fresh one for this forward pass."""
        return torch.randint(-(2**62), 2**62, (), device=x.device) if self.key is None else self.key

    def sample_keys(self, x: Tensor) -> Tensor:
        """(N,) int64: one key per sample of the batch ``x``."""
        positions = torch.arange(x.shape[0], device=x.device) if self.positions is None else self.positions
        return fold(self.batch_key(x), positions)

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"


def random_layers(network: nn.Module) -> list[KeyedLayer]:
    """The random layers of ``network``, in the order of ``network.modules()``."""
    return [module for module in network.modules() if isinstance(module, KeyedLayer)]


def clear_random_key(layers: Sequence[KeyedLayer]) -> None:
    """Let random layers draw a fresh key at every forward pass again."""
    for layer in layers:
        layer.key = layer.host_key = layer.positions = None


def set_random_key(network: nn.Module | Sequence[KeyedLayer], *, seed: int, step: int, positions: Tensor) -> None:
    """Key the masks of every random layer of ``network`` for one optimizer step.

    Args:
        network: Any module, or its ``random_layers``, which spares the search; layers are distinguished by their order.
        seed: The run's seed.
        step: Optimizer steps done so far.
        positions: (N,) int64, position of each sample in the global batch, on the device of the batch.
    """
    layers = random_layers(network) if isinstance(network, nn.Module) else network
    if not layers:
        return
    keys = [derive_key(seed, "layer", step, number) for number in range(len(layers))]
    uploaded = upload(torch.tensor(keys), positions.device)  # one copy for all
    for layer, host_key, key in zip(layers, keys, uploaded.unbind(), strict=True):
        layer.host_key, layer.key, layer.positions = host_key, key, positions
