"""What a packed set holds, and when it is not written."""

import io
import json

import pytest
import torch
from PIL import Image

from lit_cnn.data import packing
from lit_cnn.data.packing import Packing, pack_folder
from lit_cnn.data.shards import read_shards
from lit_cnn.data.sources import load_source

pytest.importorskip("litdata")


@pytest.fixture
def folder(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(10):
            noise = Image.effect_noise((60, 40 + number), 50 + label).convert("RGB")
            noise.save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def _pack(folder, target, **options):
    return pack_folder(folder, target, Packing(**options), advance=lambda *_: None)


def _picture(split, row):
    return Image.open(io.BytesIO(split.read(row).content))


def test_images_become_jpegs_with_the_stated_shorter_side_and_small_ones_stay(folder, tmp_path):
    Image.new("RGB", (30, 20)).save(folder / "cat" / "small.png")
    _pack(folder, tmp_path / "out", size=32)
    train = read_shards(str(tmp_path / "out"))[0]["train"]
    pictures = [_picture(train, row) for row in range(len(train))]
    assert {picture.format for picture in pictures} == {"JPEG"}
    assert {min(picture.size) for picture in pictures} <= {32, 20}
    assert all(picture.width > picture.height for picture in pictures)


def test_quality_changes_the_size_of_the_files(folder, tmp_path):
    sizes = []
    for quality in (30, 95):
        _pack(folder, tmp_path / str(quality), size=32, quality=quality)
        train = read_shards(str(tmp_path / str(quality)))[0]["train"]
        sizes.append(sum(len(train.read(row).content) for row in range(len(train))))
    assert sizes[0] < sizes[1]


def test_the_held_out_images_are_the_folder_sources(folder, tmp_path):
    counts = _pack(folder, tmp_path / "out", size=0)
    source = load_source("imagefolder", str(folder))
    splits, _ = read_shards(str(tmp_path / "out"))
    assert counts == {"train": 18, "val": 2}
    assert [splits["val"].read(row).content for row in range(2)] == [source.val.read(row).content for row in range(2)]
    assert torch.equal(splits["val"].labels, source.val.labels)


def test_training_images_are_mixed_so_that_a_shard_holds_several_classes(folder, tmp_path):
    _pack(folder, tmp_path / "out", size=0)
    labels = read_shards(str(tmp_path / "out"))[0]["train"].labels
    assert labels.tolist() != sorted(labels.tolist())


def test_the_same_bytes_for_any_number_of_workers(folder, tmp_path):
    for workers in (0, 2):
        _pack(folder, tmp_path / str(workers), size=32, workers=workers, chunk_bytes=9000)
    files = [sorted((tmp_path / name).rglob("*.bin")) for name in ("0", "2")]
    assert len(files[0]) > 3
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_progress_counts_every_image(folder, tmp_path):
    seen = []
    pack_folder(folder, tmp_path / "out", Packing(size=0), advance=lambda done, total: seen.append((done, total)))
    assert seen == [(number + 1, 20) for number in range(20)]


def test_nothing_is_overwritten(folder, tmp_path):
    (tmp_path / "out").mkdir()
    _pack(folder, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    with pytest.raises(ValueError, match="out exists already; remove it"):
        _pack(folder, tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_stops_and_leaves_nothing_behind(folder, tmp_path, workers):
    (folder / "dog" / "3.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"dog/3\.png cannot be decoded"):
        _pack(folder, tmp_path / "out", workers=workers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


@pytest.mark.parametrize(
    "options", [{"size": -1}, {"quality": 0}, {"quality": 101}, {"chunk_bytes": 0}, {"workers": -1}]
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"of a packed set is .* but must lie between"):
        Packing(**options)


def test_another_format_is_refused(folder, tmp_path):
    _pack(folder, tmp_path / "out")
    info = json.dumps({"format": 99, "class_names": [], "labels": {}}).encode()
    packing._write(tmp_path / "other" / "info", [info], Packing(), lambda: None)
    with pytest.raises(ValueError, match="format 99 is unknown"):
        read_shards(str(tmp_path / "other"))
