"""Repositories of the hub in timm's layout: found by name, described by their config.json, refused in a sentence."""

import json
from pathlib import Path

import pytest
import timm
import torch
from foreign import offline
from safetensors.torch import save_file

from lit_cnn.evaluation.imported_weights import Request, import_weights
from lit_cnn.pretrained import hub
from lit_cnn.pretrained.hub import download_model, hub_id, on_hub, repository_of, require_hub, upload_model

__all__ = ["offline"]


@pytest.fixture
def repository(offline: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The hub's cache of ``somebody/flowers``, an EfficientNet-Lite0 of five classes."""
    del offline
    torch.manual_seed(0)
    save_file(timm.create_model("tf_efficientnet_lite0", num_classes=5).state_dict(), tmp_path / "model.safetensors")
    stated = {
        "input_size": [3, 160, 160],
        "crop_pct": 0.9,
        "interpolation": "bicubic",
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
    }
    names = ["daisy", "dandelion", "roses", "sunflowers", "tulips"]
    config = {"architecture": "tf_efficientnet_lite0", "label_names": names, "pretrained_cfg": stated}
    (tmp_path / "config.json").write_text(json.dumps(config))

    def cached(name: str, files: tuple[str, ...]) -> Path | None:
        return next(
            (tmp_path / file for file in files if name == "somebody/flowers" and (tmp_path / file).is_file()), None
        )

    monkeypatch.setattr(hub, "cached_on_hub", cached)
    monkeypatch.setattr(hub, "reachable", lambda *_: False)
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("repository")
def test_a_repository_is_what_its_config_says() -> None:
    done = import_weights(Request("hf-hub:somebody/flowers"), print)
    assert done.proof.status == "proven"
    assert done.checkpoint["class_names"][0] == "daisy"
    assert done.checkpoint["network"]["num_classes"] == 5
    assert done.checkpoint["preprocessing"]["image_size"] == [160, 160]
    assert done.checkpoint["preprocessing"]["resize"] == 177  # timm's floor


def test_a_network_that_the_catalog_lacks_is_refused(repository: Path) -> None:
    (repository / "config.json").write_text(json.dumps({"architecture": "vit_tiny"}))
    with pytest.raises(ValueError, match="is timm's vit_tiny, which no network of the catalog equals"):
        on_hub("somebody/flowers")
    (repository / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"no config\.json of timm's layout"):
        on_hub("somebody/flowers")


@pytest.mark.usefixtures("repository")
def test_a_repository_that_is_not_reached_is_refused() -> None:
    with pytest.raises(ValueError, match=r"download https://huggingface\.co/a/b/resolve/main/config\.json elsewhere"):
        on_hub("a/b")


def test_a_repository_of_the_table_is_its_row() -> None:
    row, names, file = on_hub("timm/resnet50.a1_in1k")
    assert (row.spec, names, file) == ("timm:resnet50.a1_in1k", None, None)


def test_what_names_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub_id("user/repo") == hub_id("hf-hub:user/repo") == "user/repo"
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "repo").touch()
    assert hub_id("user/repo") is None
    (tmp_path / "weights").mkdir()
    assert (
        hub_id("weights/missing") is hub_id("elsewhere/missing.pth") is hub_id("elsewhere/Missing.SAFETENSORS") is None
    )
    assert hub_id("hf-hub:weights/missing") == "weights/missing"
    assert hub_id("./w.pth") is hub_id("a/b/c.pth") is hub_id("w.pth") is None


def test_only_a_name_of_a_repository_is_asked_for() -> None:
    assert repository_of("hf-hub:some-body/my_model.v2") == "some-body/my_model.v2"
    assert repository_of("user/repo") is None
    for text in ("hf-hub:", "hf-hub:a", "hf-hub:a/b/c", "hf-hub:../b", "hf-hub:a/..", "hf-hub:a/b?x=1", "hf-hub:a/b\n"):
        with pytest.raises(ValueError, match="does not name a repository: hf-hub:USER/REPO is expected"):
            repository_of(text)


def test_without_a_network_the_hub_is_refused_in_a_sentence(repository: Path) -> None:
    names = ("config.json", "model.safetensors")
    assert download_model("somebody/flowers", names) == (repository / names[0], repository / names[1])
    with pytest.raises(ValueError, match=r"config\.json of a/b is not in the cache.*run lit-cnn pull FOLDER"):
        download_model("a/b", names)
    with pytest.raises(ValueError, match=r"huggingface\.co cannot be reached: push into a folder instead"):
        require_hub("a/b")


def test_a_repository_with_a_pickle_alone_is_not_downloaded(repository: Path) -> None:
    (repository / "model.safetensors").rename(repository / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"model\.safetensors of somebody/flowers is not in the cache"):
        download_model("somebody/flowers", ("config.json", "model.safetensors"))


def test_a_folder_is_uploaded_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[tuple[str, dict[str, object]]] = []
    api = "huggingface_hub.HfApi"
    monkeypatch.setattr(f"{api}.create_repo", lambda _, name, **stated: calls.append((name, stated)))
    monkeypatch.setattr(f"{api}.upload_folder", lambda _, **stated: calls.append(("", stated)))
    assert upload_model(tmp_path, "a/b", private=True, replaced=("c",)) == "https://huggingface.co/a/b"
    assert calls[0] == ("a/b", {"exist_ok": True, "private": True})
    assert calls[1][1].items() >= {"repo_id": "a/b", "folder_path": tmp_path, "delete_patterns": ["c"]}.items()

    def refuse(*_: object, **__: object) -> None:
        raise OSError("401 Client Error\nmany lines")

    monkeypatch.setattr(f"{api}.create_repo", refuse)
    with pytest.raises(ValueError, match=r"a/b could not be uploaded \(401 Client Error\): log in by hf auth login"):
        upload_model(tmp_path, "a/b", private=False, replaced=())


def test_what_was_pushed_by_lit_cnn_is_pulled_not_imported(repository: Path) -> None:
    (repository / "config.json").write_text(json.dumps({"architecture": "lit_cnn_x", "lit_cnn": {}}))
    with pytest.raises(
        ValueError, match="was written by lit-cnn push: read it by lit-cnn pull hf-hub:somebody/flowers"
    ):
        on_hub("somebody/flowers")
