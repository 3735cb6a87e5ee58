"""The steps of a choice that concern linear probes, each kept in its folder: probes, and the starts that follow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.commented import Stated, recipe_text
from lit_cnn.choosing.head_starts import HeadStart, write_start
from lit_cnn.choosing.linear_head import load_heads, save_heads
from lit_cnn.choosing.probe import backbone_for, probe
from lit_cnn.choosing.sharing import seconds_of, shared_work
from lit_cnn.data.module import ImageData
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.run_folder.atomic import write_text

PROBES, STARTS, RECOMMENDED = "probes", "starts", "recommended"
"""Folders of what the probes answered, of what trainings start from, and of what the recommended recipe starts from."""
START = "start.ckpt"
ANSWERED, ERROR = "answers", "error"
"""Of the file of a probe: what it answered, or why it could not."""


@dataclass(frozen=True)
class Probing:
    """Probes of candidates with weights, which several processes share.

    Args:
        folder: Of the choice.
        recipes: Candidate -> the recipe of its training, which prepares its images.
        folds: Lists of files, one for each fold; empty where the images' own split is validated on.
        device: Where features are computed.
        say: Gets one line on each piece of work.
    """

    folder: Path
    recipes: Mapping[str, Path]
    folds: Sequence[Path]
    device: torch.device
    say: Callable[[str], None]

    def answers(self, candidates: Sequence[Candidate]) -> tuple[dict[str, dict[str, bool]], dict[str, str]]:
        """Candidate -> image -> whether its probe is right, whose heads are kept; and why others cannot be probed."""

        def work(candidate: Candidate) -> dict[str, Any]:
            recipe = self.recipes[candidate.name]
            try:
                found = probe(_weights(candidate), [_data_of(recipe, fold) for fold in self._parts()], self.device)
            except (ValueError, RuntimeError) as error:
                return {ERROR: str(error).splitlines()[0]}
            save_heads(self._heads(candidate), found.heads)
            return {ANSWERED: found.answers}

        pieces = {each.name: (lambda each=each: work(each)) for each in candidates}
        done = shared_work(self.folder / PROBES, pieces, lambda name: self.say(f"linear probe of {name}"))
        failed = {name: each[ERROR] for name, each in done.items() if ERROR in each}
        return {name: each[ANSWERED] for name, each in done.items() if ANSWERED in each}, failed

    def forget(self, names: Iterable[str]) -> None:
        """Let the next call probe candidates again."""
        for name in names:
            (self.folder / PROBES / f"{name}.json").unlink(missing_ok=True)

    def starts(self, candidates: Sequence[Candidate]) -> dict[str, list[str]]:
        """Candidate -> the checkpoints from which it is trained, one for each fold, with the probe's heads."""

        def work(candidate: Candidate) -> list[str]:
            files = []
            for number, head in enumerate(load_heads(self._heads(candidate))):
                data = _data_of(self.recipes[candidate.name], self._parts()[number])
                data.setup("fit")
                files.append(self.folder / STARTS / f"{candidate.name}-{number}.ckpt")
                write_start(files[-1], backbone_for(_weights(candidate), data), head, data)
            return list(map(str, files))

        pieces = {each.name: (lambda each=each: work(each)) for each in candidates}
        return shared_work(self.folder / STARTS, pieces, lambda name: self.say(f"starts of {name}"))

    def recipe_start(self, candidate: Candidate, keys: Sequence[Stated]) -> HeadStart:
        """What a recipe on all images starts from: the weights with a head that is fitted to those it trains on.

        Args:
            candidate: With weights.
            keys: Of the recipe, which prepares the images.
        """
        place = self.folder / RECOMMENDED

        def work() -> dict[str, Any]:
            recipe = place / "images.yaml"
            write_text(recipe, recipe_text([], keys))
            data = _data_of(recipe, None)
            found = probe(_weights(candidate), [data], self.device)
            write_start(place / START, backbone_for(_weights(candidate), data), found.heads[0], data)
            return {"file": str(place / START), "accuracy": sum(found.answers.values()) / len(found.answers)}

        name = candidate.name
        done = shared_work(place, {name: work}, lambda _: self.say(f"start of {name} for the recipe"))
        return HeadStart(**done[name])

    def seconds(self) -> float:
        """What all of it took so far, in all processes."""
        return sum(seconds_of(self.folder / place) for place in (PROBES, STARTS, RECOMMENDED))

    def _parts(self) -> Sequence[Path | None]:
        return self.folds or [None]

    def _heads(self, candidate: Candidate) -> Path:
        return self.folder / PROBES / f"{candidate.name}.heads"


def _weights(candidate: Candidate) -> str:
    assert candidate.weights is not None
    return candidate.weights


def _data_of(recipe: Path, fold: Path | None) -> ImageData:
    """The images as a recipe prepares them, with those of a fold to validate on."""
    keys = {} if fold is None else {"data.source": "list", "data.path": str(fold)}
    return Recipe.load(recipe, overrides=keys).data
