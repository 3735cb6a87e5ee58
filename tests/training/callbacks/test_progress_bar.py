"""The bar shows the loss of the epoch so far, and nothing of how loggers number their runs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from script_run import make_classifier, make_trainer, own_loader

from lit_cnn.training.callbacks import progress_bar
from lit_cnn.training.callbacks.progress_bar import RunBar
from lit_cnn.training.metrics_file import MetricsFile
from lit_cnn.training.trainer import progress_bars


class Noting(RunBar):
    """Notes what the bar shows, and the loss of each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[dict[str, Any]] = []
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *rest: Any) -> None:
        self.losses.append(float(outputs["loss"]))
        super().on_train_batch_end(trainer, pl_module, outputs, *rest)
        self.shown.append(self.get_metrics(trainer, pl_module))


def test_the_running_loss_is_shown_and_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_bar, "EVERY", 2)
    bar, logger = Noting(), MetricsFile(tmp_path)
    settings = {"enable_progress_bar": True, "logger": logger, "limit_train_batches": 5, "max_epochs": 2}
    trainer = make_trainer(tmp_path, callbacks=[bar], log_every_n_steps=1, **settings)
    trainer.fit(make_classifier(num_classes=10, in_channels=1), own_loader(40), own_loader())
    assert not any("v_num" in shown for shown in bar.shown)
    for epoch in (0, 5):
        losses = torch.tensor(bar.losses[epoch : epoch + 5])
        means = [float(losses[:count].mean()) for count in (1, 3, 5)]
        found = [bar.shown[epoch + batch]["loss"] for batch in (0, 2, 4)]
        assert found == pytest.approx(means, rel=1e-5)
        assert bar.shown[epoch + 1]["loss"] == found[0]
    assert "val/acc1" in bar.shown[-1]


def test_a_run_has_this_bar_unless_it_has_another_or_none() -> None:
    assert [type(bar) for bar in progress_bars({"callbacks": []})] == [RunBar]
    assert progress_bars({"callbacks": [], "enable_progress_bar": False}) == []
    assert progress_bars({"callbacks": [RunBar()]}) == []
