"""The average after n steps is the one computed by hand, of weights and of batch norm's statistics."""

from pathlib import Path
from typing import Any

import pytest
import torch
from ramp_run import train_ramp
from script_run import make_classifier, make_trainer, own_loader

from lit_cnn.run_folder.checkpoint import LAST, load_checkpoint, network_weights
from lit_cnn.training.callbacks.checkpoints import Checkpoints
from lit_cnn.training.callbacks.ema import EMA, warmed_up_decay
from lit_cnn.training.classifier import Classifier

FIRST, SECOND, THIRD = 1.0, 2.0, 3.0
"""The weight after each step of the run; the average starts as the first."""


def kept(folder: Path, ema: EMA, batches: int, accumulation: int = 1) -> tuple[dict[str, float], dict[str, float]]:
    """The averaged and the raw tensors in the last checkpoint of an epoch of the ramp."""
    checkpoints = Checkpoints(folder, "val/acc1", {"network": {"architecture": "ramp"}})
    train_ramp(folder, [ema, checkpoints], batches=batches, accumulate_grad_batches=accumulation)
    checkpoint = load_checkpoint(folder / LAST)
    averaged, raw = (
        {name: float(value) for name, value in network_weights(checkpoint, kind).items()} for kind in ("ema", "raw")
    )
    return averaged, raw


def test_each_step_keeps_the_decay_s_share_of_the_average(tmp_path: Path) -> None:
    averaged, raw = kept(tmp_path, EMA(0.75, warmup=False), batches=3)
    second = 0.75 * FIRST + 0.25 * SECOND
    assert averaged["bias"] == pytest.approx(0.75 * second + 0.25 * THIRD)
    assert raw["bias"] == THIRD


def test_with_warm_up_the_decay_grows_until_the_chosen_one(tmp_path: Path) -> None:
    averaged, _ = kept(tmp_path, EMA(0.75, warmup=True), batches=3)
    second = 2 / 11 * FIRST + 9 / 11 * SECOND
    assert averaged["bias"] == pytest.approx(3 / 12 * second + 9 / 12 * THIRD)
    assert [warmed_up_decay(0.75, updates, True) for updates in (0, 1, 2, 26, 1000)] == [0.1, 2 / 11, 0.25, 0.75, 0.75]
    assert warmed_up_decay(0.75, 1, False) == 0.75


def test_batch_norm_s_statistics_are_averaged_and_its_counter_is_copied(tmp_path: Path) -> None:
    averaged, raw = kept(tmp_path, EMA(0.75, warmup=False), batches=2)
    assert raw["running_mean"] == 20.0
    assert averaged["running_mean"] == pytest.approx(0.75 * 10.0 + 0.25 * 20.0)
    assert averaged["num_batches_tracked"] == raw["num_batches_tracked"] == 2


def test_accumulated_batches_count_as_one_step(tmp_path: Path) -> None:
    averaged, raw = kept(tmp_path, EMA(0.75, warmup=False), batches=4, accumulation=2)
    assert raw["bias"] == SECOND
    assert averaged["bias"] == pytest.approx(0.75 * FIRST + 0.25 * SECOND)
    assert averaged["running_mean"] == pytest.approx(0.75 * 20.0 + 0.25 * 40.0)
    assert averaged["num_batches_tracked"] == 4


def test_validation_sees_the_average_and_the_run_ends_with_it(tmp_path: Path) -> None:
    _, model = train_ramp(tmp_path, [EMA(0.75, warmup=False)], batches=2)
    average = pytest.approx(0.75 * FIRST + 0.25 * SECOND)
    assert model.validated == [average]
    assert model.net.bias.item() == average


def test_a_decay_of_0_averages_nothing(tmp_path: Path) -> None:
    averaged, raw = kept(tmp_path, EMA(0.0), batches=3)
    assert averaged["bias"] == raw["bias"] == THIRD


def test_one_callback_averages_every_run_that_it_is_in(tmp_path: Path) -> None:
    """The second run is the shorter one: nothing of the first may hold its average back."""
    ema = EMA(0.75, warmup=False)
    kept(tmp_path / "first", ema, batches=5)
    assert ema.average is None
    averaged, raw = kept(tmp_path / "second", ema, batches=2)
    assert raw["bias"] == SECOND
    assert averaged["bias"] == pytest.approx(0.75 * FIRST + 0.25 * SECOND)


def test_a_run_that_goes_on_keeps_its_average_and_its_counter(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    record = {"network": {"architecture": "ramp"}}
    for folder, epochs in ((whole, 3), (parts, 2), (parts, 3)):
        callbacks = [EMA(0.9), Checkpoints(folder, "val/acc1", record)]
        start = folder / LAST if (folder / LAST).exists() else None
        train_ramp(folder, callbacks, scores=[0.0] * epochs, batches=2, resume=start)
    first, second = load_checkpoint(whole / LAST), load_checkpoint(parts / LAST)
    assert first["averaging_state"]["n_averaged"] == second["averaging_state"]["n_averaged"] == 6
    assert first["callbacks"]["EMA"] == second["callbacks"]["EMA"] == {"latest_update_step": 6, "always_raw": False}
    for name in ("state_dict", "current_model_state"):
        assert torch.equal(first[name]["net.bias"], second[name]["net.bias"])


def logged(folder: Path, ema: EMA, ckpt_path: Path | None = None, epochs: int = 1) -> tuple[dict[str, float], Path]:
    """The validation's metrics of a short fit with this callback, and its checkpoint."""
    trainer = make_trainer(folder, callbacks=[ema], max_epochs=epochs)
    model = make_classifier(num_classes=10, in_channels=1)
    trainer.fit(model, own_loader(), own_loader(), ckpt_path=ckpt_path)
    trainer.save_checkpoint(folder / "end.ckpt")
    return {name: float(value) for name, value in trainer.callback_metrics.items()}, folder / "end.ckpt"


@pytest.mark.parametrize("ema", [EMA(0.5), EMA(0.0, validate_raw=True)], ids=["not asked for", "no average"])
def test_the_raw_weights_are_validated_only_beside_an_average_and_where_asked_for(tmp_path: Path, ema: EMA) -> None:
    metrics, _ = logged(tmp_path, ema)
    assert {"val/loss", "val/acc1"} <= metrics.keys()
    assert not [name for name in metrics if name.endswith("_raw")]


def test_the_raw_weights_cost_their_pass_only_where_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    monkeypatch.setattr(Classifier, "count_raw", lambda *_: passes.append(1))
    logged(tmp_path, EMA(0.5))
    assert not passes
    logged(tmp_path, EMA(0.5, validate_raw=True))
    assert passes


def test_the_raw_weights_are_validated_in_the_run_s_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[torch.dtype] = []
    count = Classifier.count_raw

    def counted(model: Classifier, raw: Any, batch: Any, outputs: Any) -> None:
        found.extend([outputs.dtype, raw(batch[0]).dtype])
        count(model, raw, batch, outputs)

    monkeypatch.setattr(Classifier, "count_raw", counted)
    trainer = make_trainer(tmp_path, callbacks=[EMA(0.5, validate_raw=True)], max_epochs=1, precision="bf16-mixed")
    trainer.fit(make_classifier(num_classes=10, in_channels=1), own_loader(), own_loader())
    assert set(found) == {torch.bfloat16}


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_run_of_an_older_version_goes_on_reporting_the_raw_weights(tmp_path: Path, decay: float) -> None:
    _, path = logged(tmp_path, EMA(decay))
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["callbacks"]["EMA"]["always_raw"]
    torch.save(checkpoint, path)
    metrics, _ = logged(tmp_path, EMA(decay, validate_raw=decay > 0), path, epochs=2)
    assert (metrics["val/loss_raw"] == metrics["val/loss"]) == (decay == 0)
