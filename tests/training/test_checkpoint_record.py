"""A checkpoint of a script's own Trainer says all that loading, predicting and validating need."""

import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from fitted_run import NAMES, FittedRun
from lightning.pytorch.callbacks import ModelCheckpoint
from script_run import digits, images_of, make_classifier, make_trainer, own_loader
from torch import nn

import lit_cnn
from lit_cnn import Classifier, ImageData
from lit_cnn.architectures.entry import NetworkOptions
from lit_cnn.cli.main import main
from lit_cnn.data.augmentation.crop import Crop
from lit_cnn.data.settings import Evaluation
from lit_cnn.run_folder.checkpoint import FORMAT, load_checkpoint
from lit_cnn.training.callbacks.ema import EMA
from lit_cnn.training.checkpoint_record import built_in
from lit_cnn.training.fine_tuning import InitialWeights
from lit_cnn.training.losses import LossSettings
from lit_cnn.training.optimization.optimizer_settings import OptimizerSettings

WITHOUT_CALLBACK = pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`, callbacks")


def saved(folder: Path, model: Classifier, *data: Any, callbacks: tuple[pl.Callback, ...] = ()) -> Path:
    """What ``ModelCheckpoint`` writes of a short fit to ``data``."""
    best = ModelCheckpoint(folder, monitor="val/acc1", mode="max")
    trainer = make_trainer(folder, enable_checkpointing=True, callbacks=[best, *callbacks])
    trainer.fit(model, *data)
    return Path(best.best_model_path)


def own_network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_the_record_is_complete_and_of_built_in_types(tmp_path: Path) -> None:
    path = saved(tmp_path, make_classifier(), digits())
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint["format"] == FORMAT
    assert checkpoint["network"] == {
        "architecture": "cifar_resnet8",
        "options": {},
        "num_classes": 10,
        "in_channels": 1,
    }
    assert checkpoint["class_names"] == digits().class_names
    assert checkpoint["preprocessing"] == digits().preprocessing.as_dict()
    assert checkpoint["classifier"]["optimizer"]["name"] == "sgd"
    assert "recipe" not in checkpoint


def test_load_model_reads_it_and_predicts_as_the_model_does(tmp_path: Path) -> None:
    model, data = make_classifier(), digits()
    trained = lit_cnn.load_model(saved(tmp_path, model, data))
    pixels = data.loaded.val.images[:5]
    model.eval()
    with torch.no_grad():
        expected = model(data.normalized(pixels)).argmax(dim=1)
    assert [row.classes[0] for row in trained.predict(pixels)] == [data.class_names[row] for row in expected]


@pytest.mark.slow
def test_load_from_checkpoint_makes_the_same_classifier_without_arguments(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "options": NetworkOptions(dropout=0.1),
        "optimizer": OptimizerSettings(name="adamw", learning_rate=0.01, betas=(0.8, 0.9)),
        "loss": LossSettings(label_smoothing=0.1),
        "channels_last": False,
        "seed": 3,
    }
    model, data = make_classifier(**settings), digits()
    path = saved(tmp_path, model, data)
    again = Classifier.load_from_checkpoint(path)
    for name in ("options", "optimizer_settings", "loss_settings", "schedule_settings", "channels_last", "seed"):
        assert getattr(again, name) == getattr(model, name), name
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    assert (again.class_names, again.preprocessing) == (data.class_names, data.preprocessing)
    assert again.train_metrics.rows == 0
    assert Classifier.load_from_checkpoint(path, seed=4).seed == 4
    make_trainer(tmp_path).fit(again, datamodule=digits())


@pytest.mark.slow
@WITHOUT_CALLBACK
def test_it_goes_on_from_a_checkpoint_of_a_fit_with_an_average(tmp_path: Path) -> None:
    path = saved(tmp_path, make_classifier(), digits(), callbacks=(EMA(0.5),))
    averaged = torch.load(path, weights_only=True)["state_dict"]
    model = Classifier.load_from_checkpoint(path)
    assert all(torch.equal(value, averaged[name]) for name, value in model.state_dict().items())
    trainer = make_trainer(tmp_path, max_epochs=2, callbacks=[EMA(0.5)])
    trainer.fit(make_classifier(), digits(), ckpt_path=path)
    assert trainer.global_step == 4


@pytest.mark.slow
def test_the_initial_weights_are_not_needed_to_load_what_began_with_them(tmp_path: Path) -> None:
    first = saved(tmp_path / "first", make_classifier(), digits())
    initial = InitialWeights(checkpoint=first)  # a path, where text is expected
    path = saved(tmp_path / "second", make_classifier(initial=initial), digits())
    first.unlink()
    assert Classifier.load_from_checkpoint(path).initial == InitialWeights(checkpoint=str(first))


@pytest.mark.slow
def test_balanced_classes_are_counted_again_when_a_loaded_model_is_fitted(tmp_path: Path) -> None:
    path = saved(tmp_path, make_classifier(loss=LossSettings(class_weights="balanced")), digits())
    model = Classifier.load_from_checkpoint(path)
    with pytest.raises(ValueError, match="train with an ImageData"):
        make_trainer(tmp_path).fit(model, own_loader(), own_loader())
    make_trainer(tmp_path).validate(model, own_loader())
    make_trainer(tmp_path).fit(model, datamodule=digits())
    assert model.class_weights is not None


def test_a_network_given_as_a_module_must_be_given_again(tmp_path: Path) -> None:
    model = Classifier(own_network(), num_classes=10, in_channels=1)
    path = saved(tmp_path, model, digits())
    with pytest.raises(ValueError, match=r"given as a module: pass it again as architecture="):
        Classifier.load_from_checkpoint(path)
    again = Classifier.load_from_checkpoint(path, architecture=own_network())
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match=r"load_from_checkpoint as architecture="):
        lit_cnn.load_model(path)


class Narrow(Classifier):
    """Takes fewer arguments than its base class."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__("cifar_resnet8", num_classes=10, in_channels=1, seed=seed)


def test_a_subclass_with_fewer_arguments_is_loaded(tmp_path: Path) -> None:
    assert Narrow.load_from_checkpoint(saved(tmp_path, Narrow(seed=5), digits())).seed == 5


def test_code_is_never_loaded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="weights_only=False would run code"):
        Classifier.load_from_checkpoint(tmp_path / "any.ckpt", weights_only=False)


def test_where_no_data_says_it_classes_are_numbers_and_images_must_be_prepared(tmp_path: Path) -> None:
    model = make_classifier(num_classes=10, in_channels=1)
    path = saved(tmp_path, model, own_loader(), own_loader())
    trained = lit_cnn.load_model(path)
    assert trained.class_names == [str(number) for number in range(10)]
    images = images_of(torch.arange(10))
    model.eval()
    torch.testing.assert_close(trained.logits(images), model(images).detach())
    assert trained.predict(images)[3].classes[0] == str(int(model(images)[3].argmax()))
    for unprepared in (["digit.png"], torch.zeros(1, 1, 8, 8, dtype=torch.uint8)):
        with pytest.raises(ValueError, match=rf"{path.name} does not record how images are prepared"):
            trained.predict(unprepared)


def answered(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


@pytest.mark.slow
def test_the_commands_read_it(fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ImageData(
        "imagefolder",
        str(fitted.images),
        image_size=16,
        batch_size=8,
        workers=0,
        file_index=False,
        crop=Crop("resize"),
        evaluation=Evaluation(1.0),
    )
    path = saved(tmp_path, make_classifier(), data)
    code, printed, _ = answered(capsys, "predict", path, fitted.images / "test", "--json")
    assert code == 0
    assert {name for row in json.loads(printed) for name in row["classes"]} == set(NAMES)
    code, printed, _ = answered(capsys, "validate", path, "--data", fitted.images, "--json")
    assert code == 0
    assert json.loads(printed)["val/acc3"] == 1
    code, printed, _ = answered(
        capsys, "validate", path, "--data", fitted.images, "--views", "flip", "--per-class", "--json"
    )
    assert (code, json.loads(printed)["images"]) == (0, 12)
    code, _, said = answered(capsys, "validate", path)
    assert code == 1
    assert f"{path} records no recipe, so its data is not known: pass --data" in said
    assert answered(capsys, "check", path)[0] == 0


@pytest.mark.slow
def test_validate_says_so_where_it_is_not_known_how_images_are_prepared(
    fitted: FittedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_classifier(num_classes=3, in_channels=3)
    path = saved(tmp_path, model, own_loader(6, 3, 3), own_loader(6, 3, 3))
    code, _, said = answered(capsys, "validate", path, "--data", fitted.images)
    assert (code, "does not record how images are prepared" in said) == (1, True)


@pytest.mark.slow
@WITHOUT_CALLBACK
@pytest.mark.parametrize("version", [None, 1])
def test_what_an_older_version_wrote_is_read(tmp_path: Path, version: int | None) -> None:
    """Without a version it was a script's Trainer that wrote it: neither classes nor preprocessing were recorded."""
    path = saved(tmp_path, make_classifier(), digits())
    checkpoint = torch.load(path, weights_only=True)
    older = {key: value for key, value in checkpoint.items() if key not in ("format", "classifier")}
    if version is None:
        older = {key: value for key, value in older.items() if key not in ("class_names", "preprocessing")}
    torch.save({**older, **({"format": version} if version else {})}, path)
    trained = lit_cnn.load_model(path)
    assert trained.class_names == [str(number) for number in range(10)]
    assert (trained.recorded_preprocessing is None) == (version is None)
    assert load_checkpoint(path)["format"] == FORMAT
    again = Classifier.load_from_checkpoint(path)
    assert all(torch.equal(value, older["state_dict"][name]) for name, value in again.state_dict().items())
    make_trainer(tmp_path, max_epochs=2).fit(make_classifier(), digits(), ckpt_path=path)


def test_values_of_other_libraries_become_built_in_ones() -> None:
    found = built_in({"rate": np.float64(0.5), "sizes": (np.int64(3), True), "path": Path("a"), "none": None, "t": "x"})
    assert found == {"rate": 0.5, "sizes": (3, True), "path": "a", "none": None, "t": "x"}
    assert [type(value) for value in (found["rate"], *found["sizes"])] == [float, int, bool]
    assert type(built_in(torch.tensor(2.0))) is float
