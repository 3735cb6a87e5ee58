"""Normalization layers of pyramids and heads."""

from typing import Literal

from torch import nn

Norm = Literal["none", "batch", "group"]
"""batch is live batch norm, which wants several images per process; group is that of 32 groups (Wu and He 2018,
arXiv:1803.08494), which does not depend on their number."""

GROUPS = 32
SMALLEST_GROUP = 2
"""Channels: alone, a channel of the coarsest map of a small canvas would be a single value, which torch refuses."""


def make_norm(norm: Norm, channels: int, where: str) -> nn.Module:
    """The layer after a convolution of ``channels``; an identity for none.

    Args:
        where: Recipe key of the part, for the message.

    Raises:
        ValueError: If group norm cannot divide the channels: from 64 on, multiples of 32 only.
    """
    if norm == "group":
        groups = min(GROUPS, channels // SMALLEST_GROUP)
        if groups == 0 or channels % groups:
            raise ValueError(
                f"the group norm of model.{where} has {GROUPS} groups: set model.pyramid.width to a multiple of "
                f"{GROUPS}, got {channels}"
            )
        return nn.GroupNorm(groups, channels)
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()
