import math
from pathlib import Path

import numpy as np
import pytest
from fitted_run import RECIPE, write_images
from lightning.pytorch.tuner.lr_finder import _LRCallback

from lit_cnn.cli.main import main
from lit_cnn.experiment import find_rate
from lit_cnn.experiment.find_rate import LIGHTNINGS, range_of, unsmoothed
from lit_cnn.experiment.recipe import Recipe

RATES = [10 ** (-5 + step / 20) for step in range(100)]


def falling(step: int) -> float:
    """Flat, then falling fastest at 10^-2.5, then growing from 10^-1.5 on."""
    place = math.log10(RATES[step])
    return 3 - 2 / (1 + math.exp(-6 * (place + 2.5))) + max(0.0, place + 1.2) * 30


def test_the_suggestion_is_where_the_loss_falls_fastest() -> None:
    found = range_of(RATES, [falling(step) for step in range(100)], scale=4.0)
    assert found.suggestion is not None
    assert found.key_value == pytest.approx(4 * found.suggestion)
    assert math.log10(found.suggestion) == pytest.approx(-2.5, abs=0.15)


def test_what_follows_a_loss_that_is_not_finite_is_left_out() -> None:
    losses = [falling(step) if step < 70 else math.nan for step in range(100)]
    found = range_of(RATES, losses, 1.0)
    assert len(found.losses) == len(found.smoothed) == 70
    assert found.suggestion == range_of(RATES[:70], losses[:70], 1.0).suggestion


def test_a_loss_that_never_falls_suggests_nothing() -> None:
    assert range_of(RATES, [1.0 + step for step in range(100)], 1.0).suggestion is None
    assert range_of(RATES[:1], [1.0], 1.0).suggestion is None


def test_the_running_mean_of_lightning_is_undone() -> None:
    losses, mean, kept = np.random.default_rng(0).random(20), 0.0, []
    for step, loss in enumerate(losses):  # as its callback does, global_step counting the step that has ended
        mean = LIGHTNINGS * mean + (1 - LIGHTNINGS) * loss
        kept.append(mean / (1 - LIGHTNINGS ** (step + 2)))
    assert unsmoothed(kept) == pytest.approx(losses.tolist())
    assert _LRCallback(1).beta == LIGHTNINGS


@pytest.mark.slow
def test_a_batch_of_more_images_than_there_are_is_limited_as_a_runs_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_images(tmp_path / "images", 4)
    (tmp_path / "tiny.yaml").write_text(RECIPE.format(images=tmp_path / "images"))
    recipe = Recipe.load(tmp_path / "tiny.yaml", overrides={"data.batch_size": 64})
    found = find_rate.find_rate(recipe, steps=3)
    assert len(found.losses) == 3
    assert f"data.batch_size is {recipe.data.train_size} instead of 64" in capsys.readouterr().out


@pytest.mark.slow
def test_fit_suggests_a_rate_and_leaves_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(find_rate.find_rate, "__defaults__", (1e-4, 1.0, 40))
    assert main(["fit", "quickstart", "--find-lr", "range.png", "--trainer.precision", "32-true"]) == 0
    assert "(drawn in range.png)" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["range.png"]
