"""Normalization layers of pyramids and heads."""

from typing import Literal

from torch import nn

Norm = Literal["none", "batch", "group"]
"""batch is live batch norm, which wants several images per process; group is that of 32 groups (Wu and He 2018,
arXiv:1803.08494), which does not depend on their number."""

GROUPS = 32


def make_norm(norm: Norm, channels: int, where: str) -> nn.Module:
    """The layer after a convolution of ``channels``; an identity for none.

    Args:
        where: Recipe key of the part, for the message.

    Raises:
        ValueError: If the channels cannot be divided into groups.
    """
    if norm == "group":
        check_groups(channels, where)
        return nn.GroupNorm(GROUPS, channels)
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()


def check_groups(channels: int, where: str) -> None:
    """Refuse a width that group norm cannot divide.

    Raises:
        ValueError: Naming ``where`` the group norm is.
    """
    if channels % GROUPS:
        raise ValueError(
            f"the group norm of model.{where} has {GROUPS} groups: set model.pyramid.width to a multiple of {GROUPS}, "
            f"got {channels}"
        )
