"""Winners next to random networks, paired by seed."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_search import FIT, SPACE, Trainings, accuracy

from lit_cnn.cli.search_retrain import retrained_table
from lit_cnn.search.chooser import NETWORK, ListChooser
from lit_cnn.search.findings import Found
from lit_cnn.search.gain import Gain
from lit_cnn.search.retraining import (
    RANDOM,
    Retrained,
    RetrainingPlan,
    chosen_networks,
    first_fresh_seed,
    refuse_fewer,
    results,
)
from lit_cnn.search.settings import Settings
from lit_cnn.search.spaces.space import Candidate
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.stop_signals import StopSignals

SETTINGS = Settings({"name": "blocks"}, {"name": "random"}, 3, metric="val/acc1")
CELLS = Settings({"name": "cells", "filters": 8, "repeats": 1}, {"name": "random"}, 3)


def found(*rewards: float) -> list[Found]:
    networks = [SPACE.encode(tuple(option for _ in SPACE.decisions)) for option in (0, 1)]
    return [
        Found(slot, networks[slot % 2], reward, reward, {}, 0, 1.0, "complete", "run")
        for slot, reward in enumerate(rewards)
    ]


def anything(_: Candidate) -> bool:
    return True


def test_the_best_networks_are_taken_once_and_random_ones_by_key() -> None:
    chosen = chosen_networks(SETTINGS, found(0.5, 0.7, 0.9), 2, 2, False, anything)
    assert [why for why, _ in chosen.values()] == ["1 of the search", "2 of the search", RANDOM, RANDOM]
    blocks = [candidate.options["blocks"] for _, candidate in chosen.values()]
    assert blocks[:2] == [found(0.9)[0].network, found(0.5, 0.7)[1].network]
    assert len(set(blocks)) == 4
    again = chosen_networks(SETTINGS, found(0.5), 1, 3, False, anything)
    assert [candidate.options["blocks"] for why, candidate in again.values() if why == RANDOM][:2] == blocks[2:]


def test_random_networks_keep_the_limits_of_the_search() -> None:
    def small(candidate: Candidate) -> bool:
        return accuracy(str(candidate.options["blocks"])) < 0.5

    chosen = chosen_networks(SETTINGS, found(0.5), 0, 5, False, small)
    assert len(chosen) == 5
    assert all(small(candidate) for _, candidate in chosen.values())
    with pytest.raises(ValueError, match=r"none of 1000 random networks is within search\.limits"):
        chosen_networks(SETTINGS, found(0.5), 0, 1, False, lambda _: False)


def test_published_cells_stand_next_to_those_of_the_search() -> None:
    chosen = chosen_networks(CELLS, [], 0, 0, True, anything)
    assert list(chosen) == ["NASNet-A", "AmoebaNet-A"]
    assert all(candidate.options["filters"] == 8 for _, candidate in chosen.values())
    with pytest.raises(ValueError, match="no network of the space blocks was published"):
        chosen_networks(SETTINGS, [], 0, 0, True, anything)


def retraining(folder: Path, networks: dict[str, tuple[str, Candidate]]) -> Sweep:
    """The trainings of these networks in the folder, new or continued."""
    folder.mkdir(exist_ok=True)
    plan = RetrainingPlan(len(networks), 1, "val/acc1", "last", "maximize", 1)
    chooser = ListChooser({name: candidate for name, (_, candidate) in networks.items()})
    return Sweep(folder, plan, {}, say=[].append, chooser=chooser)


class Stopped(Trainings):
    """Trainings of which the third is stopped."""

    begun = 0

    def run(self, run_dir: Path, overrides: Sequence[str], *given: object, **_: object) -> int:
        self.begun += 1
        if self.begun < 3:
            return super().run(run_dir, overrides)
        stop = given[0]
        assert isinstance(stop, StopSignals)
        stop.number = 2
        return 130


def test_a_network_that_is_added_in_front_of_a_stopped_one_leaves_every_training_to_its_own(tmp_path: Path) -> None:
    before = chosen_networks(SETTINGS, found(0.5, 0.7), 1, 2, False, anything)
    first = retraining(tmp_path / "s", before)
    first.run(Stopped(Path("recipe.yaml")), StopSignals())
    stopped = next(trial for trial in first.queue.standing().values() if trial.user_attrs[NETWORK] == "random 2")
    after = chosen_networks(SETTINGS, found(0.5, 0.7), 2, 2, False, anything)
    assert list(after)[2] == "random 1"
    sweep = retraining(tmp_path / "s", after)
    sweep.run(FIT, StopSignals())
    rows = results(sweep, after)
    assert {row.name for row in rows} == set(after)
    assert all((row.n, row.mean) == (1, accuracy(str(after[row.name][1].options["blocks"]))) for row in rows)
    standing = sweep.queue.standing().values()
    assert {trial.user_attrs[NETWORK]: trial.user_attrs["run"] for trial in standing}["random 2"] == (
        stopped.user_attrs["run"]
    )
    assert len(standing) == 4


def test_networks_that_are_no_longer_listed_are_named(tmp_path: Path) -> None:
    before = chosen_networks(SETTINGS, found(0.5), 0, 3, False, anything)
    retraining(tmp_path / "s", before).run(Stopped(Path("recipe.yaml")), StopSignals())
    fewer = chosen_networks(SETTINGS, found(0.5), 0, 2, False, anything)
    with pytest.raises(ValueError, match=r"has begun to train random 3 as well: pass --winners, --random"):
        refuse_fewer(retraining(tmp_path / "s", fewer), fewer)


def test_more_seeds_and_networks_go_on_with_the_same_trainings() -> None:
    assert (
        RetrainingPlan(3, 2, "val/acc1", "last", "maximize", 1).identity()
        == RetrainingPlan(9, 5, "val/acc1", "last", "maximize", 1).identity()
    )


def test_seeds_are_those_after_the_search_s() -> None:
    assert first_fresh_seed(SETTINGS, 0) == 1
    assert first_fresh_seed(SETTINGS, 7) == 8
    assert first_fresh_seed(dataclasses.replace(SETTINGS, seeds=3), 7) == 3
    plans = [RetrainingPlan(3, 2, "val/acc1", "last", "maximize", first) for first in (0, 1)]
    assert plans[0].identity() != plans[1].identity()


@pytest.mark.parametrize(
    ("metric", "heading", "cells"),
    [
        ("val/acc1", "val/acc1 (%)", ["60.00 ± 2.00", "+10.00 [+5.00, +15.00]", "yes"]),
        ("val/loss", "val/loss", ["0.6000 ± 0.0200", "+0.1000 [+0.0500, +0.1500]", "yes"]),
    ],
)
def test_figures_of_a_loss_are_not_in_percent(metric: str, heading: str, cells: list[str]) -> None:
    gain = Gain(0.1, 0.05, 0.15, 3, "seeds")
    table = retrained_table([Retrained("a", "random", 0.6, 0.02, 2, gain, (0.58, 0.62), (1, 2))], metric)
    assert table.columns[2].name == heading
    assert ("(points)" in table.columns[4].name) == (metric == "val/acc1")
    assert [table.rows[0][place] for place in (2, 4, 5)] == cells
