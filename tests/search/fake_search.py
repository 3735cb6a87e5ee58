"""A search whose trainings are a function of the network, in this process: for tests of choosers and of the engine."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit_cnn.search.chooser import SearchChooser
from lit_cnn.search.objectives import Accuracy, Limits
from lit_cnn.search.settings import Settings, build_named
from lit_cnn.search.spaces.blocks import BlockSpace
from lit_cnn.search.spaces.space import Candidate
from lit_cnn.search.strategies.catalog import STRATEGIES
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.trials import Fit

SPACE = BlockSpace()


def accuracy(blocks: str) -> float:
    """A number from 0 to 1 that looks random."""
    return int.from_bytes(hashlib.sha256(blocks.encode()).digest()[:4]) / 2**32


def costs(candidate: Candidate) -> dict[str, float]:
    return {"params": 1e6 * (1 + accuracy(f"params {candidate.options['blocks']}")), "madds": 1e6}


class Trainings(Fit):
    """What ``lit-cnn fit`` is to the engine, without a process even after a death: writes a network's metrics."""

    def run(self, run_dir: Path, overrides: Sequence[str], *_: object, **__: object) -> int:
        blocks = next(word.partition("=")[2] for word in overrides if word.startswith("--model.options.blocks="))
        run_dir.joinpath("metrics.csv").write_text(f"epoch,step,val/acc1\n0,1,{accuracy(blocks)}\n")
        return 0


FIT = Trainings(Path("recipe.yaml"))


def make_search(
    folder: Path,
    strategy: str = "evolution",
    evaluations: int = 14,
    pruner: Pruner | None = None,
    length: int | None = None,
    **stated: Any,
) -> Sweep:
    """A search of blocks in its folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    space, chosen = {"name": "blocks"}, {"name": strategy}
    settings = Settings(space, chosen, evaluations, lag=1, metric="val/acc1", pruner=pruner)
    prefilter = stated.pop("prefilter", None)
    limits = Limits(**stated)
    chooser = SearchChooser(
        SPACE,
        build_named(STRATEGIES, settings.strategy, "search.strategy").build(SPACE, evaluations),
        settings.seed,
        settings.lag,
        Accuracy(),
        costs,
        limits.exceeded,
        None if prefilter is None else prefilter.scoring(0, 16, 3),
        1 if prefilter is None else prefilter.of,
    )
    return Sweep(folder, settings, {}, length=length, say=[].append, chooser=chooser)
