from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
from digits_run import assert_same_end, fit, make_data

from lit_cnn.architectures.layers.dropout import Dropout
from lit_cnn.data.augmentation.mixing import Mixup
from lit_cnn.data.augmentation.rand_augment import RandAugment
from lit_cnn.training.callbacks.progressive_learning import ProgressiveLearning
from lit_cnn.training.stopping import RunInterrupted


def test_the_plan_of_efficientnet_v2_s() -> None:
    """Table 6 of the paper: 128 to 300 px and magnitude 5 to 15; the released code begins at 171 px."""
    data = make_data(image_size=300, rand_augment=RandAugment(layers=2, magnitude=15), mixup=Mixup(0.0))
    paper = ProgressiveLearning(4, image_size=128, magnitude=5).plan(data, 350)
    assert [stage.image_size for stage in paper] == [128, 185, 243, 300]
    assert [stage.magnitude for stage in paper] == pytest.approx([5, 25 / 3, 35 / 3, 15])
    assert {stage.mixup_alpha for stage in paper} == {0.0}
    assert {stage.cutmix_alpha for stage in paper} == {data.cutmix.alpha}
    released = ProgressiveLearning(4, image_size=128, magnitude=5, includes_start=False).plan(data, 350)
    assert [stage.image_size for stage in released] == [171, 214, 257, 300]


def test_images_that_are_no_squares_grow_in_proportion() -> None:
    data = make_data(image_size=(64, 96))
    sizes = [stage.image_size for stage in ProgressiveLearning(3, image_size=32).plan(data, 3)]
    assert sizes == [(32, 48), (48, 72), (64, 96)]
    stated = [stage.image_size for stage in ProgressiveLearning(2, image_size=(24, 24)).plan(data, 3)]
    assert stated == [24, (64, 96)]


class Watch(pl.Callback):
    """Note what each step trains on."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, float]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        (dropout,) = (module for module in pl_module.modules() if isinstance(module, Dropout))
        self.seen.append((trainer.current_epoch, batch.images.shape[-1], dropout.rate))


def make_callback() -> ProgressiveLearning:
    return ProgressiveLearning(2, image_size=8, magnitude=1, mixup=0.0, dropout=0.1)


@pytest.mark.slow
def test_a_run_trains_on_the_stages_and_resumes_in_them_to_the_bit(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 2, "data": {"image_size": 12}}
    watch = Watch()
    _, model = fit(tmp_path / "whole", callbacks=(make_callback(), watch), **settings)
    assert set(watch.seen) == {(0, 8, 0.1), (1, 12, 0.2)}
    assert [module.rate for module in model.modules() if isinstance(module, Dropout)] == [0.2]
    with pytest.raises(RunInterrupted):
        fit(tmp_path / "parts", callbacks=(make_callback(),), stop_after=14, **settings)
    watch = Watch()
    fit(tmp_path / "parts", callbacks=(make_callback(), watch), resume=True, **settings)
    assert set(watch.seen) == {(1, 12, 0.2)}
    assert_same_end(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_the_stages_fit_into_the_epochs_that_max_steps_leaves(tmp_path: Path) -> None:
    """11 steps an epoch; the rate falls to 0 at step 12, so that the last stage has to begin before."""
    watch = Watch()
    fit(tmp_path, callbacks=(make_callback(), watch), epochs=8, max_steps=12, data={"image_size": 12})
    assert [size for epoch, size, _ in watch.seen if epoch == 0] == [8] * 11
    assert [size for epoch, size, _ in watch.seen if epoch == 1] == [12]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": 0}, "stages must be at least 1"),
        ({"stages": 2, "magnitude": -1}, "magnitude must be at least 0"),
        ({"stages": 2, "image_size": (8, 0)}, "image_size must be at least 1"),
        ({"stages": 1, "image_size": 64}, "set stages to 2 or more"),
    ],
)
def test_wrong_settings_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProgressiveLearning(**options)


def test_a_run_has_at_most_one_stage_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(ProgressiveLearning(4, image_size=8).plan(make_data(), 3)) == 3
    assert "progressive_learning.stages is 3 instead of 4" in capsys.readouterr().out
    (only,) = ProgressiveLearning(4, image_size=4).plan(make_data(), 1)
    assert only.image_size == make_data().image_size  # a single epoch is trained as the last one would be
