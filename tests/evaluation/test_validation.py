"""A checkpoint's figures: those of the loop in which ``fit`` validates, in the precision of the run."""

from dataclasses import replace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from colors import color_network, labelled, noise
from fitted_run import FittedRun

from lit_cnn.data.module import ImageData
from lit_cnn.evaluation.images import evaluation_images
from lit_cnn.evaluation.logits import stream
from lit_cnn.evaluation.predict import file_images, predict_files
from lit_cnn.evaluation.recorded_data import load_data
from lit_cnn.evaluation.test_time_augmentation import make_views
from lit_cnn.evaluation.trained import Trained, load_trained
from lit_cnn.evaluation.validation import compare_views, in_run_precision, run_views, validate, views_report
from lit_cnn.training.classifier import Classifier


class WatchedClassifier(Classifier):
    """Keeps the logits of its validation."""

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self.logits: dict[int, torch.Tensor] = {}

    def validation_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        logits = super().validation_step(batch, batch_idx)
        self.logits |= dict(zip(batch.index.tolist(), logits.float(), strict=True))
        return logits


def validated_by_lightning(trained: Trained, data: ImageData, precision: Any) -> tuple[dict[str, float], torch.Tensor]:
    """Figures and logits (M, K) as ``fit`` finds them at the end of an epoch."""
    channels = trained.preprocessing.in_channels
    model = WatchedClassifier(trained.network, num_classes=len(trained.class_names), in_channels=channels)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        precision=precision,
        logger=False,
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    (figures,) = trainer.validate(model, datamodule=data, verbose=False)
    return figures, torch.stack([model.logits[row] for row in range(len(model.logits))])


@pytest.fixture(params=["32-true", "bf16-mixed"])
def run(request: pytest.FixtureRequest, fitted: FittedRun, machine: Any) -> tuple[Trained, ImageData]:
    """A checkpoint of ``fit`` and its data, in batches of which the last is not full; trained in each precision."""
    machine(("avx512_bf16",))
    trained = load_trained(fitted.best)
    trained.recipe["trainer"]["precision"] = request.param
    data = load_data(trained, None)
    data.batch_size = 5
    return trained, data


def test_figures_are_those_of_fits_own_validation(run: tuple[Trained, ImageData]) -> None:
    trained, data = run
    expected, _ = validated_by_lightning(trained, data, trained.recipe["trainer"]["precision"])
    computing, instead = in_run_precision(trained)
    found = validate(computing, evaluation_images(data, "val"), batch_size=data.batch_size)
    assert instead is None
    assert list(found) == ["loss", "acc1", "acc3"]
    assert (found["acc1"], found["acc3"]) == (expected["val/acc1"], expected["val/acc3"])
    assert found["loss"] == pytest.approx(expected["val/loss"], rel=1e-6)


@pytest.mark.slow
def test_logits_are_those_of_fits_own_validation(run: tuple[Trained, ImageData]) -> None:
    trained, data = run
    _, expected = validated_by_lightning(trained, data, trained.recipe["trainer"]["precision"])
    computing, _ = in_run_precision(trained)
    blocks = list(stream(computing, evaluation_images(data, "val"), make_views("center", trained.preprocessing), 5))
    assert [len(block.rows) for block in blocks] == [5, 5, 2]
    torch.testing.assert_close(torch.cat([block.logits for block in blocks]), expected, rtol=1e-5, atol=1e-6)


def test_mixed_precision_is_computed_in_bfloat16(run: tuple[Trained, ImageData]) -> None:
    trained, data = run
    computing, _ = in_run_precision(trained)
    images = evaluation_images(data, "val")
    single = validate(trained, images, batch_size=5)["loss"]
    mixed = trained.recipe["trainer"]["precision"] == "bf16-mixed"
    assert computing.autocast == (torch.bfloat16 if mixed else None)
    assert (validate(computing, images, batch_size=5)["loss"] != single) == mixed


@pytest.mark.parametrize(("precision", "number_format"), [("bf16-true", torch.bfloat16), ("64-true", torch.float64)])
def test_weights_have_the_number_format_of_the_run(
    fitted: FittedRun, machine: Any, precision: str, number_format: torch.dtype
) -> None:
    machine(("avx512_bf16",))
    trained = load_trained(fitted.best)
    trained.recipe["trainer"]["precision"] = precision
    data = load_data(trained, None)
    computing, instead = in_run_precision(trained)
    found = validate(computing, evaluation_images(data, "val"), batch_size=data.batch_size)
    assert {next(each.network.parameters()).dtype for each in (trained, computing)} == {torch.float32, number_format}
    expected, _ = validated_by_lightning(trained, data, precision)
    assert instead is None
    assert found["loss"] == pytest.approx(expected["val/loss"], rel=1e-6)


def test_predict_names_the_class_that_validation_counts(fitted: FittedRun) -> None:
    trained = load_trained(fitted.best)
    _, logits = validated_by_lightning(trained, load_data(trained, None), "32-true")
    files = sorted(str(path) for path in (fitted.images / "val").rglob("*.png"))
    batches = predict_files(trained, file_images(files, trained.preprocessing.pixel_format))
    predictions = [prediction for batch in batches for prediction in batch]
    assert [prediction.file for prediction in predictions] == files
    called = [trained.class_names[k] for k in logits.argmax(dim=1).tolist()]
    assert [prediction.classes[0] for prediction in predictions] == called
    for prediction, probabilities in zip(predictions, logits.softmax(dim=1).sort(descending=True).values, strict=True):
        assert prediction.probabilities == pytest.approx(probabilities.tolist(), rel=1e-5)


def trained_in(precision: str | None) -> Any:
    return replace(color_network(), recipe={"trainer": {"precision": precision}})


def test_a_checkpoint_is_validated_in_its_runs_precision(machine: Any) -> None:
    machine(("avx512_bf16",))
    for precision, number_format in (("bf16-mixed", torch.bfloat16), ("32-true", None), (None, None)):
        computing, instead = in_run_precision(trained_in(precision))
        assert (computing.autocast, instead) == (number_format, None)


def test_where_that_would_be_emulated_it_is_validated_in_float32_and_told(machine: Any) -> None:
    machine(("avx2",))
    computing, instead = in_run_precision(trained_in("bf16-mixed"))
    assert computing.autocast is None
    assert str(instead) == "precision: 32-true, because this CPU has no instructions for the run's bf16-mixed"


def test_views_are_padded_where_the_training_was() -> None:
    padded = replace(color_network(), recipe={"data": {"crop": {"kind": "pad", "padding": 2}}})
    resized = replace(color_network(), recipe={"data": {"crop": {"kind": "resize", "padding": 2}}})
    assert [run_views(each, "ten").padding for each in (padded, resized)] == [2, 0]
    assert run_views(padded, "center") == make_views("center", padded.preprocessing)


def test_the_gain_of_views_over_the_center_crop_is_that_of_the_images() -> None:
    trained, images = replace(color_network(), recipe={"data": {}}), labelled(noise(30, 12, 8))
    single = run_views(trained, "center")
    center, same = compare_views(trained, images, single, "probabilities")
    assert same is center
    views = run_views(trained, "multi_scale")
    center, outcome = compare_views(trained, images, views, "probabilities")
    report = views_report(center, outcome, views, "probabilities")
    assert (report["images"], report["views"]["views_per_image"]) == (30, 3)
    assert report["gain"] == pytest.approx(report["views"]["acc1"] - report["center"]["acc1"])
