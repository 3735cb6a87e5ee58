"""Weights as safetensors: readable by everyone, and by our network of the name in them."""

import stat
from pathlib import Path

import torch
from exported_run import photographs, untrained
from torch import nn

from lit_cnn.evaluation.trained import load_trained
from lit_cnn.exporting.exporting import export_verified
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.safetensors_file import export_safetensors, open_safetensors
from lit_cnn.run_folder.checkpoint import FORMAT, load_checkpoint


def test_the_file_is_verified_and_gives_the_same_bits(tmp_path: Path) -> None:
    trained, file = untrained(tmp_path), tmp_path / "net.safetensors"
    images = photographs(tmp_path, trained)
    found = export_verified(trained, file, "safetensors", GraphForm(with_preprocessing=False), images)
    assert (found.path, found.size) == (file, file.stat().st_size)
    assert (found.verification.agreed, found.verification.difference) == (6, 0.0)
    assert stat.S_IMODE(file.stat().st_mode) & stat.S_IRGRP == stat.S_IRGRP


def test_the_file_is_a_checkpoint_for_every_command(tmp_path: Path) -> None:
    trained, file = untrained(tmp_path), tmp_path / "net.safetensors"
    export_safetensors(trained, file, "CC-BY-4.0")
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    read = load_trained(file)
    assert torch.equal(read.logits(images), trained.logits(images))
    assert (read.class_names, read.preprocessing) == (trained.class_names, trained.preprocessing)
    assert load_checkpoint(file)["format"] == FORMAT


def test_a_network_outside_the_catalog_takes_its_weights_from_the_file(tmp_path: Path) -> None:
    trained, file = untrained(tmp_path), tmp_path / "net.safetensors"
    trained.network = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    trained.built_from = {"architecture": None, "options": {}, "num_classes": 3, "in_channels": 3}
    export_safetensors(trained, file)
    inputs = torch.randn(2, 3, 2, 2)
    expected = trained.network(inputs)
    torch.testing.assert_close(open_safetensors(file, nn.Sequential(nn.Flatten(), nn.Linear(12, 3)))(inputs), expected)
