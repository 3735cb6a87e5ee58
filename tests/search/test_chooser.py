"""The engine trains what the strategy proposes, whoever trains it and whatever is killed; limits reject before."""

import itertools
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_search import FIT, SPACE, Trainings, accuracy, make_search

from lit_cnn.cli.search import networks_table
from lit_cnn.search.chooser import COSTS, NETWORK, REJECTED, ListChooser, SearchChooser, short_name, stating
from lit_cnn.search.findings import ancestors, as_row, best_first, best_so_far, found_networks, front
from lit_cnn.search.spaces.space import Candidate
from lit_cnn.search.strategies.catalog import STRATEGIES
from lit_cnn.sweeps.engine import Sweep
from lit_cnn.sweeps.halving import Pruner
from lit_cnn.sweeps.plan import Known
from lit_cnn.sweeps.stop_signals import StopSignals

FAST = ("random", "local_search")


def networks(sweep: Sweep) -> list[tuple[str, float | None]]:
    return [(one.network, one.reward) for one in found_networks(sweep)]


@pytest.mark.parametrize(
    "strategy", [pytest.param(name, marks=[] if name in FAST else pytest.mark.slow) for name in STRATEGIES]
)
def test_two_workers_that_are_killed_now_and_then_train_what_one_would(tmp_path: Path, strategy: str) -> None:
    whole = make_search(tmp_path / "whole", strategy)
    whole.run(FIT, StopSignals())
    workers = [make_search(tmp_path / "shared", strategy) for _ in range(2)]
    draws, taken = random.Random(strategy), []
    for _ in range(300):
        worker = draws.choice(workers)
        action = draws.random()
        if taken and action < 0.2:
            os.close(taken.pop(draws.randrange(len(taken)))[1].lock)  # what the death of its process does
        elif taken and action < 0.6:
            owner, trial = taken.pop(draws.randrange(len(taken)))
            owner._run_trial(trial, FIT, StopSignals())
            os.close(trial.lock)
        elif len(taken) < 2 and (trial := worker.queue.take()) is not None:
            taken.append((worker, trial))
    for _, trial in taken:
        os.close(trial.lock)
    workers[0].run(FIT, StopSignals())
    assert networks(workers[1]) == networks(whole)
    assert len(networks(whole)) == 14


def test_a_slot_waits_for_the_results_that_it_may_read(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s")
    first, second = sweep.queue.take(), sweep.queue.take()
    assert first is not None
    assert second is not None
    assert sweep.queue.take() is None  # slot 2 reads slot 0
    sweep._run_trial(first, FIT, StopSignals())
    third = sweep.queue.take()
    assert third is not None
    assert third.job.slot == 2
    for taken in (first, second, third):
        os.close(taken.lock)


def test_networks_above_the_limits_are_counted_and_never_trained(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s", "random", params=1.5)
    sweep.run(FIT, StopSignals())
    found = found_networks(sweep)
    assert all(one.costs["params"] <= 1.5e6 for one in found)
    assert sum(one.rejected for one in found) > 0
    assert len(found) == 14


def test_limits_that_no_network_keeps_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none of 1000 networks .* exceed the limit of 500k\): raise the limits"):
        make_search(tmp_path / "s", "random", params=0.5).queue.take()


def test_findings_are_ordered_by_reward_and_the_front_by_cost(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s", "random")
    sweep.run(FIT, StopSignals())
    found = found_networks(sweep)
    ranked = best_first(found)
    assert [one.reward for one in ranked] == sorted((accuracy(one.network) for one in found), reverse=True)
    assert best_so_far(found)[-1] == ranked[0].reward
    assert best_so_far(found) == sorted(best_so_far(found))
    cheapest = min(found, key=lambda one: one.costs["params"])
    line = front(found, "params")
    assert line[0] == cheapest
    assert line[-1] == ranked[0]
    assert [one.name for one in line] == [short_name(one.network) for one in line]


class Crossing(Trainings):
    """Networks that are good after the first rung are bad in the end."""

    def run(self, run_dir: Path, overrides: Sequence[str], *given: object, **_: object) -> int:
        super().run(run_dir, overrides)
        pause, metrics = given[1], run_dir / "metrics.csv"
        first = float(metrics.read_text().split(",")[-1])
        if pause is None:
            metrics.write_text(metrics.read_text() + f"8,9,{1 - first}\n")
        return 0


def test_with_a_pruner_the_best_is_among_those_that_were_trained_to_the_end(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s", "random", evaluations=9, pruner=Pruner(min_epochs=3), length=9)
    sweep.run(Crossing(Path("recipe.yaml")), StopSignals())
    found = found_networks(sweep)
    ranked = best_first(found)
    whole = [one for one in ranked if one.state == "complete"]
    assert len(whole) == 3
    assert ranked[:3] == sorted(whole, key=lambda one: accuracy(one.network))
    assert [one.reward for one in whole] == [1 - accuracy(one.network) for one in whole]
    assert [one.trained for one in ranked] == [9] * 3 + [3] * 6
    assert ranked[0].slot == sweep.results()[0].trial - 1
    assert best_so_far(found)[-1] == ranked[0].reward
    assert all(one in whole for one in front(found, "params"))
    assert as_row(ranked[0])["trained"] == 9
    table = networks_table(sweep, ranked)
    place = [column.name for column in table.columns].index("epochs trained")
    assert [row[place] for row in table.rows] == ["9"] * 3 + ["3"] * 6


def test_the_ancestry_ends_in_the_winner_and_each_parent_is_one_mutation_away(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s", "local_search", evaluations=30)
    sweep.run(FIT, StopSignals())
    found = found_networks(sweep)
    line = ancestors(found, best_first(found)[0], sweep.queue.chooser)
    assert line[-1] == best_first(found)[0]
    for parent, child in itertools.pairwise(line):
        pairs = zip(SPACE.decode(parent.network), SPACE.decode(child.network), strict=True)
        assert sum(a != b for a, b in pairs) == 1
        assert parent.slot < child.slot
        assert (parent.reward or 0) < (child.reward or 0)


def test_given_networks_are_stated_as_options() -> None:
    chooser = ListChooser({"small": Candidate("block_network", {"blocks": "plain w16 n1"})})
    choice = chooser.choose(0, [])
    assert choice is not None
    assert choice.attributes == {NETWORK: "small"}
    assert chooser.choose(1, [Known({NETWORK: "small"}, True, 1.0)]) is None
    assert stating(chooser.networks["small"]) == [
        "--model.architecture=block_network",
        "--model.options.blocks=plain w16 n1",
    ]


def test_a_trial_keeps_its_network_costs_and_rejections(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s")
    taken = sweep.queue.take()
    assert taken is not None
    os.close(taken.lock)
    attributes = taken.trial.user_attrs
    assert set(attributes[COSTS]) == {"params", "madds"}
    assert attributes[REJECTED] == 0
    assert SPACE.encode(SPACE.decode(attributes[NETWORK])) == attributes[NETWORK]


def test_a_loss_is_rewarded_by_its_negative(tmp_path: Path) -> None:
    sweep = make_search(tmp_path / "s", "random", evaluations=3)
    chooser = sweep.queue.chooser
    assert isinstance(chooser, SearchChooser)
    chooser.sign = -1
    sweep.run(FIT, StopSignals())
    found = found_networks(sweep)
    assert [one.reward for one in found] == [-accuracy(one.network) for one in found]
    assert [one.accuracy for one in found] == [accuracy(one.network) for one in found]
    assert front(found, "params", sign=-1)[-1] == best_first(found)[0]
