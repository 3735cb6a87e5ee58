import random
from collections import Counter

from simulated import Toy

from lit_cnn.search.strategies.mutation import mutate

SPACE = Toy((9, 1, 9, 9, 9))
POINT = (0, 0, 4, 4, 8)  # of kinds state, operation, state, operation, state


def changes(redraw: bool = False) -> Counter:
    """How often each decision was changed, None for none of them."""
    draws = random.Random(1)
    children = (mutate(SPACE, POINT, draws, redraw) for _ in range(1500))
    return Counter(
        next((number for number in (4, 3, 2, 0) if (child[0] + child[1], *child[1:])[number] != POINT[number]), None)
        for child in children
    )


def test_kinds_are_equally_likely_and_so_are_the_decisions_of_a_kind() -> None:
    count = changes()
    # the one operation with a choice is half of the mutations, three states share the other half
    assert abs(count[3] - 750) < 5 * 19.4
    assert all(abs(count[number] - 250) < 5 * 14.4 for number in (0, 2, 4))
    assert count[None] == 0


def test_the_old_option_comes_again_where_it_may() -> None:
    assert abs(changes(redraw=True)[None] - 1500 / 9) < 5 * 12.2


def test_the_child_is_canonical() -> None:
    draws = random.Random(2)
    assert all(child[0] <= child[1] for child in (mutate(Toy(), (1, 1, 0, 0), draws) for _ in range(50)))


def test_a_point_without_a_second_option_stays() -> None:
    assert mutate(Toy((1, 1)), (0, 0), random.Random(0)) == (0, 0)
