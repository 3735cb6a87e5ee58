"""Files as training programs leave them: the network's tensors are found, or one sentence says why not."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lit_cnn.pretrained.reading import read_foreign, read_weights
from lit_cnn.pretrained.unwrapping import unwrap, without_prefix


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in network().state_dict().items()}


def shifted(prefix: str = "") -> dict[str, Tensor]:
    """Other numbers of the same names: the average."""
    return {name: value + 1 for name, value in prefixed(prefix).items()}


def optimizer() -> dict[str, Any]:
    model = network()
    adam = torch.optim.Adam(model.parameters())
    model(torch.rand(2, 3, 3, 3)).sum().backward()
    adam.step()
    return adam.state_dict()


LAYOUTS: dict[str, Callable[[], Any]] = {
    "bare": lambda: network().state_dict(),
    "imagenet example": lambda: {
        "epoch": 90, "arch": "resnet18", "state_dict": prefixed("module."), "best_acc1": torch.tensor(70.1),
        "optimizer": optimizer(),
    },
    "net of kuangliu": lambda: {"net": prefixed("module."), "acc": 93.2, "epoch": 199},
    "model with args": lambda: {"model": network().state_dict(), "args": argparse.Namespace(lr=0.1), "optimizer": {}},
    "lightning": lambda: {
        "state_dict": {**prefixed("model."), "criterion.weight": torch.ones(2)}, "optimizer_states": [optimizer()],
        "hyper_parameters": {"lr": 0.1}, "loops": {"fit_loop": {}},
    },
    "compiled, then data parallel": lambda: {"state_dict": prefixed("module._orig_mod.")},
    "twice nested": lambda: {"checkpoint": {"model_state_dict": prefixed("net.")}, "figures": {"acc": torch.ones(3)}},
    "averaged model of torch": lambda: {"model": {**prefixed("module."), "n_averaged": torch.tensor(5)}},
    "numpy figures beside": lambda: {"state_dict": network().state_dict(), "best": np.float64(93.2)},
    "half precision": lambda: {"module": {name: value.half() if value.is_floating_point() else value
                                          for name, value in network().state_dict().items()}},
}  # fmt: skip


ENDINGS = ("th", "pt", "pth", "bin", "ckpt", "weights")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_yields_the_network_whatever_its_ending(tmp_path: Path, layout: str) -> None:
    file = tmp_path / f"w.{ENDINGS[list(LAYOUTS).index(layout) % len(ENDINGS)]}"
    torch.save(LAYOUTS[layout](), file)
    read, expected = read_weights(file), network().state_dict()
    assert list(read) == list(expected)
    assert all(torch.allclose(read[name].float(), expected[name].float(), atol=1e-3) for name in expected)


def test_the_content_decides_and_not_the_ending(tmp_path: Path) -> None:
    state = network().state_dict()
    save_file(state, tmp_path / "hub.bin")
    np.savez(tmp_path / "a.npz", **{name.replace(".", "/"): value.numpy() for name, value in state.items()})
    (tmp_path / "a.npz").rename(tmp_path / "arrays.pth")
    torch.save(state, tmp_path / "old.safetensors", _use_new_zipfile_serialization=False)
    for name in ("hub.bin", "arrays.pth", "old.safetensors"):
        read = read_weights(tmp_path / name)
        assert read.keys() == state.keys()
        assert all(torch.equal(read[key], state[key]) for key in state)


BOTH: dict[str, Callable[[], Any]] = {
    "timm's": lambda: {"state_dict": prefixed(""), "state_dict_ema": shifted()},
    "model and model_ema": lambda: {"model": prefixed("module."), "model_ema": shifted("module.")},
    "ema below a key": lambda: {"model": prefixed(""), "ema": {"state_dict": shifted("module.")}},
    "in one dictionary": lambda: {"state_dict": {**prefixed("model."), **shifted("ema_model.")}},
}


@pytest.mark.parametrize("layout", BOTH)
def test_averaged_weights_are_taken_by_default_which_is_said_and_raw_ones_when_asked(layout: str) -> None:
    content, raw = BOTH[layout](), network().state_dict()
    default = unwrap(content, "w.pth")
    assert default.kind == "ema"
    assert torch.equal(default.state["0.weight"], raw["0.weight"] + 1)
    assert "--weights raw takes the others" in default.notes[0]
    assert torch.equal(unwrap(content, "w.pth", "raw").state["0.weight"], raw["0.weight"])


def test_weights_of_a_kind_that_is_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="holds no ema weights, only state_dict"):
        unwrap({"state_dict": prefixed("")}, "w.pth", "ema")
    with pytest.raises(ValueError, match="holds no raw weights, only model_ema"):
        unwrap({"model_ema": prefixed("")}, "w.pth", "raw")


def test_several_networks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"several sets of weights \(actor, critic\)"):
        unwrap({"actor": prefixed(""), "critic": shifted()}, "w.pth")


def test_figures_alone_are_not_weights() -> None:
    with pytest.raises(ValueError, match="holds no dictionary of a network's tensors; its keys are epoch, best_acc1"):
        unwrap({"epoch": 3, "best_acc1": torch.tensor(70.0)}, "w.pth")


def test_what_a_prefix_leaves_out_is_named() -> None:
    read = unwrap(LAYOUTS["lightning"](), "w.ckpt")
    assert read.notes == ("left out of w.ckpt: criterion.weight",)
    state, left_out = without_prefix({"features.0.weight": torch.ones(2, 2), "classifier.weight": torch.ones(2, 2)})
    assert (list(state), left_out) == (["features.0.weight", "classifier.weight"], [])


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a module": (lambda path: torch.save(network(), path), "could run code"),
    "keras": (lambda path: write(path, b"\x89HDF\r\n\x1a\n" + b"\0" * 64), "HDF5 file"),
    "lfs": (lambda path: write(path, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "Git LFS"),
    "page": (lambda path: write(path, b"<!DOCTYPE html><html>not found</html>"), "web page"),
    "index": (lambda path: write(path, b'{"weight_map": {}}'), "several parts"),
    "cut": (lambda path: (torch.save(network().state_dict(), path), write(path, path.read_bytes()[:900])), "damaged"),
    "empty": (lambda path: write(path, b""), "is empty"),
    "script": (lambda path: torch.jit.save(torch.jit.script(nn.Linear(2, 2)), str(path)), "TorchScript"),
    "gzip": (lambda path: write(path, b"\x1f\x8b" + b"\0" * 64), "unpack it"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("kind", REFUSED)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    make, said = REFUSED[kind]
    make(tmp_path / "w.pth")
    with pytest.raises(ValueError, match=said) as refusal:
        read_foreign(tmp_path / "w.pth")
    assert "w.pth" in str(refusal.value)
    assert "\n" not in str(refusal.value)
