import pytest

from lit_cnn.search.strategies.replay import Replay
from lit_cnn.search.strategies.strategy import History

WHOLE = History(((0,), (1,), (2,), (3,)), (0.0, 0.1, 0.2), lag=1, seed=7)


def recording() -> tuple[Replay[tuple], list[int]]:
    """A state that lists what each step was given, and the slots of the steps taken."""
    steps: list[int] = []

    def step(state: tuple, before: History, after: History) -> tuple:
        steps.append(before.slot)
        return (*state, (after.points[-1], before.rewards, after.rewards))

    return Replay(lambda seed: (seed,), step), steps


def test_a_step_sees_what_a_slot_and_the_next_one_knew() -> None:
    replay, _ = recording()
    state = replay.state(WHOLE)
    assert state[:3] == (7, ((0,), (), ()), ((1,), (), (0.0,)))
    assert state[4] == ((3,), (0.0, 0.1), (0.0, 0.1, 0.2))


def test_slot_after_slot_takes_one_step_each() -> None:
    replay, steps = recording()
    for slot in range(5):
        replay.state(WHOLE.at(slot))
        replay.state(WHOLE.at(slot))
    assert steps == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "other",
    [
        WHOLE.at(2),
        History(((0,), (1,), (2,), (9,)), (0.0, 0.1, 0.2), lag=1, seed=7),
        History(WHOLE.points, (0.5, 0.1, 0.2), lag=1, seed=7),
        History(WHOLE.points, WHOLE.rewards, lag=1, seed=8),
        History(WHOLE.points, (0.0, 0.1), lag=2, seed=7),
    ],
    ids=["earlier slot", "other point", "other reward", "other seed", "other lag"],
)
def test_a_history_that_does_not_go_on_is_replayed_from_its_first_slot(other: History) -> None:
    replay, _ = recording()
    replay.state(WHOLE)
    fresh, _ = recording()
    assert replay.state(other) == fresh.state(other)
    assert replay.state(WHOLE) == recording()[0].state(WHOLE)
