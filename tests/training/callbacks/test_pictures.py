"""What the run's pictures are drawn from: the first batch, the counts of the confusion matrix, the worst images."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor

from lit_cnn.data.batch import PADDING, Batch
from lit_cnn.training.callbacks import pictures
from lit_cnn.training.callbacks.pictures import SHOWN, Pictures

CAT, DOG, EMU = 0, 1, 2
NAMES = ["cat", "dog", "emu"]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mock]:
    """What was given to the functions that draw, which here draw nothing."""
    mocks = {name: Mock() for name in ("draw_confusion", "draw_worst", "draw_contact_sheet", "log_picture")}
    for name, mock in mocks.items():
        monkeypatch.setattr(pictures, name, mock)
    return mocks


def make_trainer(**changes: Any) -> Any:
    data = SimpleNamespace(num_classes=3, class_names=NAMES, denormalize=lambda images: images * 100)
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


def test_rows_of_the_counts_are_the_truth_and_columns_what_was_called(tmp_path: Path, drawn: dict[str, Mock]) -> None:
    first = (sure_of([CAT, DOG, DOG]), make_batch(torch.tensor([CAT, CAT, CAT])))
    second = (sure_of([EMU, CAT]), make_batch(torch.tensor([DOG, EMU])))
    validate(tmp_path, [first, second])
    counts, names, path = drawn["draw_confusion"].call_args.args
    assert counts.tolist() == [[1, 2, 0], [0, 0, 1], [1, 0, 0]]
    assert names == NAMES
    assert path == tmp_path / "confusion.png"


def test_padding_is_neither_counted_nor_shown(tmp_path: Path, drawn: dict[str, Mock]) -> None:
    batch = make_batch(torch.tensor([CAT, DOG]), index=torch.tensor([5, PADDING]))
    validate(tmp_path, [(sure_of([CAT, CAT]), batch)])
    assert drawn["draw_confusion"].call_args.args[0].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert len(drawn["draw_worst"].call_args.args[0]) == 1


def wrong_by(margins: list[float], first: int) -> tuple[Tensor, Batch]:
    """Images of cats, from number ``first`` on, called dogs the surer the larger the margin; loss log(1 + e^margin)."""
    values = torch.tensor(margins)
    logits = torch.stack([torch.zeros_like(values), values, torch.full_like(values, -100.0)], dim=1)
    return logits, make_batch(torch.full((len(margins),), CAT), first=first)


def test_the_images_with_the_highest_loss_of_all_batches_are_shown_the_worst_first(
    tmp_path: Path, drawn: dict[str, Mock], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WORST", 3)
    validate(tmp_path, [wrong_by([1.0, 5.0, 2.0, 4.0], first=0), wrong_by([3.0, 6.0], first=4)])
    images, losses, true, predicted, probabilities, names, path = drawn["draw_worst"].call_args.args
    margins = torch.tensor([6.0, 5.0, 4.0])
    assert images[:, 0, 0, 0].tolist() == [500, 100, 300]
    torch.testing.assert_close(losses, (1 + margins.exp()).log())
    torch.testing.assert_close(probabilities, 1 / (1 + (-margins).exp()))
    assert (true.tolist(), predicted.tolist()) == ([CAT] * 3, [DOG] * 3)
    assert (names, path) == (NAMES, tmp_path / "worst_images.png")


def test_the_first_batch_is_shown_as_pixels_with_its_classes(tmp_path: Path, drawn: dict[str, Mock]) -> None:
    targets = torch.arange(SHOWN + 4) % 3
    Pictures(tmp_path).on_train_batch_start(make_trainer(), SimpleNamespace(), make_batch(targets), 0)
    images, captions, path = drawn["draw_contact_sheet"].call_args.args
    assert images[:, 0, 0, 0].tolist() == [100.0 * number for number in range(SHOWN)]
    assert captions == [NAMES[number % 3] for number in range(SHOWN)]
    assert path == tmp_path / "first_batch.png"


def test_a_mixed_first_batch_tells_the_shares(tmp_path: Path, drawn: dict[str, Mock]) -> None:
    batch = make_batch(torch.tensor([[0.7, 0.0, 0.3], [0.0, 1.0, 0.0]]))
    Pictures(tmp_path).on_train_batch_start(make_trainer(), SimpleNamespace(), batch, 0)
    assert drawn["draw_contact_sheet"].call_args.args[1] == ["cat 0.7 / emu 0.3", "dog"]


@pytest.mark.parametrize(("step", "batch_idx"), [(1, 0), (0, 1), (5, 5)])
def test_no_later_batch_is_shown(tmp_path: Path, drawn: dict[str, Mock], step: int, batch_idx: int) -> None:
    trainer, batch = make_trainer(global_step=step), make_batch(torch.tensor([CAT]))
    Pictures(tmp_path).on_train_batch_start(trainer, SimpleNamespace(), batch, batch_idx)
    assert not drawn["draw_contact_sheet"].called
