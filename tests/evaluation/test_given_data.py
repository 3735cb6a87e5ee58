"""The labeled images that ``--data`` names: all of them or one split, with the checkpoint's labels by name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from colors import color_network
from PIL import Image

from lit_cnn.data.sources.decoding import MAX_PIXELS
from lit_cnn.data.sources.packing import Packing, pack_folder
from lit_cnn.evaluation.given_data import given_images, other_classes
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.trained import Trained

TRAINED = replace(color_network(), class_names=["red", "green", "blue"])


def fill(folder: Path, **counts: int) -> Path:
    """Class folders with so many images, whose red level is their number."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (9, 8), (number, 0, 0)).save(folder / name / f"{number:02}.png")
    return folder


def counts(images: EvaluationImages) -> list[int]:
    """Images of each class."""
    return torch.bincount(images.labels, minlength=3).tolist()


def test_a_folder_without_splits_is_evaluated_whole_by_both_commands(tmp_path: Path) -> None:
    fill(tmp_path, blue=20, green=5, red=3)
    for split in ("val", "test"):
        images = given_images(TRAINED, str(tmp_path), split)
        assert counts(images) == [3, 5, 20]
        assert images.notes == ()


def test_a_class_may_be_missing_and_stray_files_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, red=2, blue=4)
    (tmp_path / "red" / "notes.txt").touch()
    images = given_images(TRAINED, str(tmp_path), "val")
    assert counts(images) == [2, 0, 4]
    assert images.notes == ("1 file left out: no image by the ending (.txt)",)


def test_a_split_is_taken_by_its_name_or_where_it_is_the_only_one(tmp_path: Path) -> None:
    fill(tmp_path / "both" / "val", red=1, green=1)
    fill(tmp_path / "both" / "test", red=2, green=2)
    assert counts(given_images(TRAINED, str(tmp_path / "both"), "val")) == [1, 1, 0]
    assert counts(given_images(TRAINED, str(tmp_path / "both"), "test")) == [2, 2, 0]
    fill(tmp_path / "one" / "test", red=2, green=3)
    images = given_images(TRAINED, str(tmp_path / "one"), "val")
    assert counts(images) == [2, 3, 0]
    assert images.notes == (f"{tmp_path / 'one'} has no val split: its test split is evaluated",)


def test_a_list_gives_the_labels_of_its_files(tmp_path: Path) -> None:
    fill(tmp_path, any=4)
    lines = ["path,label", *(f"any/{number:02}.png,{name}" for number, name in enumerate(["blue", "red", "blue"]))]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    assert counts(given_images(TRAINED, str(tmp_path / "labels.csv"), "val")) == [1, 0, 2]


def test_another_class_is_refused_by_its_name(tmp_path: Path) -> None:
    fill(tmp_path, red=1, purple=1)
    with pytest.raises(ValueError, match="purple is not named as one of the network"):
        given_images(TRAINED, str(tmp_path), "val")
    with pytest.raises(FileNotFoundError, match=r"--data '.*gone' does not exist"):
        given_images(TRAINED, str(tmp_path / "gone"), "val")


def npz(path: Path, names: list[str] | None = None, channels: int = 3, **splits: list[int]) -> str:
    """A file whose splits have images of these labels."""
    arrays = {} if names is None else {"class_names": np.array(names)}
    for split, labels in splits.items():
        arrays |= {f"{split}_images": np.zeros((len(labels), 8, 8, channels), np.uint8), f"{split}_labels": labels}
    np.savez(path, **arrays)
    return str(path)


def test_the_split_of_an_npz_file_is_taken_or_all_of_it(tmp_path: Path) -> None:
    names = ["red", "green", "blue"]
    split = npz(tmp_path / "a.npz", names, train=[0, 1, 2], val=[0, 1, 2, 2], test=[1, 0])
    assert counts(given_images(TRAINED, split, "val")) == [1, 1, 2]
    assert counts(given_images(TRAINED, split, "test")) == [1, 1, 0]
    whole = npz(tmp_path / "b.npz", names, train=[0, 1, 2, 2, 2])
    images = given_images(TRAINED, whole, "val")
    assert counts(images) == [1, 1, 3]
    assert images.notes == (f"{whole} has no val split: all its images, named train, are evaluated",)
    only = npz(tmp_path / "d.npz", names, test=[1, 1, 2])
    for split in ("val", "test"):
        assert counts(given_images(TRAINED, only, split)) == [0, 2, 1]
    with pytest.raises(ValueError, match="has the splits train and test but no val split"):
        given_images(TRAINED, npz(tmp_path / "c.npz", names, train=[0, 1], test=[1, 0]), "val")


def test_classes_of_an_npz_file_are_those_of_the_checkpoint_by_name(tmp_path: Path) -> None:
    other_order = npz(tmp_path / "a.npz", ["blue", "red"], train=[0, 0, 0, 1])
    assert counts(given_images(TRAINED, other_order, "val")) == [1, 0, 3]
    refused = {
        "b.npz": (["blue", "purple"], "purple, which the checkpoint does not know, and lacks red, green; rename them"),
        "c.npz": (None, "0, 1, which the checkpoint does not know, and lacks red, green, blue; rename them"),
    }
    for name, (names, sentence) in refused.items():
        with pytest.raises(ValueError, match=f"the data has the classes {sentence}"):
            given_images(TRAINED, npz(tmp_path / name, names, train=[0, 1]), "val")
    unused = npz(tmp_path / "d.npz", ["blue", "green", "purple"], train=[0, 1])
    assert counts(given_images(TRAINED, unused, "val")) == [0, 1, 1]
    with pytest.raises(ValueError, match="the data has 1 channels, but the checkpoint was trained on 3"):
        given_images(TRAINED, npz(tmp_path / "e.npz", ["red", "blue"], channels=1, train=[0, 1]), "val")


def test_what_differs_between_classes_is_said_however_many_there_are() -> None:
    known = [f"class {number}" for number in range(100)]
    assert other_classes([*known[:60], *known[61:]], "a.ckpt", known) == "the data lacks the classes class 60 of a.ckpt"
    assert other_classes([*known, "new"], "a.ckpt", known, "b.ckpt") == (
        "b.ckpt has the classes new, which a.ckpt does not know"
    )
    swapped = [*known[:60], known[61], known[60], *known[62:]]
    assert other_classes(swapped, "a.ckpt", known) == (
        "class 60 of the data is class 61, but of a.ckpt class 60: the same classes in another order"
    )
    assert "class 100 of the data is class 7, but of a.ckpt missing" in other_classes(
        known + known[7:8], "a.ckpt", known
    )


def test_a_packed_set_is_read_with_the_checkpoints_labels(tmp_path: Path) -> None:
    pytest.importorskip("litdata")
    for split, count in (("train", 2), ("val", 1)):
        fill(tmp_path / "images" / split, blue=count, red=3)
    pack_folder(tmp_path / "images", tmp_path / "packed", Packing(size=8), advance=lambda *_: None)
    images = given_images(TRAINED, str(tmp_path / "packed"), "val")
    assert counts(images) == [3, 0, 1]
    assert images.image(0).shape == (3, 8, 9)


@pytest.mark.parametrize(
    ("recorded", "workers", "on_error", "max_pixels"),
    [({}, 3, "stop", MAX_PIXELS), ({"workers": 1, "on_error": "skip", "max_pixels": None}, 1, "skip", None)],
)
def test_files_are_read_as_the_recipe_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recorded: dict[str, object],
    workers: int,
    on_error: str,
    max_pixels: int | None,
) -> None:
    monkeypatch.setattr("lit_cnn.evaluation.images.available_cores", lambda: 3)
    trained: Trained = replace(TRAINED, recipe={"data": recorded})
    images = given_images(trained, str(fill(tmp_path, red=1, blue=1)), "val")
    stated = images.workers, images.on_error, images.pixel_format.max_pixels
    assert stated == (workers, on_error, max_pixels)
