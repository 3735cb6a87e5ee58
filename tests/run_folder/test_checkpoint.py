"""Weights that are exported alone can be read by everybody, and used without the checkpoint."""

import json
import os
from pathlib import Path

import torch
from checkpoint_files import PREPROCESSING, write_checkpoint
from safetensors import safe_open

from lit_cnn.run_folder.checkpoint import export_weights, load_checkpoint, network_weights

NAMES = ["cat", "großer Hund", "emu"]


def exported(folder: Path) -> Path:
    checkpoint = load_checkpoint(write_checkpoint(folder / "best.ckpt", NAMES))
    export_weights(checkpoint, folder / "weights.safetensors")
    return folder / "weights.safetensors"


def test_exported_weights_say_what_they_are_for(tmp_path: Path) -> None:
    with safe_open(exported(tmp_path), "pt") as file:
        metadata, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    expected = network_weights(load_checkpoint(tmp_path / "best.ckpt"))
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in weights)
    assert (metadata.pop("architecture"), metadata.pop("format")) == ("cifar_resnet20", "pt")
    described = {name: json.loads(text) for name, text in metadata.items()}
    assert described["preprocessing"].items() >= PREPROCESSING.items()
    assert described["class_names"] == NAMES
    assert (described["num_classes"], described["in_channels"], described["options"]) == (3, 3, {})


def test_a_mapped_checkpoint_holds_the_same_tensors(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "best.ckpt", NAMES)
    whole, mapped = (load_checkpoint(path, mapped=way)["state_dict"] for way in (False, True))
    assert whole.keys() == mapped.keys()
    assert all(torch.equal(whole[name], mapped[name]) for name in whole)


def test_their_rights_are_those_of_other_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = exported(tmp_path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
