from types import SimpleNamespace

import lightning.pytorch as pl
import pytest
import torch

from lit_cnn.benchmarking.interleaving import Spread
from lit_cnn.benchmarking.overhead import WARMUP, Overhead, Turns, measure_overhead, percent, plain_loop
from lit_cnn.experiment.parser import RecipeCLI, resolve_configs
from lit_cnn.experiment.recipe import Recipe
from lit_cnn.training.trainer import progress_bars

TINY = ["--config", "quickstart", "--data.batch_size=8", "--data.image_size=8", "--ema.decay=0"]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_turns_time_each_side_alone() -> None:
    clock = Clock()

    def plain_step() -> None:
        clock.now += 2.0

    turns = Turns(plain_step, block=4, rounds=2, clock=clock)
    trainer = SimpleNamespace(should_stop=False)
    steps = 0
    while not trainer.should_stop:
        clock.now += 3.0
        turns.on_train_batch_end(trainer)
        steps += 1
    assert steps == WARMUP + 2 * 4
    assert turns.fit_seconds == [12.0, 12.0]
    assert turns.plain_seconds == [8.0, 8.0]
    assert clock.now == 3.0 * steps + 2.0 * (WARMUP + 2 * 4)  # both are warm before they are timed


@pytest.mark.slow
def test_a_recipe_is_trained_beside_the_plain_loop(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    overhead = measure_overhead(TINY, block=2, rounds=3)
    assert (overhead.steps, overhead.ratio.rounds) == (6, 3)
    assert overhead.fit_ms.median > 0
    assert overhead.plain_ms.median > 0
    assert not list(tmp_path.iterdir())  # the run was made elsewhere and is gone


@pytest.mark.slow
def test_too_short_an_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="over 503 steps, but the recipe's epoch has 179"):
        measure_overhead(TINY, block=50, rounds=10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (["--trainer.max_steps=8"], "over 9 steps, but the recipe's epoch has 8"),
        (["--progressive_learning.stages=2", "--progressive_learning.image_size=6"], "stages 1"),
        (["--trainer.precision=64-true"], "can be timed, but the recipe has '64-true'"),
    ],
)
def test_what_the_plain_loop_cannot_follow_is_refused(keys: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        measure_overhead([*TINY, *keys], block=2, rounds=3)


@pytest.mark.slow
def test_accumulation_and_limits_of_a_recipe_do_not_count(tmp_path, monkeypatch) -> None:
    """Either would compare steps of different batches, or end the epoch inside a turn."""
    monkeypatch.chdir(tmp_path)
    keys = ["--trainer.accumulate_grad_batches=2", "--trainer.limit_train_batches=4", "--ema.decay=0.9"]
    overhead = measure_overhead([*TINY, *keys], block=2, rounds=3)
    assert overhead.steps == 6
    assert overhead.extra == ("EMA",)


@pytest.mark.slow
@pytest.mark.parametrize("whitening", ["false", "true"])
def test_the_plain_loop_does_what_fit_does(whitening: str) -> None:
    """Same batches, loss, update and schedule: the weights after three steps are those that ``fit`` gets."""
    whitened = f"--model.initial.whitening={whitening}"
    keys = ["--trainer.max_steps=3", "--trainer.precision=32-true", "--model.schedule.warmup_epochs=0", whitened]
    cli = RecipeCLI(resolve_configs([*TINY, *keys]))
    ours, plain = Recipe.of(cli), Recipe.of(cli)
    step = plain_loop(plain)
    for _ in range(3):
        step()
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "limit_val_batches": 0}
    pl.Trainer(**{**ours.trainer, **quiet, "callbacks": None}).fit(ours.model, ours.data)
    assert ours.model.trainer.global_step == 3
    for name, weight in ours.model.net.state_dict().items():
        torch.testing.assert_close(weight, plain.model.net.state_dict()[name], msg=lambda text, name=name: name + text)


def test_the_percentage_is_above_the_plain_loop() -> None:
    some = Spread(1.0, 1.0, 1.0, 9)
    assert percent(Overhead(Spread(1.012, 0.992, 1.03, 9), some, some, 9)) == "+1.2 % [-0.8, +3.0]"


def test_the_progress_bar_is_ours_unless_another_is_wanted() -> None:
    (bar,) = progress_bars({"callbacks": []})
    assert bar.refresh_rate == 4
    assert progress_bars({"callbacks": [bar]}) == []
    assert progress_bars({"callbacks": [], "enable_progress_bar": False}) == []
