"""``compare``: the same pixels through both networks, own checkpoints in the same table."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from foreign import LITE0, hub_with_lite0, known_images, offline, telling_network
from PIL import Image

from lit_cnn.cli.compare import cells
from lit_cnn.data.sources.decoding import RGB
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.evaluation.compare import Settings, compare, compare_all, real_top1, weights_meant
from lit_cnn.evaluation.images import EvaluationImages
from lit_cnn.evaluation.imported_weights import Request, import_weights
from lit_cnn.evaluation.logits import Outcome
from lit_cnn.evaluation.trained import load_trained, on_device
from lit_cnn.pretrained.sources import real_labels

__all__ = ["hub_with_lite0", "offline"]


@pytest.fixture
def daisies(tmp_path: Path) -> Path:
    folder = tmp_path / "images" / "daisy"
    folder.mkdir(parents=True)
    for number in range(8):
        pixels = torch.randint(0, 256, (50, 60, 3), generator=torch.Generator().manual_seed(number)).byte().numpy()
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder.parent


@pytest.mark.slow
@pytest.mark.usefixtures("hub_with_lite0")
def test_published_weights_in_both_networks(daisies: Path) -> None:
    row = compare("efficientnet_lite0@timm:in1k", Settings(str(daisies)))
    assert (row.weights, row.proof, row.license) == (LITE0, "proven", "apache-2.0")
    assert (row.paper_top1, row.published_top1, row.published_real) == (75.1, 74.846, 81.957)
    assert row.logits is not None
    assert row.logits < 1e-4
    assert (row.images, row.differing) == (8, 0)
    assert row.theirs_top1 == row.ours_top1
    assert row.params == 4_652_008
    assert row.ours_speed is not None
    assert row.theirs_speed is not None


@pytest.mark.slow
def test_own_checkpoints_stand_in_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    monkeypatch.setattr(
        "lit_cnn.evaluation.compare.on_device", lambda trained: moved.append(trained.name) or on_device(trained)
    )
    network = telling_network("cifar_resnet8")
    data = known_images(network, tmp_path / "known.npz")
    torch.save(network.state_dict(), tmp_path / "w.pth")
    import_weights(Request(str(tmp_path / "w.pth"), "cifar_resnet8", data=str(data)), print).save(tmp_path / "w.ckpt")
    targets = [str(tmp_path / "w.ckpt"), str(tmp_path / "none.ckpt"), "resnet50x"]
    rows, failures = compare_all(targets, Settings(str(data), speed=False), print)
    assert [(row.name, row.ours_top1, row.theirs_top1, row.differing) for row in rows] == [
        ("cifar_resnet8", 100.0, None, None)
    ]
    assert moved == [targets[0]]
    assert len(failures) == 2
    assert all("there is no checkpoint" in failure for failure in failures)


@pytest.mark.slow
def test_images_that_are_no_squares_are_counted_and_timed_with_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = telling_network("cifar_resnet8")
    data = known_images(network, tmp_path / "known.npz")
    torch.save(network.state_dict(), tmp_path / "w.pth")
    import_weights(Request(str(tmp_path / "w.pth"), "cifar_resnet8", data=str(data)), print).save(tmp_path / "w.ckpt")
    trained = load_trained(tmp_path / "w.ckpt")
    square = compare(str(tmp_path / "w.ckpt"), Settings(speed=False))
    wide = replace(trained, recorded_preprocessing=replace(trained.preprocessing, image_size=(32, 64)), recipe={})
    seen: list[torch.Size] = []
    wide.network.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    monkeypatch.setattr("lit_cnn.evaluation.compare.load_trained", lambda *_, **__: wide)
    row = compare(str(tmp_path / "w.ckpt"), Settings())
    assert {tuple(shape[2:]) for shape in seen} == {(32, 64)}
    assert row.madds == pytest.approx(2 * square.madds, rel=0.01)
    assert (square.as_dict()["image_size"], row.as_dict()["image_size"]) == (32, "64x32")
    assert cells(row)[2] == "64x32"


@pytest.mark.usefixtures("hub_with_lite0")
@pytest.mark.slow
def test_images_of_other_classes_leave_a_row_unmeasured(tmp_path: Path) -> None:
    said: list[str] = []
    data = known_images(telling_network("cifar_resnet8"), tmp_path / "known.npz")
    row = compare(LITE0, Settings(str(data), speed=False), said.append)
    assert row.ours_top1 is None
    assert "is not measured: the data has the classes class0" in said[-1]


def test_names_mean_published_weights_and_files_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights_meant("resnet18@torchvision") == "torchvision:resnet18.IMAGENET1K_V1"
    assert weights_meant("runs/a") == "runs/a"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet18").mkdir()
    assert weights_meant("resnet18") == "resnet18"
    with pytest.raises(ValueError, match="neither timm nor torchvision publishes weights for plain18"):
        weights_meant("plain18")


def outcome_of(labels: list[int]) -> Outcome:
    probabilities = torch.nn.functional.one_hot(torch.tensor(labels), 1000).double()
    rows = torch.arange(len(labels))
    return Outcome(probabilities, torch.zeros_like(rows), rows, 1.0, 1.0)


def images_named(names: list[str]) -> EvaluationImages:
    split = FolderSplit(
        PathTable.of([f"/val/{name}" for name in names], "/val"), torch.zeros(len(names), dtype=torch.int64)
    )
    return EvaluationImages(split, RGB, "val")


@pytest.mark.slow
def test_real_accuracy_counts_any_of_the_labels_and_leaves_out_images_without() -> None:
    found = real_labels()
    without = next(name for name in found if not found[name])
    several = next(name for name in found if len(found[name]) > 1)
    single = next(name for name in found if len(found[name]) == 1)
    outcome = outcome_of([0, found[several][-1], found[single][0] + 1])
    assert real_top1(outcome, images_named([without, several, single])) == 50.0
    with pytest.raises(ValueError, match="by their names"):
        real_top1(outcome_of([0]), images_named(["a.jpg"]))
