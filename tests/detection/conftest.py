"""Where the real images of detection lie, and weights to start from."""

import os
from pathlib import Path

import pytest
import torch

from lit_cnn.architectures.catalog import create_model
from lit_cnn.run_folder.checkpoint import FORMAT


@pytest.fixture
def bccd() -> Path:
    """The folder of BCCD's images under $LIT_CNN_DATA; elsewhere the test is skipped."""
    folder = Path(os.environ.get("LIT_CNN_DATA", "")) / "bccd"
    if "LIT_CNN_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("real images with boxes are not here: LIT_CNN_DATA must name a folder with bccd/")
    return folder


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of an untrained classifier."""
    torch.manual_seed(0)
    network = create_model("resnet18", num_classes=3)
    path = tmp_path_factory.mktemp("weights") / "classifier.ckpt"
    described = {"architecture": "resnet18", "options": {}, "num_classes": 3, "in_channels": 3}
    state = {f"net.{name}": value for name, value in network.state_dict().items()}
    names = {"class_names": ["a", "b", "c"], "preprocessing": None}
    torch.save({"format": FORMAT, "network": described, "state_dict": state, "global_step": 0, **names}, path)
    return path
