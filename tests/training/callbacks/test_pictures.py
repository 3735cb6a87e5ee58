"""What the run's pictures are drawn from: the first batch, the counts of the confusion matrix, the worst images."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor

from lit_cnn.data.batch import PADDING, Batch
from lit_cnn.reports.artist import Drawn
from lit_cnn.reports.contact_sheet import caption
from lit_cnn.training.callbacks import pictures, run_pictures
from lit_cnn.training.callbacks.pictures import SHOWN, Pictures

CAT, DOG, EMU = 0, 1, 2
NAMES = ["cat", "dog", "emu"]
SOURCE = SimpleNamespace(val=SimpleNamespace(paths=[f"photos/{number}.png" for number in range(9)]))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The arguments with which each picture was asked for, by its name; nothing is drawn."""
    asked: dict[str, dict[str, Any]] = {}

    class Note:
        def draw(self, function: str, out_png: Path, **arguments: Any) -> None:
            module, name = function.split(".")
            assert callable(getattr(importlib.import_module(f"lit_cnn.reports.{module}"), name))
            asked[out_png.name] = {**arguments, "path": out_png}

        def drawn(self) -> list[Drawn]:
            return []

    monkeypatch.setattr(run_pictures, "Artist", Note)
    return asked


def make_trainer(**changes: Any) -> Any:
    data = SimpleNamespace(num_classes=3, class_names=NAMES, denormalize=lambda images: images * 100, loaded=SOURCE)
    strategy = SimpleNamespace(reduce=lambda counts, **_: counts)
    stub = {"datamodule": data, "strategy": strategy, "is_global_zero": True, "global_step": 0, "current_epoch": 0}
    return SimpleNamespace(**{**stub, **changes})


def make_batch(targets: Tensor, index: Tensor | None = None, first: int = 0) -> Batch:
    """Image number n is filled with n, from ``first`` on."""
    rows = torch.arange(first, first + len(targets))
    images = rows[:, None, None, None].float().expand(-1, 1, 2, 2)
    return Batch(images, targets, rows if index is None else index, rows, torch.tensor(1.0))


def validate(folder: Path, batches: list[tuple[Tensor, Batch]]) -> None:
    """A validation of (logits, batch), the best of its run."""
    callback, trainer, module = Pictures(folder), make_trainer(), SimpleNamespace(device="cpu")
    callback.on_validation_epoch_start(trainer, module)
    for number, (logits, batch) in enumerate(batches):
        callback.on_validation_batch_end(trainer, module, logits, batch, number)
    callback.draw_validation(trainer)


def sure_of(classes: list[int], margin: float = 8.0) -> Tensor:
    """Logits that call each image the given class."""
    return margin * torch.eye(3)[classes]


def test_rows_of_the_counts_are_the_truth_and_columns_what_was_called(
    tmp_path: Path, drawn: dict[str, dict[str, Any]]
) -> None:
    first = (sure_of([CAT, DOG, DOG]), make_batch(torch.tensor([CAT, CAT, CAT])))
    second = (sure_of([EMU, CAT]), make_batch(torch.tensor([DOG, EMU])))
    validate(tmp_path, [first, second])
    asked = drawn["confusion.png"]
    assert asked["matrix"].tolist() == [[1, 2, 0], [0, 0, 1], [1, 0, 0]]
    assert asked["class_names"] == NAMES
    assert asked["path"] == tmp_path / "confusion.png"


def test_more_classes_than_a_picture_can_show_are_not_counted_in_pairs(
    tmp_path: Path, drawn: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_CLASSES", 2)
    validate(tmp_path, [(sure_of([DOG]), make_batch(torch.tensor([CAT])))])
    assert drawn.keys() == {"worst_images.png"}


def test_padding_is_neither_counted_nor_shown(tmp_path: Path, drawn: dict[str, dict[str, Any]]) -> None:
    batch = make_batch(torch.tensor([CAT, DOG]), index=torch.tensor([5, PADDING]))
    validate(tmp_path, [(sure_of([CAT, CAT]), batch)])
    assert drawn["confusion.png"]["matrix"].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert len(drawn["worst_images.png"]["images"]) == 1


def wrong_by(margins: list[float], first: int) -> tuple[Tensor, Batch]:
    """Images of cats, from number ``first`` on, called dogs the surer the larger the margin; loss log(1 + e^margin)."""
    values = torch.tensor(margins)
    logits = torch.stack([torch.zeros_like(values), values, torch.full_like(values, -100.0)], dim=1)
    return logits, make_batch(torch.full((len(margins),), CAT), first=first)


def test_the_images_with_the_highest_loss_of_all_batches_are_shown_the_worst_first(
    tmp_path: Path, drawn: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WORST", 3)
    validate(tmp_path, [wrong_by([1.0, 5.0, 2.0, 4.0], first=0), wrong_by([3.0, 6.0], first=4)])
    asked, margins = drawn["worst_images.png"], np.array([6.0, 5.0, 4.0])
    assert asked["images"][:, 0, 0, 0].tolist() == [500, 100, 300]
    np.testing.assert_allclose(asked["losses"], np.log(1 + np.exp(margins)), rtol=1e-5)
    np.testing.assert_allclose(asked["probabilities"], 1 / (1 + np.exp(-margins)), rtol=1e-5)
    assert (asked["true"].tolist(), asked["predicted"].tolist()) == ([CAT] * 3, [DOG] * 3)
    assert asked["files"] == ["photos/5.png", "photos/1.png", "photos/3.png"]
    assert (asked["class_names"], asked["path"]) == (NAMES, tmp_path / "worst_images.png")


def test_the_first_batch_is_shown_as_pixels_with_its_classes(tmp_path: Path, drawn: dict[str, dict[str, Any]]) -> None:
    targets = torch.arange(SHOWN + 4) % 3
    Pictures(tmp_path).on_train_batch_start(make_trainer(), SimpleNamespace(), make_batch(targets), 0)
    asked = drawn["first_batch.png"]
    assert asked["images"][:, 0, 0, 0].tolist() == [100.0 * number for number in range(SHOWN)]
    assert asked["targets"].tolist() == [number % 3 for number in range(SHOWN)]
    assert asked["names"] == NAMES
    assert asked["path"] == tmp_path / "first_batch.png"


def test_a_mixed_first_batch_tells_the_shares(tmp_path: Path, drawn: dict[str, dict[str, Any]]) -> None:
    batch = make_batch(torch.tensor([[0.7, 0.0, 0.3], [0.0, 1.0, 0.0]]))
    Pictures(tmp_path).on_train_batch_start(make_trainer(), SimpleNamespace(), batch, 0)
    asked = drawn["first_batch.png"]
    assert [caption(target, asked["names"]) for target in asked["targets"]] == ["cat 0.7 / emu 0.3", "dog"]


@pytest.mark.parametrize(("step", "batch_idx"), [(1, 0), (0, 1), (5, 5)])
def test_no_later_batch_is_shown(tmp_path: Path, drawn: dict[str, dict[str, Any]], step: int, batch_idx: int) -> None:
    trainer, batch = make_trainer(global_step=step), make_batch(torch.tensor([CAT]))
    Pictures(tmp_path).on_train_batch_start(trainer, SimpleNamespace(), batch, batch_idx)
    assert not drawn


def test_the_curves_are_drawn_once_an_epoch_has_ended(tmp_path: Path, drawn: dict[str, dict[str, Any]]) -> None:
    callback = Pictures(tmp_path, title="a run")
    (tmp_path / "metrics.csv").touch()
    callback.on_train_epoch_start(make_trainer(), SimpleNamespace())
    assert not drawn
    callback.on_train_epoch_start(make_trainer(current_epoch=1, is_global_zero=False), SimpleNamespace())
    assert not drawn
    callback.on_train_epoch_start(make_trainer(current_epoch=1), SimpleNamespace())
    assert drawn["curves.png"] == {
        "metrics_csv": tmp_path / "metrics.csv",
        "title": "a run",
        "path": tmp_path / "curves.png",
    }


@pytest.mark.slow
def test_a_picture_that_cannot_be_drawn_is_said_once_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = Pictures(tmp_path)
    for name in ("first", "second"):
        callback.draw("confusion.draw_confusion", name, 0, matrix=[[1]], class_names=["a", "b"])
    callback.teardown(make_trainer(), SimpleNamespace(), "fit")
    said = capsys.readouterr().out
    assert said.count("could not be drawn: the confusion matrix of 2 classes has the shape (2, 2), got (1, 1)") == 1


@pytest.mark.slow
def test_the_tracker_gets_a_picture_under_the_step_at_which_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = Mock()
    monkeypatch.setattr(run_pictures, "log_picture", logged)
    callback = Pictures(tmp_path, tracker := object())
    callback.draw("confusion.draw_confusion", "confusion", 7, matrix=[[1]], class_names=["a"])
    callback.teardown(make_trainer(), SimpleNamespace(), "fit")
    logged.assert_called_once_with(tracker, "confusion", tmp_path / "confusion.png", 7)
