"""What holds a training up, the loader or the network, and what helps: a sentence from an epoch's timings."""

import math
from dataclasses import dataclass
from typing import Literal

from lit_cnn.data.settings import Decode
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.load import Split

NOTICEABLE = 0.1
"""Share of the time spent waiting for data from which on the loader counts as the bottleneck."""


@dataclass(frozen=True)
class LoaderFacts:
    """What the advice depends on.

    Args:
        kind: where images come from: memory, files (loose) or shards (packed, or the tables of Hugging Face).
        workers: processes that prepare images, of one training process.
        cores: processor cores for one training process.
        decode: scale at which files are decoded.
    """

    kind: Literal["memory", "files", "shards"]
    workers: int
    cores: int
    decode: Decode

    @classmethod
    def of(cls, split: Split, workers: int, cores: int, decode: Decode) -> "LoaderFacts":
        """The facts of a loader of a training split."""
        if isinstance(split, ArraySplit):
            return cls("memory", workers, cores, decode)
        return cls("files" if isinstance(split, FolderSplit) else "shards", workers, cores, decode)


def diagnose(speed: float, waiting: float, facts: LoaderFacts) -> str:
    """Bottleneck and advice for an epoch.

    Args:
        speed: images per second.
        waiting: share of the time, 0 to 1, in which the training waited for data.
        facts: how the loader is set.

    Returns:
        A phrase without a full stop. Loader and network work at the same time, so the network alone would reach
        speed / (1 - waiting), and for that the loader needs 1 / (1 - waiting) times its workers.
    """
    if waiting < NOTICEABLE:
        return "the network sets the pace"
    reachable = speed / max(1.0 - waiting, 0.01)
    return f"the loader is the bottleneck (the network could take {reachable:,.0f} images/s): {_advice(waiting, facts)}"


def _advice(waiting: float, facts: LoaderFacts) -> str:
    # Without workers the training process prepares the images itself, in the time that it is said to wait.
    needed = math.ceil(max(facts.workers, 1) / max(1.0 - waiting, 0.01) - 1e-9)
    if facts.workers == 0:
        needed = math.ceil(waiting / max(1.0 - waiting, 0.01) - 1e-9)
    most = max(facts.cores, 1)
    if facts.workers < most:
        return f"set data.workers to {min(max(needed, facts.workers + 1), most)} (now {facts.workers}; {most} cores)"
    cores = f"all {most} cores are in use" if most > 1 else "the one core is in use"
    if facts.kind == "memory":
        return f"{cores}; use a smaller data.image_size or fewer augmentations"
    if facts.kind == "files":
        other = "" if facts.decode == "reduced" else ", or set data.decode to reduced, which changes pixels"
        return f"{cores}; store smaller images with lit-cnn data pack --size{other}"
    other = "" if facts.decode == "reduced" else "data.decode reduced, which changes pixels, or "
    return f"{cores}; use {other}a smaller data.image_size"
