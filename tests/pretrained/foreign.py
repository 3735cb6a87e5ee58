"""What tests need of weights from elsewhere: a library's file without a download, and labels that one net knows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lit_cnn.architectures.catalog import create_model
from lit_cnn.architectures.network import Network
from lit_cnn.data.normalization import normalize
from lit_cnn.pretrained import fetching
from lit_cnn.pretrained.equality import evaluate, make_telling, settle_statistics

LITE0 = "timm:tf_efficientnet_lite0.in1k"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def random_lite0() -> nn.Module:
    """timm's EfficientNet-Lite0 with weights of which no two tensors can be exchanged unseen."""
    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_lite0")
    generator = torch.Generator().manual_seed(0)
    make_telling(network, generator)
    settle_statistics(network, torch.randn(2, 3, 64, 64, generator=generator), generator)
    return network.eval()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither a network nor a cache of any library; imports are kept in the returned folder."""
    monkeypatch.setattr(fetching, "reachable", lambda *_: False)
    monkeypatch.setattr(fetching, "cached_on_hub", lambda *_: None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lit-cnn" / "pretrained"


@pytest.fixture
def hub_with_lite0(offline: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """timm's cache holds the weights of ``random_lite0``; returns their file."""
    assert not offline.exists()
    file = tmp_path / "model.safetensors"
    save_file(random_lite0().state_dict(), file)

    def cached(repository: str, names: tuple[str, ...]) -> Path | None:
        return file if repository == "timm/tf_efficientnet_lite0.in1k" and file.name in names else None

    monkeypatch.setattr(fetching, "cached_on_hub", cached)
    return file


def telling_network(name: str, side: int = 32, **options: object) -> Network:
    """A network of the catalog whose logits differ from image to image and from class to class."""
    torch.manual_seed(0)
    network = create_model(name, **options)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    make_telling(network, generator)
    images = torch.randn(32, 3, side, side, generator=generator)
    settle_statistics(network, images, generator)
    classifier = network.classifier
    assert isinstance(classifier, nn.Linear)
    with torch.no_grad():
        classifier.weight.div_(evaluate(network, images).std(0)[:, None])
        if classifier.bias is not None:
            classifier.bias.zero_()
            classifier.bias.copy_(-evaluate(network, images).mean(0))
    return network.eval()


def known_images(network: nn.Module, path: Path, rename: Callable[[int], str] = "class{}".format) -> Path:
    """An npz file of 200 noise images with the labels that ``network`` gives them."""
    images = torch.randint(0, 256, (200, 3, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    labels = evaluate(network, normalize(images, MEAN, STD)).argmax(1)
    pixels = images.permute(0, 2, 3, 1).numpy()
    names = np.array([rename(number) for number in range(10)])
    arrays = {
        "train_images": pixels,
        "train_labels": labels.numpy(),
        "val_images": pixels,
        "val_labels": labels.numpy(),
    }
    np.savez(path, class_names=names, **arrays)
    return path


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under names that no library has, in their order."""
    return {f"block{name.replace('features', 'body').replace('head', 'top')}": value for name, value in state.items()}
