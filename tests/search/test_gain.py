"""How far a network is from the average one of its space."""

import random

import pytest

from lit_cnn.randomness import derive_key
from lit_cnn.search.gain import gain_over


def average_network(number: int, seeds: int, networks: int, spread: float) -> bool:
    """Whether a network that is as good as the average of its space is called better or worse; the seeds' standard
    deviation is 1."""
    draws = random.Random(derive_key(0, "average network", number))
    values = [draws.gauss(0, 1) for _ in range(seeds)]
    true = [draws.gauss(0, spread) for _ in range(networks)]
    means = [sum(draws.gauss(each, 1) for _ in range(seeds)) / seeds for each in true]
    return gain_over(values, means).decided


@pytest.mark.parametrize(("seeds", "networks", "spread"), [(3, 3, 3.0), (3, 5, 1.0), (2, 3, 0.0), (5, 3, 3.0)])
def test_an_average_network_is_rarely_called_better(seeds: int, networks: int, spread: float) -> None:
    decided = sum(average_network(number, seeds, networks, spread) for number in range(500))
    assert decided <= 40


def test_the_interval_is_welch_s() -> None:
    gain = gain_over([4.0, 6.0], [1.0, 2.0, 3.0])
    # standard error (2/2 + 1/3) ** 0.5 = 1.1547; degrees of freedom (4/3)² / (1/1 + 1/18) = 1.68, rounded down to 1
    assert gain.mean == 3
    assert gain.high == pytest.approx(3 + 12.7062 * 1.1547, rel=1e-4)
    assert (gain.networks, gain.limited_by, gain.decided) == (3, "seeds", False)
    assert gain_over([4.0, 4.0], [1.0, 2.0]).limited_by == "random networks"
    assert gain_over([4.0, 4.0], [1.0, 1.0]).decided


def test_one_of_a_kind_has_no_interval() -> None:
    alone, once = gain_over([4.0, 6.0], [1.0]), gain_over([4.0], [1.0, 2.0])
    assert (alone.mean, alone.low, alone.high, alone.limited_by) == (4, None, None, "random networks")
    assert (once.low, once.limited_by, once.decided) == (None, "seeds", False)
