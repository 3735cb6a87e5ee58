"""Files of weights that are none, that run code, or that say too little; published weights without a network."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
from bad_case import Case
from torch import nn

from lit_cnn.architectures.catalog import create_model


def importing(write: Callable[[Path], object], *more: str) -> Callable[[Path], list[str]]:
    """``import`` of what ``write`` puts into ``w.pth``."""

    def arguments(folder: Path) -> list[str]:
        write(folder / "w.pth")
        return ["import", str(folder / "w.pth"), *(more or ("--architecture", "cifar_resnet8"))]

    return arguments


def offline(*words: str) -> Callable[[Path], list[str]]:
    """A command that finds neither a network nor a cache."""

    def arguments(folder: Path) -> list[str]:
        os.environ.update(HF_HUB_OFFLINE="1", XDG_CACHE_HOME=str(folder / "cache"), TORCH_HOME=str(folder / "torch"))
        return list(words)

    return arguments


def state() -> dict[str, torch.Tensor]:
    """Weights of a CIFAR ResNet under names of another program."""
    torch.manual_seed(0)
    network = create_model("cifar_resnet8")
    return {name.replace("features", "body"): value for name, value in network.state_dict().items()}


WEIGHTS = [
    Case(
        "weights",
        "a pickled module as weights",
        importing(lambda path: torch.save(nn.Linear(2, 2), path)),
        "could run code",
    ),
    Case(
        "weights",
        "a web page as weights",
        importing(lambda path: path.write_text("<html></html>")),
        "is a web page or XML",
    ),
    Case(
        "weights",
        "a pointer of Git LFS as weights",
        importing(lambda path: path.write_text("version https://git-lfs")),
        "is a pointer of Git LFS",
    ),
    Case("weights", "an empty file as weights", importing(Path.touch), "w.pth is empty"),
    Case(
        "weights",
        "an HDF5 file as weights",
        importing(lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n")),
        "is an HDF5 file",
    ),
    Case(
        "weights",
        "figures without weights",
        importing(lambda path: torch.save({"best_acc1": torch.tensor(70.0)}, path)),
        "holds no dictionary of a network's tensors",
    ),
    Case(
        "weights",
        "weights of several networks",
        importing(lambda path: torch.save({"actor": state(), "critic": state()}, path)),
        "several sets of weights",
    ),
    Case(
        "weights",
        "weights without an architecture",
        importing(lambda path: torch.save(state(), path), "--json"),
        "add --architecture NAME",
    ),
    Case(
        "weights",
        "weights of another architecture",
        importing(lambda path: torch.save(state(), path), "--architecture", "cifar_resnet20"),
        "do not fit cifar_resnet20 with any of its free choices: the source has",
    ),
    Case(
        "weights",
        "weights that fit several networks",
        importing(lambda path: torch.save(state(), path)),
        "in 2 ways that compute different things",
    ),
    Case(
        "weights",
        "published weights without a network",
        offline("import", "timm:resnet50.a1_in1k"),
        "are not in the cache and huggingface.co cannot be reached",
    ),
    Case(
        "weights",
        "published weights without a network: predict",
        offline("predict", "timm:resnet50", "images"),
        "are not in the cache and huggingface.co cannot be reached",
    ),
    Case(
        "weights",
        "published weights of an unknown name",
        offline("validate", "timm:resnet51"),
        "nearest are timm:resnet50",
    ),
    Case(
        "weights",
        "compared with weights that nobody publishes",
        offline("compare", "plain18"),
        "neither timm nor torchvision publishes weights for plain18",
    ),
]
