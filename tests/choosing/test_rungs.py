"""The engine trains every candidate on every fold, the best go on, and a killed one continues."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lit_cnn.choosing.budget import Price, plan_budget
from lit_cnn.choosing.rungs import CandidateChooser, RungsPlan, open_rungs, reached
from lit_cnn.choosing.running import trained_seconds
from lit_cnn.sweeps.stop_signals import StopSignals
from lit_cnn.sweeps.trials import Fit
from lit_cnn.training.stopping import PAUSED, Pause

NAMES = [f"net{number}" for number in range(6)]
BUDGET = plan_budget([Price(name, 1.0) for name in NAMES], 1e5, [3])


class Trainings(Fit):
    """What ``lit-cnn fit`` is to the engine: a candidate is the better the higher its number, and fold 1 is harder."""

    def run(self, run_dir: Path, overrides: Sequence[str], stop: StopSignals, pause: Pause | None = None, **_: object):
        LINES.append([*overrides, str(pause)])
        text = " ".join(overrides)
        accuracy = 0.1 * int(Path(text.split("--config ")[1].split()[0]).stem[-1]) + (0.0 if "fold1" in text else 0.1)
        rows = "".join(f"{epoch},{epoch + 1},{accuracy}\n" for epoch in range(pause.epochs if pause else 30))
        run_dir.joinpath("metrics.csv").write_text(f"epoch,step,val/acc1\n{rows}")
        return PAUSED if pause else 0


LINES: list[list[str]] = []
STARTS = {"net5": [f"start{fold}.ckpt" for fold in range(3)]}


def test_the_best_candidates_are_trained_to_the_end_on_every_fold(tmp_path: Path) -> None:
    LINES.clear()
    recipes = {name: tmp_path / f"{name}.yaml" for name in NAMES}
    folds = [tmp_path / f"fold{fold}.csv" for fold in range(3)]
    folder = tmp_path / "rungs"
    folder.mkdir()
    sweep = open_rungs(folder, RungsPlan(NAMES, BUDGET), CandidateChooser(recipes, folds, STARTS), lambda _: None)
    sweep.run(Trainings(tmp_path / "shared.yaml"), StopSignals())
    stands = reached(sweep)
    assert (BUDGET.sizes, BUDGET.epochs) == ((6, 2), (10, 30))
    assert [each.name for each in stands if each.finished] == ["net5", "net4"]
    assert [each.name for each in stands if not each.finished] == ["net3", "net2", "net1", "net0"]
    assert {each.epochs for each in stands if not each.finished} == {10}
    assert all(len(each.runs) == 3 for each in stands)
    assert stands[0].accuracy == pytest.approx((0.6 + 0.5 + 0.6) / 3)
    assert len(LINES) == 6 * 3 + 2 * 3
    assert LINES[1][:4] == ["--config", f"{recipes['net0']}", "--data.source=list", f"--data.path={folds[1]}"]
    assert "--seed_everything=1" in LINES[1]
    started = [(line[2], line[4]) for line in LINES if str(recipes["net5"]) in line]
    assert started[1] == ("--model.initial.checkpoint=start1.ckpt", f"--data.path={folds[1]}")
    assert not any("checkpoint" in " ".join(line) for line in LINES if str(recipes["net5"]) not in line)


def test_a_candidate_one_of_whose_folds_has_failed_has_no_accuracy_and_is_tried_again(tmp_path: Path) -> None:
    class Failing(Trainings):
        def run(self, run_dir: Path, overrides: Sequence[str], *others: object, **_: object) -> int:  # type: ignore[override]
            text = " ".join(overrides)
            if "net1" not in text or "fold1" not in text:
                return super().run(run_dir, overrides, *others)  # type: ignore[arg-type]
            (run_dir / "fit.log").write_text("error: out of memory\n")
            return 1

    budget = plan_budget([Price(name, 1.0) for name in NAMES[:2]], 1e4, [3])
    recipes = {name: tmp_path / f"{name}.yaml" for name in NAMES[:2]}
    folds = [tmp_path / f"fold{fold}.csv" for fold in range(3)]
    (tmp_path / "rungs").mkdir()
    plan, chooser = RungsPlan(NAMES[:2], budget), CandidateChooser(recipes, folds)
    sweep = open_rungs(tmp_path / "rungs", plan, chooser, lambda _: None)
    sweep.run(Failing(tmp_path / "shared.yaml"), StopSignals())
    (failed,) = [each for each in reached(sweep) if each.name == "net1"]
    assert failed.accuracy is None
    assert failed.error
    assert not failed.finished
    again = open_rungs(tmp_path / "rungs", plan, chooser, lambda _: None)
    again.queue.retry_failed()
    again.run(Trainings(tmp_path / "shared.yaml"), StopSignals())
    assert [each.name for each in reached(again)] == ["net1", "net0"]


def test_without_folds_the_images_own_split_is_validated_on(tmp_path: Path) -> None:
    LINES.clear()
    budget = plan_budget([Price(name, 1.0) for name in NAMES[:2]], 1e4, [1])
    folder = tmp_path / "rungs"
    folder.mkdir()
    recipes = {name: tmp_path / f"{name}.yaml" for name in NAMES[:2]}
    sweep = open_rungs(folder, RungsPlan(NAMES[:2], budget), CandidateChooser(recipes, []), lambda _: None)
    sweep.run(Trainings(tmp_path / "shared.yaml"), StopSignals())
    assert [each.name for each in reached(sweep)] == ["net1", "net0"]
    assert LINES[0] == ["--config", str(recipes["net0"]), "None"]


def test_seconds_of_a_training_that_was_stopped_are_spent_too(tmp_path: Path) -> None:
    class Stopped(Trainings):
        def run(self, run_dir: Path, overrides: Sequence[str], stop: StopSignals, *_: object, **__: object) -> int:
            time.sleep(0.1)
            stop.note(signal.SIGTERM)
            return 128 + signal.SIGTERM

    recipes = {name: tmp_path / f"{name}.yaml" for name in NAMES}
    folder = tmp_path / "rungs"
    folder.mkdir()
    sweep = open_rungs(folder, RungsPlan(NAMES, BUDGET), CandidateChooser(recipes, []), lambda _: None)
    for fit in (Stopped(tmp_path / "shared.yaml"), Trainings(tmp_path / "shared.yaml")):
        sweep.run(fit, StopSignals())
        assert trained_seconds(sweep) >= 0.1
    assert all(each.finished or each.epochs == 10 for each in reached(sweep))
