"""Regularized evolution: AmoebaNet's aging evolution (arXiv:1802.01548, algorithm 1), and its non-aging variant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lit_cnn.search.spaces.space import Point, SearchSpace
from lit_cnn.search.strategies.mutation import mutate
from lit_cnn.search.strategies.random import unseen_points
from lit_cnn.search.strategies.replay import Replay
from lit_cnn.search.strategies.strategy import History

Slots = tuple[int, ...]


@dataclass(frozen=True)
class EvolutionSettings:
    """Aging evolution; the paper has P = 100 and S = 25 for 20,000 evaluations.

    Args:
        population: P, networks that parents are chosen from, and random ones to begin with; None takes a fifth of the
            budget, at least 10. The search is random search until it has evaluated so many.
        sample: S, how many of them compete to be the parent; None takes a quarter of P.
        aging: Whether the oldest leaves the population, or else the least accurate of the sample.
        identity: Probability of training the parent again, unchanged.
        redraw: Whether a mutation may draw the old option again; the paper does not say.

    Raises:
        ValueError: If a number is out of its range.
    """

    population: int | None = None
    sample: int | None = None
    aging: bool = True
    identity: float = 0.05
    redraw: bool = False

    def __post_init__(self) -> None:
        for name in ("population", "sample"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise ValueError(f"{name} is {count} but must be at least 1, or left out to scale with the budget")
        if not 0 <= self.identity <= 1:
            raise ValueError(f"identity is {self.identity} but must be a probability from 0 to 1")

    def build(self, space: SearchSpace, budget: int) -> "Evolution":
        """The strategy for ``budget`` evaluations in a space."""
        population = self.population or max(10, budget // 5)
        sample = self.sample or max(2, population // 4)
        return Evolution(space, population, sample, self.aging, self.identity, self.redraw)


class Evolution:
    """Mutates the most accurate of ``sample`` networks drawn with replacement from the population.

    A network that comes again is evaluated again: retraining is what aging rests on (section 6 of the paper).
    """

    def __init__(
        self,
        space: SearchSpace,
        population: int,
        sample: int,
        aging: bool = True,
        identity: float = 0.05,
        redraw: bool = False,
    ) -> None:
        self.space, self.population, self.sample = space, population, sample
        self.aging, self.identity, self.redraw = aging, identity, redraw
        self._survivors: Replay[Slots] = Replay(lambda _: (), self._survive)

    def proposals(self, history: History) -> Iterator[Point]:
        alive = self._alive(history)
        if history.slot < self.population or not alive:
            yield from unseen_points(self.space, history.draws("random"), set(history.points))  # without end
        parent = history.points[self._parent(alive, history)]
        draws = history.draws("mutation")
        if draws.random() < self.identity:
            yield parent
        while True:
            yield mutate(self.space, parent, draws, self.redraw)

    def _alive(self, history: History) -> Slots:
        """The slots whose networks are the population."""
        if not self.aging:
            return self._survivors.state(history)
        known = len(history.rewards)
        return tuple(range(max(known - self.population, 0), known))

    def parent(self, history: History, point: Point) -> int | None:
        alive = self._alive(history)
        return None if history.slot < self.population or not alive else self._parent(alive, history)

    def _parent(self, alive: Slots, history: History) -> int:
        """The slot of the most accurate of the sample."""
        return max(self._competitors(alive, history), key=history.rewards.__getitem__)

    def _competitors(self, alive: Slots, history: History) -> Sequence[int]:
        return history.draws("competitors").choices(alive, k=self.sample)

    def _survive(self, alive: Slots, before: History, after: History) -> Slots:
        """Without aging: the least accurate of a slot's sample leaves as soon as the population, with those in
        training, would have more than P."""
        full = len(alive) + before.lag + 1 > self.population
        if before.slot >= self.population and full and len(alive) > 1:
            worst = min(self._competitors(alive, before), key=before.rewards.__getitem__)
            alive = tuple(slot for slot in alive if slot != worst)
        newly_known = range(len(before.rewards), len(after.rewards))
        return (*alive, *newly_known)
