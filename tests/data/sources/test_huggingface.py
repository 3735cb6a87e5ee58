"""Sets of the datasets library: which columns and splits are read, and what is refused; nothing is downloaded."""

import gc
import io
import pickle
import sys

import pytest
import torch
from PIL import Image

from lit_cnn.data.module import ImageData
from lit_cnn.data.sources.decoding import BrokenImage, PixelFormat
from lit_cnn.data.sources.huggingface import HubSplit, is_hub_folder, read_hub
from lit_cnn.data.sources.load import load_source

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def _png(level, size=(6, 4)):
    stream = io.BytesIO()
    Image.new("RGB", size, (level, 0, 0)).save(stream, "PNG")
    return {"bytes": stream.getvalue(), "path": None}


LABELED = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["dog", "cat"])}


def _table(labels, features=None, **columns):
    features = LABELED if features is None else features
    content = {"image": [_png(number) for number in range(len(labels))], "label": labels, **columns}
    return datasets.Dataset.from_dict({name: content[name] for name in features}, features=datasets.Features(features))


def _save(folder, **splits):
    datasets.DatasetDict(splits).save_to_disk(folder)
    return str(folder)


def _level(split, row):
    return split.read(row).picture().getpixel((0, 0))[0]


def test_a_saved_set_keeps_its_splits_bytes_and_order_of_classes(tmp_path):
    path = _save(tmp_path / "set", train=_table([0, 1, 1]), validation=_table([1]), test=_table([0, 1]))
    found = read_hub(path)
    assert found.class_names == ["dog", "cat"]
    assert {name: split.labels.tolist() for name, split in found.splits.items()} == {
        "train": [0, 1, 1],
        "val": [1],
        "test": [0, 1],
    }
    assert [_level(found.splits["train"], row) for row in range(3)] == [0, 1, 2]
    assert found.splits["train"].read(1).content == _png(1)["bytes"]
    assert found.splits["train"].read(1, PixelFormat(1)).pixels().shape == (1, 4, 6)
    assert found.notes == ()


def test_rows_are_taken_in_order_and_survive_pickling(tmp_path):
    split = read_hub(_save(tmp_path / "set", train=_table([0, 1, 0, 1]))).splits["train"]
    taken = pickle.loads(pickle.dumps(split.take(torch.tensor([3, 1, 0])).take(torch.tensor([0, 2]))))
    assert taken.labels.tolist() == [1, 0]
    assert [_level(taken, row) for row in range(2)] == [3, 0]


def test_parquet_files_are_read_by_the_names_of_their_splits(tmp_path, capfd):
    for name, labels in (("train", [0, 1]), ("validation", [1])):
        (tmp_path / "set").mkdir(exist_ok=True)
        _table(labels).to_parquet(tmp_path / "set" / f"{name}.parquet")
    capfd.readouterr()
    assert {name: len(split) for name, split in read_hub(str(tmp_path / "set")).splits.items()} == {
        "train": 2,
        "val": 1,
    }
    assert read_hub(str(tmp_path / "set" / "train.parquet")).class_names == ["dog", "cat"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the library leaves metadata.csv open
def test_image_files_with_a_metadata_file_are_read_by_its_column(tmp_path):
    folder = tmp_path / "set" / "train"
    folder.mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (5, 3), (number, 0, 0)).save(folder / f"{number}.png")
    rows = "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(4))
    (folder / "metadata.csv").write_text(f"file_name,label\n{rows}")
    found = read_hub(str(tmp_path / "set"))
    assert found.class_names == ["a", "b"]
    assert [(_level(found.splits["train"], row), found.splits["train"].labels[row].item()) for row in range(4)] == [
        (0, 0),
        (1, 1),
        (2, 0),
        (3, 1),
    ]
    gc.collect()


def test_class_folders_lists_and_other_metadata_make_no_set_of_the_library(tmp_path):
    for name in ("0.png", "1.png", "train/cat/0.png", "train/dog/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 3)).save(tmp_path / name)
    metadata = tmp_path / "train" / "metadata.csv"
    metadata.write_text("file_name,label\ncat/0.png,cat\ndog/1.png,dog\n")
    assert not is_hub_folder(tmp_path)  # classes are folders
    for name in ("cat/0.png", "dog/1.png"):
        (tmp_path / "train" / name).rename(tmp_path / "train" / name.replace("/", "_"))
    assert is_hub_folder(tmp_path)
    assert not is_hub_folder(metadata)
    metadata.write_text("person,age\n1,2\n")
    assert not is_hub_folder(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,label\n0.png,cat\n1.png,dog\n")
    assert not is_hub_folder(tmp_path)  # a list, which needs no library


def test_images_without_a_class_are_left_out_and_counted(tmp_path):
    found = read_hub(_save(tmp_path / "set", train=_table([0, 1]), test=_table([-1, 1, -1]), extra=_table([0])))
    assert found.splits["test"].labels.tolist() == [1]
    assert _level(found.splits["test"], 0) == 1
    assert len(found.notes) == 2
    assert "2 test images" in found.notes[1]
    assert "1 images named 'extra'" in found.notes[0]


def test_training_images_without_a_class_are_left_out_too(tmp_path):
    """They ended in an index error of the training."""
    found = read_hub(_save(tmp_path / "set", train=_table([0, -1, 1, None])))
    train = found.splits["train"]
    assert train.labels.tolist() == [0, 1]
    assert [_level(train, row) for row in range(2)] == [0, 2]
    assert found.notes[0].startswith("2 train images of ")
    with pytest.raises(ValueError, match="has no training image with a class in its column label; label some"):
        read_hub(_save(tmp_path / "none", train=_table([-1, -1]), test=_table([0, 1])))


def test_numbers_and_texts_serve_as_classes(tmp_path):
    features = {"image": datasets.Image(), "label": datasets.Value("int64")}
    found = read_hub(_save(tmp_path / "numbers", train=_table([10, 9, 100], features)))
    assert (found.class_names, found.splits["train"].labels.tolist()) == (["9", "10", "100"], [1, 0, 2])


@pytest.mark.parametrize("train", [[0, 1], [0.0, 1.0, float("nan")], [0.0, 1.0, None]])
def test_a_missing_value_changes_no_class_of_its_column(tmp_path, train):
    """Whole numbers become floating-point ones by it: "1.0" was no class of the training images, "nan" was one."""
    kinds = {"train": datasets.Value("float64" if len(train) == 3 else "int64"), "test": datasets.Value("float64")}
    rows = {"train": train, "test": [1.0, float("nan")]}
    tables = {name: _table(rows[name], {"image": datasets.Image(), "label": kinds[name]}) for name in rows}
    found = read_hub(_save(tmp_path / "set", **tables))
    assert found.class_names == ["0", "1"]
    assert {name: split.labels.tolist() for name, split in found.splits.items()} == {"train": [0, 1], "test": [1]}
    assert found.notes[-1].startswith("1 test images of ")


def test_an_empty_text_is_no_class(tmp_path):
    features = {"image": datasets.Image(), "label": datasets.Value("string")}
    found = read_hub(_save(tmp_path / "set", train=_table(["a", "", "b"], features)))
    assert (found.class_names, found.splits["train"].labels.tolist()) == (["a", "b"], [0, 1])


FINE = {
    "image": datasets.Image(),
    "fine": datasets.ClassLabel(names=["a", "b"]),
    "coarse": datasets.ClassLabel(names=["c", "d"]),
}
WITHOUT = {"image": datasets.Image(), "caption": datasets.Value("string")}
PAIRS = {"image": datasets.Image(), "mask": datasets.Image(), "label": LABELED["label"]}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: {"train": _table([0, 1], FINE, fine=[0, 1], coarse=[0, 1])},
            "the label columns fine, coarse; keep one",
        ),
        (
            lambda: {"train": _table([0, 1], WITHOUT, caption=["x", "y"])},
            r"no column of labels .its columns: image, capt",
        ),
        (lambda: {"train": _table([0, 1], PAIRS, mask=[_png(0)] * 2)}, "the image columns image, mask; keep one"),
        (lambda: {"train": _table([0, 1], {"label": LABELED["label"]})}, "no column of images"),
        (lambda: {"test": _table([0, 1])}, "has the splits test but none of training images"),
        (lambda: {"train": _table([0, 1]), "val": _table([0]), "validation": _table([0])}, "both mean val; keep one"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path, make, words):
    with pytest.raises(ValueError, match=words):
        read_hub(_save(tmp_path / "set", **make()))


def test_unknown_names_and_other_files_are_refused(tmp_path, monkeypatch):
    def fail(path):
        raise ConnectionError(f"Couldn't reach {path} on the Hub.\nmore")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(
        ValueError, match=r"someone/flowers cannot be read .*Couldn't reach .*; check the name and the net"
    ):
        load_source("huggingface", "someone/flowers")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_source("huggingface", str(tmp_path / "nowhere"))
    (tmp_path / "x.csv").write_text("")
    with pytest.raises(ValueError, match=r"is a file of another kind than \.parquet, \.arrow"):
        load_source("huggingface", str(tmp_path / "x.csv"))


def test_without_the_library_it_is_said_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r"pip install lit-cnn\[huggingface\]"):
        load_source("huggingface", str(tmp_path))


def test_an_empty_row_and_a_file_that_is_gone_are_named(tmp_path):
    images = datasets.Dataset.from_dict(
        {"image": [{"bytes": None, "path": str(tmp_path / "gone.png")}, None]},
        features=datasets.Features({"image": datasets.Image(decode=False)}),
    )
    split = HubSplit("the train split of flowers", images, torch.tensor([0, 1]))
    with pytest.raises(FileNotFoundError, match=r"gone\.png no longer exists"):
        split.read(0)
    with pytest.raises(BrokenImage, match=r"row 1 of the train split of flowers holds no image; remove it$"):
        split.read(1)


@pytest.mark.parametrize("workers", [0, 2])
def test_it_trains_from_the_loader_with_any_number_of_workers(tmp_path, workers):
    path = _save(tmp_path / "set", train=_table([0, 1] * 4), validation=_table([1, 0]))
    data = ImageData("huggingface", path, image_size=8, batch_size=4, workers=workers)
    assert [batch.targets.tolist() for batch in data.val_dataloader()] == [[1, 0]]
    batches = list(data.train_dataloader())
    assert sum(len(batch.images) for batch in batches) == 8
    assert data.loaded.origin == path


def _held_out(tmp_path, name, table, **options):
    """Levels of the images that are held out."""
    source = load_source("huggingface", _save(tmp_path / name, train=table), 0.3, **options)
    assert len(source.train) + len(source.val) == len(table)
    return {_level(source.val, row) for row in range(len(source.val))}


def test_validation_images_are_held_out_by_their_contents_where_they_have_no_names(tmp_path):
    """Rows that are removed or put in front move no other."""
    table = _table([0, 1] * 20)
    held = _held_out(tmp_path, "set", table)
    assert 0 < len(held) < 40
    assert _held_out(tmp_path, "fewer", table.select(range(2, 40))) == held - {0, 1}
    assert _held_out(tmp_path, "turned", table.select(range(39, -1, -1))) == held


def test_validation_images_are_held_out_by_their_names_where_they_have_some(tmp_path):
    def named(numbers):
        content = {
            "image": [{**_png(number), "path": f"p{number % 8}_{number}.png"} for number in numbers],
            "label": [number % 2 for number in numbers],
        }
        return datasets.Dataset.from_dict(content, features=datasets.Features(LABELED))

    held = _held_out(tmp_path, "set", named(range(40)))
    assert _held_out(tmp_path, "grown", named(range(60))) & set(range(40)) == held
    patients = _held_out(tmp_path, "groups", named(range(40)), group_by=r"(p\d)_")
    assert len(patients) == 5 * len({number % 8 for number in patients})  # whole groups of five images


def _pathed(paths):
    content = {
        "image": [{**_png(n), "path": path} for n, path in enumerate(paths)],
        "label": [0, 1] * (len(paths) // 2),
    }
    return datasets.Dataset.from_dict(content, features=datasets.Features(LABELED))


def test_images_that_share_a_path_are_held_out_by_their_contents(tmp_path):
    """Their hashes were one, so that either all or none of a class were held out."""
    held = _held_out(tmp_path, "set", _pathed(["image.png"] * 40))
    assert 4 < len(held) < 25
    some = _held_out(tmp_path, "some", _pathed([*(f"{number}.png" for number in range(38)), "0.png", "1.png"]))
    apart = _held_out(tmp_path, "apart", _pathed([f"{number}.png" for number in range(40)]))
    assert (some ^ apart) <= {0, 1, 38, 39}  # those that have a path of their own keep their side
    groups = _held_out(tmp_path, "groups", _pathed([f"p{number % 8}.png" for number in range(40)]), group_by=r"(p\d)")
    assert len(groups) == 5 * len({number % 8 for number in groups})


def test_rows_of_one_file_have_one_name(tmp_path):
    for name in ("a", "b"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    paths = [str(tmp_path / f"{name}.png") for name in "aab"]
    images = datasets.Dataset.from_dict(
        {"image": [{"bytes": None, "path": path} for path in paths]},
        features=datasets.Features({"image": datasets.Image(decode=False)}),
    )
    names = HubSplit("flowers", images, torch.tensor([0, 0, 1])).names(distinct=True)
    assert list(names) == ["/a.png", "/a.png", "/b.png"]
