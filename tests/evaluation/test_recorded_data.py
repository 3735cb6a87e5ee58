"""Without ``--data`` the recipe's own split is evaluated, with it all that is given."""

from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import PREPROCESSING, write_checkpoint

from lit_cnn.evaluation.recorded_data import evaluation_batch_size, load_images, load_network
from lit_cnn.evaluation.trained import Trained

NAMES = ["0", "1"]


def npz(path: Path, *splits: str, names: list[str] | None = None) -> str:
    """A file with 20 images of two classes in each split."""
    arrays = {} if names is None else {"class_names": np.array(names)}
    for split in splits:
        arrays |= {f"{split}_images": np.zeros((20, 16, 16, 3), np.uint8), f"{split}_labels": np.arange(20) // 10}
    np.savez(path, **arrays)
    return str(path)


def trained_on(folder: Path, **data: object) -> Trained:
    """A network and its 20 images, of which the recipe holds out two of each class."""
    npz(folder / "set.npz", "train")
    recorded = {"source": "npz", "path": str(folder / "set.npz"), "image_size": 16, "val_fraction": 0.2, **data}
    recipe = {"model": {"architecture": "cifar_resnet20"}, "data": recorded}
    path = write_checkpoint(folder / "a.ckpt", NAMES, preprocessing=PREPROCESSING, recipe=recipe)
    return load_network(str(path), "ema", [])


def test_the_recorded_data_is_held_out_by_the_recipe_and_given_data_is_whole(tmp_path: Path) -> None:
    trained = trained_on(tmp_path)
    assert len(load_images(trained, None, "val")) == 4
    assert len(load_images(trained, str(tmp_path / "set.npz"), "val")) == 20


@pytest.mark.slow
def test_another_place_of_cifar_is_held_out_by_the_recipe(tmp_path: Path) -> None:
    recorded, named = npz(tmp_path / "cifar10.npz", "train", "test"), tmp_path / "named.npz"
    trained = trained_on(tmp_path, source="cifar10", path=recorded)
    for place in (None, recorded, str(tmp_path), npz(named, "train", "test", names=NAMES)):
        assert len(load_images(trained, place, "val")) == 4
    assert len(load_images(trained, npz(named, "train", names=NAMES), "val")) == 20


def test_labels_go_by_the_class_names_of_a_file_whatever_the_recipe_trained_on(tmp_path: Path) -> None:
    trained = trained_on(tmp_path, source="cifar10")
    other_order = npz(tmp_path / "a.npz", "train", "test", names=["1", "0"])
    assert load_images(trained, other_order, "test").labels.tolist() == [1] * 10 + [0] * 10
    other_classes = npz(tmp_path / "b.npz", "train", "test", names=["0", "plane"])
    with pytest.raises(ValueError, match="plane"):
        load_images(trained, other_classes, "test")


@pytest.mark.parametrize(
    ("recorded", "size"), [({}, 32), ({"batch_size": 8}, 8), ({"batch_size": 8, "eval_batch_size": 5}, 5)]
)
def test_batches_are_those_of_the_runs_validation(tmp_path: Path, recorded: dict[str, object], size: int) -> None:
    trained = trained_on(tmp_path)
    trained.recipe = {"data": recorded}
    assert evaluation_batch_size(trained) == size
