"""Optimizers whose weight decay shrinks the weights: Loshchilov and Hutter 2019, arXiv:1711.05101."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import SGD, Adam, Optimizer

from lit_cnn.training.optimization.group_optimizer import evaluate, with_gradients
from lit_cnn.training.optimization.lamb import LAMB
from lit_cnn.training.optimization.muon import Muon
from lit_cnn.training.optimization.rmsprop_tf import RMSpropTF


class _DecoupledDecay(Optimizer):
    """Multiplies the weights by 1 - ``shrink`` (times the rate where ``shrink_by_rate``) between gradient and step."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = evaluate(closure)  # first: the gradient belongs to the weights before they shrink
        overflown = getattr(self, "found_inf", None)  # set by a loss scaler that lets the kernel skip the step
        with torch.no_grad():
            for group in self.param_groups:
                params, _ = with_gradients(group)
                amount = group["shrink"] * (group["lr"] if group["shrink_by_rate"] else 1.0)
                if params and amount:
                    kept = 1 - amount if overflown is None else 1 - amount * (1 - overflown)
                    torch._foreach_mul_(params, kept)
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


class DecoupledMuon(_DecoupledDecay, Muon):
    """Muon whose decay leaves out the rate (group keys ``shrink`` and ``shrink_by_rate``)."""
