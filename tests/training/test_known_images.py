"""Validation images that the initial weights were trained on are warned of."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from lit_cnn.data.loading.fingerprints import Fingerprints
from lit_cnn.data.module import ImageData
from lit_cnn.training import known_images as module
from lit_cnn.training.known_images import known_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(20):
            Image.effect_noise((8, 8), 10 + number).save(tmp_path / name / f"{number}.png")
    return tmp_path


def checkpoint(data: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every checkpoint was trained on ``data``."""
    train = Fingerprints.of(data.loaded.train, data.class_names).as_dict()
    monkeypatch.setattr(module, "load_checkpoint", lambda _: {"ImageData": {"train": train}})


def test_images_that_another_rule_holds_out_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ImageData("imagefolder", str(folder), val_fraction=0.2)
    checkpoint(before, monkeypatch)
    other = ImageData("imagefolder", str(folder), val_fraction=0.2, hold_out="rows")
    count = len(set(other.loaded.val.paths) - set(before.loaded.val.paths))
    sentence = known_images("base.ckpt", other)
    assert count > 0
    assert sentence is not None
    assert sentence.startswith(f"{count} of the 8 validation images w")
    assert "trained on by base.ckpt, so the validation accuracy is flattered" in sentence


def test_a_folder_that_has_grown_says_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint(ImageData("imagefolder", str(folder), val_fraction=0.2), monkeypatch)
    for number in range(20, 40):
        Image.effect_noise((8, 8), 10 + number).save(folder / "cat" / f"{number}.png")
    assert known_images("base.ckpt", ImageData("imagefolder", str(folder), val_fraction=0.2)) is None


def test_older_checkpoints_and_other_data_say_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint(ImageData("imagefolder", str(folder)), monkeypatch)
    assert known_images("base.ckpt", torch.utils.data.TensorDataset()) is None
    monkeypatch.setattr(module, "load_checkpoint", lambda _: {})
    assert known_images("base.ckpt", ImageData("imagefolder", str(folder))) is None
