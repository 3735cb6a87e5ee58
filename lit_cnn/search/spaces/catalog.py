"""The spaces by the names that a search states: ``space: {name: cells, blocks: 5, filters: 8}``."""

from collections.abc import Callable

from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.chain import ChainSpace
from lit_cnn.search.spaces.macro import MacroSpace
from lit_cnn.search.spaces.published_chains import efficientnet_b0, efficientnet_v2_s, mnasnet
from lit_cnn.search.spaces.space import SearchSpace

SPACES: dict[str, Callable[..., SearchSpace]] = {
    "cells": CellSpace,
    "blocks": BlockSpace,
    "chain": ChainSpace,
    "mnasnet": mnasnet,
    "efficientnet_b0": efficientnet_b0,
    "efficientnet_v2_s": efficientnet_v2_s,
    "macro": MacroSpace,
}
