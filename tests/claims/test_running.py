"""A claim on the engine: the grid on other images, the planned seeds, nothing twice, no seeds after a look."""

import dataclasses
from pathlib import Path

import pytest
from fake_claim import CLAIM, DESIGN, RATE, patch_trainings

from lit_cnn.claims.claim import Claim
from lit_cnn.claims.running import Trainer, best_point
from lit_cnn.run_folder.stored_recipe import completed
from lit_cnn.sweeps.stop_signals import StopSignals


def trainer(folder: Path, claim: Claim = CLAIM) -> Trainer:
    return Trainer(claim, "cpu", folder, None, StopSignals(), say=[].append)


@pytest.mark.slow
def test_each_arm_gets_its_best_rate_and_all_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = patch_trainings(monkeypatch)
    trained = trainer(tmp_path).train()
    assert trained.chosen == {"shallow": {RATE: 0.3}, "deep": {RATE: 0.1}}
    assert trained.tried["shallow"] == pytest.approx([1.0, 0.9])
    assert trained.tried["deep"] == [pytest.approx(0.7), None]
    assert made[:4] == [f"cifar_resnet{layers} {rate} 1000" for layers in (8, 20) for rate in (0.1, 0.3)]
    assert made[4:] == [f"cifar_resnet{arm} {seed}" for arm in ("8 0.3", "20 0.1") for seed in range(3)]
    assert {arm: sorted(runs) for arm, runs in trained.runs.items()} == {"shallow": [0, 1, 2], "deep": [0, 1, 2]}
    assert (trained.seeds, trained.failed, trained.stopped) == (3, (), 0)


@pytest.mark.slow
def test_nothing_is_trained_twice_and_missing_seeds_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = patch_trainings(monkeypatch)
    first = trainer(tmp_path).train(2)
    assert (sorted(first.runs["deep"]), first.seeds, len(made)) == ([0, 1], 3, 8)
    second = trainer(tmp_path).train()
    assert (sorted(second.runs["deep"]), len(made)) == ([0, 1, 2], 10)
    assert second.runs["deep"][0] == first.runs["deep"][0]
    assert trainer(tmp_path).finished_runs() == {
        arm: [runs[seed] for seed in range(3)] for arm, runs in second.runs.items()
    }


@pytest.mark.slow
def test_seeds_are_not_added_after_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    with monkeypatch.context() as missing:
        missing.setattr("lit_cnn.claims.running.bench_images", lambda _: Path("missing").read_bytes())
        with pytest.raises(FileNotFoundError):
            trainer(tmp_path / "a").train(2)
    assert not list(tmp_path.rglob("*.seeds")), "nothing was trained, so nothing is planned"
    trainer(tmp_path / "a").train(2)
    with pytest.raises(ValueError, match="depth has begun with 3 seeds, and seeds that are added after a look"):
        trainer(tmp_path / "a").train(4)
    assert trainer(tmp_path / "b").train(4).seeds == 4


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_counts_as_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    only = dataclasses.replace(DESIGN, grid=({RATE: 0.3},))
    trained = trainer(tmp_path, dataclasses.replace(CLAIM, designs={"cpu": only})).train()
    assert trained.runs["deep"] == {0: None, 1: None, 2: None}
    assert trained.failed == ()


@pytest.mark.slow
def test_another_design_does_not_continue_the_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch_trainings(monkeypatch)
    trainer(tmp_path).train(2)
    other = dataclasses.replace(CLAIM, designs={"cpu": dataclasses.replace(DESIGN, grid=({RATE: 0.1},))})
    with pytest.raises(
        ValueError, match=r"has begun as another one, these keys differ: design.*; choose another --folder"
    ):
        trainer(tmp_path, other).train(2)
    margin = dataclasses.replace(DESIGN, parts=DESIGN.parts[:1])
    assert trainer(tmp_path, dataclasses.replace(CLAIM, designs={"cpu": margin})).train(2).seeds == 3


def test_runs_are_never_shorter_than_the_design_says(tmp_path: Path) -> None:
    longer = dataclasses.replace(DESIGN, minimum_steps=31)
    with pytest.raises(ValueError, match="the runs of depth take 30 steps, but its design says that 31 are the fewest"):
        trainer(tmp_path, dataclasses.replace(CLAIM, designs={"cpu": longer})).train()


@pytest.mark.slow
def test_the_grid_is_chosen_on_other_images_than_those_that_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    patch_trainings(monkeypatch)
    trainer(tmp_path).train(2)
    recipes = {
        phase: completed(yaml.safe_load((tmp_path / f"depth.cpu.{phase}" / "recipe.yaml").read_text()))
        for phase in ("grid", "runs")
    }
    assert [Path(recipes[phase]["data"]["path"]).name for phase in recipes] == ["choosing.npz", "judged.npz"]
    assert recipes["grid"]["seed_everything"] == 1000


def test_the_lowest_loss_wins_and_the_first_of_none() -> None:
    grid = ({RATE: 0.1}, {RATE: 0.3})
    assert best_point(grid, [0.5, 0.4]) == grid[1]
    assert best_point(grid, [None, None]) == grid[0]
    assert best_point((), []) == {}
