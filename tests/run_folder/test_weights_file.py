"""Weights exported alone are a checkpoint for every command; other safetensors are refused in a sentence."""

import json
from pathlib import Path

import pytest
import torch
from checkpoint_files import write_checkpoint
from nasty_names import NASTY
from safetensors.torch import save_file

from lit_cnn.evaluation.trained import load_trained
from lit_cnn.run_folder.checkpoint import export_weights, load_checkpoint, network_weights
from lit_cnn.run_folder.weights_file import is_safetensors, read_described


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    proof = {"source": "timm:x", "license": "mit", "proof": {"status": "unproven", "sentence": "nobody knows"}}
    path = write_checkpoint(tmp_path / "best.ckpt", NASTY, provenance=proof)
    export_weights(load_checkpoint(path), tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def test_exported_weights_are_read_as_the_checkpoint_they_came_from(exported: Path) -> None:
    before, now = (load_checkpoint(exported.with_name(name)) for name in ("best.ckpt", exported.name))
    for entry in ("network", "class_names", "preprocessing", "provenance", "format"):
        assert now[entry] == before[entry], entry
    weights = network_weights(now)
    assert weights.keys() == network_weights(before).keys()
    assert all(torch.equal(weights[name], value) for name, value in network_weights(before).items())


def test_the_network_is_built_from_them_alone(exported: Path, tmp_path: Path) -> None:
    alone = exported.rename(tmp_path / "handed on.bin")  # its content says what it is
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    trained = load_trained(alone)
    assert torch.equal(trained.logits(images), load_trained(tmp_path / "best.ckpt").logits(images))
    assert trained.class_names == NASTY
    assert trained.doubt == f"warning: {alone}: nobody knows"


def test_safetensors_of_another_program_are_refused(tmp_path: Path) -> None:
    save_file({"w": torch.ones(2, 2)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"does not say which network it holds.*lit-cnn import FILE"):
        load_checkpoint(tmp_path / "w.safetensors")


def test_damaged_files_are_refused(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(exported.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"cut\.safetensors is not a readable safetensors file"):
        load_checkpoint(tmp_path / "cut.safetensors")
    metadata = dict.fromkeys(("options", "num_classes", "in_channels", "class_names"), "1")
    metadata |= {"architecture": "vgg11", "preprocessing": "{"}
    save_file({"w": torch.ones(2, 2)}, tmp_path / "odd.safetensors", metadata)
    with pytest.raises(ValueError, match=r"the metadata of .*odd.safetensors is damaged"):
        read_described(tmp_path / "odd.safetensors")


def test_what_begins_as_safetensors(exported: Path, tmp_path: Path) -> None:
    assert is_safetensors(exported)
    assert not is_safetensors(exported.with_name("best.ckpt"))
    (tmp_path / "text.json").write_text(json.dumps({"a": 1}))
    assert not is_safetensors(tmp_path / "text.json")
    (tmp_path / "empty").touch()
    assert not is_safetensors(tmp_path / "empty")
