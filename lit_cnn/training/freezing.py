"""Keeping copied layers as they are: all but the head for some epochs, or every batch norm for the whole run."""

import math
from collections.abc import Iterable

from torch import nn

from lit_cnn.architectures.layers.batch_norm import BATCH_NORMS
from lit_cnn.architectures.network import Network
from lit_cnn.training.class_rows import backbone_of, head_tensors
from lit_cnn.training.fine_tuning import InitialWeights


class Freezing:
    """Which parameters of a network are trained in which epoch, as ``initial.freeze_epochs`` and ``.batch_norm`` say.

    A frozen layer computes no gradients, so no optimizer changes or decays it, and its batch norms normalize by the
    statistics that were copied, which stay. In a network of the catalog the whole of ``features`` is as in evaluation
    then, so stochastic depth drops nothing.

    Args:
        network: The network.
        initial: The recipe's settings.
    """

    def __init__(self, network: nn.Module, initial: InitialWeights) -> None:
        self.network = network
        self.epochs = math.inf if initial.freeze_epochs == "all" else initial.freeze_epochs
        self.freezes_norms = initial.batch_norm == "frozen"
        last = set(head_tensors(network))
        norms = {id(parameter) for norm in batch_norms(network) for parameter in norm.parameters()}
        trained = [(name, each) for name, each in network.named_parameters() if each.requires_grad]
        self._norms = [each for _, each in trained if id(each) in norms] if self.freezes_norms else []
        fixed = {id(each) for each in self._norms}
        self._backbone = [each for name, each in trained if name not in last and id(each) not in fixed]
        self._evaluated: list[nn.Module] = []

    @property
    def phases(self) -> bool:
        """Whether some parameters are trained in a part of the epochs only."""
        return self.epochs > 0

    def freeze_norms(self) -> None:
        """Take scales and shifts of frozen batch norms from training, before the optimizer is made."""
        for parameter in self._norms:
            parameter.requires_grad_(False)

    def enter(self, epoch: int) -> None:
        """Set which parameters an epoch, counted from 0, trains; the network must be in training mode before."""
        frozen = epoch < self.epochs
        if self.phases:
            for parameter in self._backbone:
                parameter.requires_grad_(not frozen)
        set_training(self._evaluated, True)  # what the epoch before has put in evaluation mode, and nothing else
        self._evaluated = [module for module in self._to_evaluate(frozen) if module.training]
        set_training(self._evaluated, False)

    def _to_evaluate(self, frozen: bool) -> list[nn.Module]:
        """What is in evaluation mode in an epoch whose backbone is frozen, or is not."""
        norms: list[nn.Module] = [*batch_norms(self.network)] if frozen or self.freezes_norms else []
        network = backbone_of(self.network) or self.network
        return [*network.features.modules(), *norms] if frozen and isinstance(network, Network) else norms


def batch_norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    """The batch norms of a network, whatever their dimensions."""
    return [module for module in network.modules() if isinstance(module, BATCH_NORMS)]  # type: ignore[misc]


def set_training(modules: Iterable[nn.Module], training: bool) -> None:
    """Bring each of the modules, but not what is in it, into training or evaluation mode."""
    for module in modules:
        module.training = training


LAGGING = 0.05
"""Share of the first statistics after a run from which on validation suffers: at 0.24, EfficientNet-Lite0 answered five
flowers by chance."""


def lagging_statistics(network: nn.Module, steps: int) -> str | None:
    """A sentence where a run is too short for its batch norms: after ``steps`` they are still near where they began.

    A running average with momentum m keeps (1 - m)^steps of its start. None where less than ``LAGGING`` is left.
    """
    momentum = min((norm.momentum for norm in batch_norms(network) if norm.training and norm.momentum), default=1.0)
    left = (1 - momentum) ** steps
    if left < LAGGING:
        return None
    return (
        f"batch norm's statistics move by {momentum:g} of the way in each step: after this run's {steps} they are "
        f"still {100 * left:.0f} % what they began with, and validation normalizes by them; train longer, or raise "
        "model.options.norm_momentum (to 0.1) where the network has it, as the EfficientNets do"
    )
