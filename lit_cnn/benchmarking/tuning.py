"""Choose machine settings one after the other, each only where its gain is above what the measuring leaves open."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.payback import Payback

Settings = Mapping[str, Any]
"""Recipe key -> value."""
Compare = Callable[[Settings, Sequence[Settings]], Sequence["Spread | str"]]
"""(best so far, challengers) -> each challenger's speed over the best's, or why it could not run."""
MARGIN = 0.02
"""A gain below this share is not worth a key in a recipe."""


@dataclass(frozen=True)
class Trial:
    """One value that was tried.

    Args:
        key: Recipe key.
        value: What it was set to.
        before: The value it was compared with.
        speed: Training speed over that of ``before``, or a sentence on why it could not run.
        chosen: Whether it is kept for the trials after it.
    """

    key: str
    value: Any
    before: Any
    speed: Spread | str
    chosen: bool

    @property
    def verdict(self) -> str:
        """Whether it is kept, and why not."""
        if isinstance(self.speed, str):
            return "could not run"
        return "chosen" if self.chosen else "slower" if self.speed.high < 1 else "not above the noise"


@dataclass(frozen=True)
class Tuned:
    """What was found.

    Args:
        settings: The best value of each key.
        changed: Those that are not the recipe's own.
        gain: Speed of all that was chosen over the recipe's own settings, which are kept where this is not above the
            noise; None if nothing was chosen.
        trials: All comparisons, in the order in which they were made.
        payback: What compiling costs and saves, if that was tried.
    """

    settings: dict[str, Any]
    changed: dict[str, Any]
    gain: Spread | str | None
    trials: list[Trial]
    payback: Payback | None = None


def climb(
    start: Settings, choices: Mapping[str, Sequence[Any]], compare: Compare
) -> tuple[dict[str, Any], list[Trial]]:
    """Try the values of one key after the other, starting from the best so far.

    Args:
        start: The settings to begin with.
        choices: Key -> values to try; the one it has is not tried against itself.
        compare: What measures.

    Returns:
        The best settings and all trials in the order in which they were made.
    """
    best, trials = dict(start), []
    for key, values in choices.items():
        challengers = [value for value in values if value != best[key]]
        if not challengers:
            continue
        speeds = compare(best, [{**best, key: value} for value in challengers])
        winner = choose(speeds)
        before = best[key]
        for number, (value, speed) in enumerate(zip(challengers, speeds, strict=True)):
            trials.append(Trial(key, value, before, speed, number == winner))
        if winner is not None:
            best[key] = challengers[winner]
    return best, trials


def choose(speeds: Sequence[Spread | str]) -> int | None:
    """The fastest challenger whose whole interval is above 1 and whose median gains ``MARGIN``; None keeps the best."""
    gains = [
        (speed.median, number)
        for number, speed in enumerate(speeds)
        if isinstance(speed, Spread) and speed.low > 1 and speed.median >= 1 + MARGIN
    ]
    return max(gains)[1] if gains else None


def settle(start: Settings, best: Settings, compare: Compare) -> tuple[Settings, Spread | str | None]:
    """The best settings, or the ones to begin with where all that was chosen gains nothing together.

    Returns:
        The settings, and the speed of ``best`` over ``start``: None where they are the same.
    """
    if best == start:
        return start, None
    (gain,) = compare(start, [best])
    return (start if choose([gain]) is None else best), gain
