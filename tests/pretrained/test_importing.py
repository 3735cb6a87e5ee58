"""Published weights become checkpoints: proven, cached, described, or one sentence on how to get them."""

import time
from pathlib import Path

import pytest
import torch
from foreign import LITE0, hub_with_lite0, offline, random_lite0, renamed

import lit_cnn
from lit_cnn.evaluation.trained import load_trained
from lit_cnn.pretrained import fetching
from lit_cnn.pretrained.equality import difference, evaluate
from lit_cnn.pretrained.importing import cached_checkpoint, checkpoint_of, import_published
from lit_cnn.pretrained.sources import find_published
from lit_cnn.run_folder.checkpoint import load_checkpoint

__all__ = ["hub_with_lite0", "offline"]


@pytest.mark.slow
def test_weights_from_the_cache_are_proven_and_kept(hub_with_lite0: Path, offline: Path) -> None:
    said: list[str] = []
    place = checkpoint_of("timm:tf_efficientnet_lite0", said.append)
    assert place == cached_checkpoint(LITE0)
    assert Path(place).parent == offline
    assert said[0].startswith(f"imported {LITE0}: proven: 247 tensors, logits equal those of timm's")
    checkpoint = load_checkpoint(place)
    assert checkpoint["class_names"][985] == "daisy"
    assert checkpoint["preprocessing"]["mean"] == [0.5, 0.5, 0.5]
    assert checkpoint["provenance"]["license"] == "apache-2.0"
    hub_with_lite0.unlink()
    assert checkpoint_of(LITE0) == place  # without the file
    trained, images = load_trained(LITE0), torch.randn(2, 3, 64, 64)
    assert difference(evaluate(random_lite0(), images), evaluate(trained.network, images))[1] < 1e-4
    assert trained.doubt is None


def test_anything_else_is_a_checkpoint_already() -> None:
    assert checkpoint_of("runs/a/best.ckpt") == "runs/a/best.ckpt"
    assert checkpoint_of(Path("timm:resnet50")) == Path("timm:resnet50")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            "timm:resnet50",
            ("timm's weights resnet50.a1_in1k (apache-2.0, about 102 MB)", "huggingface.co/timm/resnet50.a1"),
        ),
        ("torchvision:resnet50", ("torchvision's weights resnet50.IMAGENET1K_V2 (no license", "resnet50-11ad3fa6.pth")),
    ],
)
def test_without_network_one_sentence_says_what_to_download(offline: Path, spec: str, words: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be reached") as refusal:
        checkpoint_of(spec)
    for word in (*words, f"lit-cnn import {find_published(spec).spec} --file FILE"):
        assert word in str(refusal.value)
    assert not list(offline.glob("*.ckpt"))


def test_a_silent_network_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        time.sleep(60)
        raise OSError  # in a thread that outlives the test

    monkeypatch.setattr(fetching, "SECONDS", 0.2)
    monkeypatch.setattr(fetching.urllib.request, "urlopen", hang)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    start = time.perf_counter()
    assert not fetching.reachable("https://huggingface.co/timm/x")
    assert time.perf_counter() - start < 5


@pytest.mark.slow
def test_a_file_of_other_names_is_unproven_though_the_logits_are_equal(tmp_path: Path) -> None:
    torch.save({"state_dict": renamed(random_lite0().state_dict())}, tmp_path / "w.th")
    done = import_published(find_published(LITE0), tmp_path / "w.th")
    assert done.proof.status == "unproven"
    assert done.proof.difference is not None
    assert done.proof.difference < 1e-4
    done.save(tmp_path / "w.ckpt")
    assert "pairing unproven" in str(load_trained(tmp_path / "w.ckpt").doubt)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(lit_cnn.create_model("cifar_resnet8").state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"cannot be paired: the source has .* where the target has features\.stem"):
        import_published(find_published(LITE0), tmp_path / "w.pth")


@pytest.mark.slow
@pytest.mark.usefixtures("hub_with_lite0")
def test_create_model_takes_published_weights() -> None:
    network = lit_cnn.create_model("efficientnet_lite0", pretrained=LITE0, num_classes=5)
    assert network.num_classes == 5
    whole, images = lit_cnn.create_model("efficientnet_lite0", pretrained=LITE0), torch.randn(2, 3, 64, 64)
    assert difference(evaluate(random_lite0(), images), evaluate(whole, images))[1] < 1e-4
    assert torch.equal(network.features.stem[0].weight, whole.features.stem[0].weight)  # type: ignore[index, union-attr]
    maps = lit_cnn.create_model("efficientnet_lite0", pretrained=LITE0, features_only=True)(images)
    assert [each.shape[-1] for each in maps] == [8, 4, 2]
    with pytest.raises(ValueError, match="is efficientnet_lite0 of 3 channels, not resnet18"):
        lit_cnn.create_model("resnet18", pretrained=LITE0)
    with pytest.raises(ValueError, match="padding=symmetric changes what the network computes"):
        lit_cnn.create_model("efficientnet_lite0", pretrained=LITE0, padding="symmetric")


def test_pretrained_names_weights() -> None:
    assert lit_cnn.create_model("cifar_resnet8", pretrained=False).num_classes == 10
    with pytest.raises(ValueError, match=r"pretrained must name the weights, such as timm:cifar_resnet8 .*, got True"):
        lit_cnn.create_model("cifar_resnet8", pretrained=True)
