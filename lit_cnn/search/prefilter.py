"""A cheap score before training: of several proposals of a slot the one with the highest score is trained.

A score that ranks networks poorly can still leave out bad ones: of 27 random cells of NAS-Bench-201, the best third by
parameters or synflow nearly always holds the best cell, though neither ranks the good ones
(docs/measurements/search_estimators.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lit_cnn.architectures import create_model
from lit_cnn.data.image_size import ImageSize
from lit_cnn.randomness import seeded
from lit_cnn.search.estimators.zero_cost import synflow
from lit_cnn.search.spaces.space import Candidate

Score = Literal["synflow", "params", "madds"]
SCORES: tuple[Score, ...] = get_args(Score)
Scoring = Callable[[Candidate, Mapping[str, float]], float]
"""From a network and its costs to its score."""


@dataclass(frozen=True)
class Prefilter:
    """Which of a slot's proposals is trained.

    Args:
        score: synflow of fresh weights, or the parameters or multiply-adds; the highest wins.
        of: So many proposals are compared.

    Raises:
        ValueError: If the score is unknown, or there is nothing to compare.
    """

    score: Score = "synflow"
    of: int = 2

    def __post_init__(self) -> None:
        if self.score not in SCORES:
            raise ValueError(f"prefilter.score is {self.score!r} but must be one of {', '.join(SCORES)}")
        if self.of < 2:
            raise ValueError(f"prefilter.of is {self.of} but must be at least 2: of so many proposals one is trained")

    def scoring(self, seed: int, image_size: ImageSize, in_channels: int) -> Scoring:
        """What scores networks; the weights of synflow are drawn by the seed, the same for every worker.

        Args:
            seed: Of the search.
            image_size: Of the images.
            in_channels: Their channels.
        """
        if self.score != "synflow":
            return lambda _, costs: costs[self.score]

        def score(candidate: Candidate, _: Mapping[str, float]) -> float:
            options: dict[str, Any] = dict(candidate.options)
            with seeded(seed, "prefilter"):
                network = create_model(candidate.architecture, in_channels=in_channels, **options)
            return synflow(network, image_size, in_channels=in_channels)

        return score
