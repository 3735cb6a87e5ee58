"""Pushed folders hold the run's model and nothing else, replace only their own kind, and are pulled back exactly."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from checkpoint_files import write_checkpoint
from fitted_run import FittedRun

from lit_cnn import Recipe
from lit_cnn.handover import publishing
from lit_cnn.handover.publishing import pull, push
from lit_cnn.run_folder.checkpoint import load_checkpoint, network_weights


@pytest.fixture(scope="module")
def pushed(fitted: FittedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub #1") / "new" / "my model@[1]"
    done = push(fitted.folder, str(folder), license_name="mit")
    assert done.place == str(folder)
    assert sorted(done.files) == sorted(file.name for file in folder.iterdir())
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]
    return folder


@pytest.mark.slow
def test_a_run_is_pulled_as_it_was_pushed(pushed: Path, fitted: FittedRun) -> None:
    before, done = load_checkpoint(fitted.best), pull(f"local-dir:{pushed}")
    weights = network_weights(before)
    assert all(torch.equal(done.network.state_dict()[name], value) for name, value in weights.items())
    for entry in ("network", "class_names", "preprocessing", "format"):
        assert done.checkpoint[entry] == before[entry], entry
    assert done.checkpoint["provenance"]["license"] == "mit"
    assert done.checkpoint["provenance"]["source"] == pushed.name


def test_the_folder_holds_the_run_without_its_images_and_folders(pushed: Path, fitted: FittedRun) -> None:
    names = {"README.md", "config.json", "confusion.png", "curves.png", "model.safetensors", "recipe.yaml"}
    assert {file.name for file in pushed.iterdir()} == names
    for name in ("README.md", "config.json", "recipe.yaml"):
        assert str(fitted.folder.parents[2]) not in (pushed / name).read_text()


@pytest.mark.slow
def test_the_recipe_can_be_trained_again(pushed: Path, fitted: FittedRun) -> None:
    recipe = Recipe.load(str(pushed / "recipe.yaml"), overrides={"data.path": str(fitted.images)})
    before = yaml.safe_load((fitted.folder / "config.yaml").read_text())
    for section in ("model", "ema", "monitor"):
        assert recipe.resolved[section] == before[section]


def test_raw_weights_come_without_the_picture_of_the_averages(fitted: FittedRun, tmp_path: Path) -> None:
    done = push(fitted.best, str(tmp_path / "raw"), weights="raw")
    assert "curves.png" in done.files
    assert "confusion.png" not in done.files
    raw = network_weights(load_checkpoint(fitted.best), "raw")
    found = pull(str(tmp_path / "raw")).network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in raw.items())
    assert done.warning is not None
    assert "no license is stated" in done.warning


def test_only_an_earlier_push_is_replaced(fitted: FittedRun, tmp_path: Path) -> None:
    weights = str(fitted.best.with_name("weights.safetensors"))
    (tmp_path / "empty").mkdir()
    push(weights, str(tmp_path / "empty"), license_name="mit")
    push(weights, str(tmp_path / "empty"), license_name="bsd-3-clause")
    assert json.loads((tmp_path / "empty" / "config.json").read_text())["lit_cnn"]["license"] == "bsd-3-clause"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="other holds files that lit-cnn push has not written: name a new folder"):
        push(weights, str(tmp_path / "other"))
    assert [file.name for file in (tmp_path / "other").iterdir()] == ["config.json"]
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file: name a folder"):
        push(weights, str(tmp_path / "file"))


def test_nothing_is_left_of_another_model(fitted: FittedRun, tmp_path: Path) -> None:
    push(fitted.folder, str(tmp_path / "m"), license_name="mit")
    (tmp_path / "m" / "notes.txt").touch()
    done = push(str(fitted.best.with_name("weights.safetensors")), str(tmp_path / "m"), license_name="mit")
    assert {file.name for file in (tmp_path / "m").iterdir()} == {*done.files, "notes.txt"}
    assert "recipe.yaml" not in done.files


def test_private_folders_stay_out_of_what_is_handed_on(tmp_path: Path) -> None:
    proof = {"status": "unproven", "sentence": "pairing unproven"}
    origin = {"source": "/home/Jane Doe/private/w.pth", "proof": proof}
    data = {"source": "imagefolder", "path": "/home/Jane Doe/private/flowers", "group_by": r"/(patient\d+)/"}
    checkpoint = write_checkpoint(tmp_path / "net.ckpt", ["a"], recipe={"data": data}, provenance=origin)
    push(checkpoint, str(tmp_path / "m"))
    for file in (tmp_path / "m").iterdir():
        assert b"Jane" not in file.read_bytes(), file.name
    kept = yaml.safe_load((tmp_path / "m" / "recipe.yaml").read_text())["data"]
    assert (kept["path"], kept["group_by"]) == ("flowers", data["group_by"])
    assert pull(str(tmp_path / "m")).checkpoint["provenance"]["origin"]["source"] == "w.pth"


def test_nothing_is_left_where_a_push_fails(fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(publishing, "model_card", fail)
    with pytest.raises(OSError, match="no space left"):
        push(fitted.best, str(tmp_path / "new"))
    assert not list(tmp_path.iterdir())


def test_a_push_to_the_hub_uploads_the_same_folder(fitted: FittedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def upload(folder: Path, repository: str, *, private: bool, replaced: tuple[str, ...]) -> str:
        seen.update(
            repository=repository,
            private=private,
            replaced=replaced,
            files=sorted(file.name for file in folder.iterdir()),
        )
        seen["card"] = (folder / "README.md").read_text()
        return f"https://huggingface.co/{repository}"

    monkeypatch.setattr(publishing, "upload_model", upload)
    monkeypatch.setattr(publishing, "require_hub", lambda _: None)
    done = push(fitted.best, "hf-hub:me/tiny", private=True)
    assert done.place == "https://huggingface.co/me/tiny"
    assert (seen["repository"], seen["private"]) == ("me/tiny", True)
    assert seen["files"] == sorted(done.files)
    assert set(done.files) - set(seen["replaced"]) == {"config.json", "model.safetensors", "README.md"}  # type: ignore[call-overload]
    assert "lit-cnn pull hf-hub:me/tiny" in str(seen["card"])


def test_a_folder_with_a_pickle_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    torch.save({"w": torch.ones(2, 2)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"as a pickle alone \(pytorch_model\.bin\), which pull does not read"):
        pull(str(tmp_path))


def test_what_is_no_model_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no config\.json, which says what its weights are"):
        pull(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"has no model\.safetensors$"):
        pull(str(tmp_path))
    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors").touch()
    with pytest.raises(ValueError, match="and 2 others: rename one"):
        pull(str(tmp_path))
    with pytest.raises(ValueError, match=r"there is no folder .*lit-cnn import reads single files"):
        pull(str(tmp_path / "a.safetensors"))
    with pytest.raises(ValueError, match=r"there is no folder .*name a folder or hf-hub:USER/REPO"):
        pull(str(tmp_path / "nothing"))
