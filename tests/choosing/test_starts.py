from pathlib import Path

import pytest
import torch
from made_choice import make_images, make_weights

from lit_cnn.choosing import starts
from lit_cnn.choosing.candidates import Start
from lit_cnn.choosing.images import open_images
from lit_cnn.choosing.starts import fetch, flattered_starts, given_starts, published_starts, start_of
from lit_cnn.data.loading.fingerprints import Fingerprints
from lit_cnn.data.module import ImageData
from lit_cnn.run_folder.checkpoint import DATA


def test_published_weights_name_their_network() -> None:
    start = start_of("timm:tf_efficientnet_lite0.in1k")
    assert (start.architecture, start.spec) == ("efficientnet_lite0", "timm:tf_efficientnet_lite0.in1k")
    assert hash(start) is not None


def test_weights_that_are_not_there_are_an_error() -> None:
    with pytest.raises((ValueError, OSError)):
        given_starts(["nowhere.ckpt"])


def test_each_host_is_asked_once_and_the_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(starts, "reachable", lambda url: bool(asked.append(url)))
    monkeypatch.setattr(starts, "cached_file", lambda _: None)
    monkeypatch.setattr(starts, "cached_checkpoint", lambda _: starts_missing)
    found, missing = published_starts(["resnet50", "resnet18", "cifar_resnet8"])
    assert found == []
    assert len({url.split("/")[2] for url in asked}) == len(asked)
    assert missing["cifar_resnet8"] == "no weights are published for it"
    assert "cannot be reached" in missing["resnet50"]


class _Missing:
    def is_file(self) -> bool:
        return False


starts_missing = _Missing()


def test_weights_that_can_be_imported_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "cached_file", lambda _: object())
    monkeypatch.setattr(starts, "checkpoint_of", lambda *_: pytest.fail("nothing is downloaded to list them"))
    found, missing = published_starts(["efficientnet_lite0"])
    assert ([start.architecture for start in found], missing) == (["efficientnet_lite0"], {})


def test_weights_that_cannot_be_fetched_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(spec: str, _: object) -> None:
        if spec == "timm:b":
            raise ValueError("no such file")

    monkeypatch.setattr(starts, "checkpoint_of", fail)
    assert fetch([Start("a", "timm:a"), Start("b", "timm:b")], print) == {"b": "no such file"}


def test_weights_that_were_trained_on_images_that_are_judged_are_refused(tmp_path: Path) -> None:
    images = open_images(make_images(tmp_path / "images", 5))
    file, pooled = make_weights(tmp_path / "own.ckpt", "cifar_resnet8"), images.pooled()
    specs = [str(file), "timm:tf_efficientnet_lite0.in1k"]
    assert flattered_starts(specs, images, "auto") == {}
    known = Fingerprints.of(pooled, images.class_names).as_dict()
    torch.save({**torch.load(file, weights_only=True), DATA: {"train": known}}, file)
    assert flattered_starts(specs, images, "auto") == {
        str(file): f"15 of the 15 images were trained on by {file}, so its accuracy would be flattered"
    }


def test_weights_that_keep_the_split_may_be_judged_on_its_validation_images(tmp_path: Path) -> None:
    images = open_images(make_images(tmp_path / "images", 20))
    file, data = make_weights(tmp_path / "own.ckpt", "cifar_resnet8"), ImageData("imagefolder", str(images.path))
    known = Fingerprints.of(data.loaded.train, images.class_names).as_dict()
    torch.save({**torch.load(file, weights_only=True), DATA: {"train": known}}, file)
    assert flattered_starts([str(file)], images, "1") == {}
    assert list(flattered_starts([str(file)], images, "auto")) == [str(file)]
