"""The spaces by the names that a search states: ``space: {name: cells, blocks: 5, filters: 8}``."""

from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.cells import CellSpace
from lit_cnn.search.spaces.macro import MacroSpace
from lit_cnn.search.spaces.space import SearchSpace

SPACES: dict[str, type[SearchSpace]] = {
    "cells": CellSpace,
    "blocks": BlockSpace,
    "macro": MacroSpace,
}
