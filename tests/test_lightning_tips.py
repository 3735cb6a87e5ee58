"""Lightning's tips to install other products are silenced, and nothing else that it logs."""

import logging
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import lit_cnn  # silences them
from lit_cnn.lightning_tips import LOGGER, TIP, silence_tips, without_tips


def logged(folder: Path, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What Lightning logs of a Trainer with its default checkpoints, and of a step with it."""
    caplog.clear()
    caplog.set_level(logging.INFO, logger=LOGGER)
    logging.getLogger(LOGGER).addHandler(caplog.handler)  # Lightning's loggers do not always pass messages on
    try:
        quiet = {"enable_progress_bar": False, "enable_model_summary": False}
        trainer = pl.Trainer(accelerator="cpu", logger=False, max_steps=1, default_root_dir=folder, **quiet)
        images = DataLoader(TensorDataset(torch.zeros(2, 1, 8, 8), torch.zeros(2, dtype=torch.int64)))
        trainer.fit(lit_cnn.Classifier("cifar_resnet8", num_classes=2, in_channels=1), images, images)
    finally:
        logging.getLogger(LOGGER).removeHandler(caplog.handler)
    return caplog.messages


def test_a_trainer_logs_what_it_runs_on_and_no_tip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    messages = logged(tmp_path, caplog)
    assert any("GPU available" in message for message in messages)
    assert not [message for message in messages if "install" in message]
    logging.getLogger(LOGGER).removeFilter(without_tips)
    try:
        tips = [message for message in logged(tmp_path / "again", caplog) if message.startswith(TIP)]
    finally:
        silence_tips()
    assert any("litlogger" in tip for tip in tips)
    assert any("litmodels" in tip for tip in tips)


def test_silencing_twice_adds_one_filter() -> None:
    silence_tips()
    assert logging.getLogger(LOGGER).filters.count(without_tips) == 1
