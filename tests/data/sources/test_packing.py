"""What a packed set holds, and when it is not written."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lit_cnn.data.sources import packing
from lit_cnn.data.sources.decoding import PixelFormat
from lit_cnn.data.sources.load import load_source
from lit_cnn.data.sources.packing import Packing, pack_folder
from lit_cnn.data.sources.shards import read_shards

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
    assert counts == {"train": len(source.train), "val": len(source.val)}
    rows = range(len(source.val))
    assert [splits["val"].read(row).content for row in rows] == [source.val.read(row).content for row in rows]
    assert torch.equal(splits["val"].labels, source.val.labels)


def test_training_images_are_mixed_so_that_a_shard_holds_several_classes(folder, tmp_path):
    _pack(folder, tmp_path / "out", size=0)
    labels = read_shards(str(tmp_path / "out"))[0]["train"].labels
    assert labels.tolist() != sorted(labels.tolist())


@pytest.mark.slow
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


def test_a_link_to_an_empty_folder_leads_to_the_set(folder, tmp_path):
    (tmp_path / "disk" / "empty").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "empty")
    _pack(folder, tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert sorted(read_shards(str(tmp_path / "disk" / "empty"))[0]) == ["train", "val"]
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["empty"]


def test_a_target_may_be_relative(folder, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    _pack(folder, Path("../out"))
    assert sorted(read_shards(str(tmp_path / "out"))[0]) == ["train", "val"]


@pytest.mark.parametrize("kind", ["the current folder", "a mount point"])
def test_what_a_set_cannot_replace_is_refused_before_the_work(folder, tmp_path, monkeypatch, kind):
    (tmp_path / "out").mkdir()
    if kind == "a mount point":
        monkeypatch.setattr("os.path.ismount", lambda path: Path(path) == tmp_path / "out")
    else:
        monkeypatch.chdir(tmp_path / "out")
    with pytest.raises(ValueError, match=f"out is {kind}, .* choose a folder inside it"):
        _pack(folder, Path(".") if kind == "the current folder" else tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "out"]


def test_a_set_inside_its_source_is_refused_before_the_work(folder, tmp_path):
    """It was taken for a class of the source, which could not be read any more."""
    (tmp_path / "link").symlink_to(folder)
    for source, target in ((folder, folder / "packed"), (tmp_path / "link", folder / "cat" / "packed")):
        with pytest.raises(ValueError, match=r"packed is inside .*images, where .*; choose a folder outside"):
            _pack(source, target)
    assert sorted(path.name for path in folder.iterdir()) == ["cat", "dog"]
    _pack(folder, folder.with_name("images.packed"))


def test_a_complete_set_that_cannot_be_moved_is_kept(folder, tmp_path):
    def fill(done, total):
        if done == total:
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "notes.txt").write_text("made meanwhile")

    with pytest.raises(ValueError, match=r"is complete in .*out\.partial but cannot be moved to .*out \("):
        pack_folder(folder, tmp_path / "out", Packing(), advance=fill)
    assert (tmp_path / "out" / "notes.txt").exists()
    assert sorted(read_shards(str(tmp_path / "out.partial"))[0]) == ["train", "val"]


def test_two_packs_to_one_folder_leave_each_other_alone(folder, tmp_path):
    second = []

    def start_another(done, _):
        if done == 1:
            with pytest.raises(
                ValueError, match=r"out\.partial exists: another pack to .*out is running or was killed"
            ):
                _pack(folder, tmp_path / "out")
            second.append(done)

    pack_folder(folder, tmp_path / "out", Packing(), advance=start_another)
    assert second == [1]
    assert sorted(read_shards(str(tmp_path / "out"))[0]) == ["train", "val"]


def test_a_folder_that_happens_to_be_named_partial_is_not_touched(folder, tmp_path):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "mine.txt").write_text("kept")
    with pytest.raises(ValueError, match=r"out\.partial exists"):
        _pack(folder, tmp_path / "out")
    assert (tmp_path / "out.partial" / "mine.txt").read_text() == "kept"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_stops_and_leaves_nothing_behind(folder, tmp_path, workers):
    (folder / "dog" / "3.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"dog/3\.png cannot be decoded"):
        _pack(folder, tmp_path / "out", workers=workers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


@pytest.mark.parametrize("workers", [pytest.param(0, marks=pytest.mark.slow), 1])
@pytest.mark.slow
def test_an_image_too_large_for_a_jpeg_is_named(folder, tmp_path, workers):
    Image.new("RGB", (65_501, 3)).save(folder / "dog" / "long.png")
    words = r"dog/long\.png of 65501 x 3 px cannot be stored as a JPEG, whose sides end at 65,500 px .* with size 0"
    with pytest.raises(ValueError, match=words):
        _pack(folder, tmp_path / "out", workers=workers)
    assert sum(_pack(folder, tmp_path / "out", size=0).values()) == 21


@pytest.mark.parametrize(
    "options", [{"size": -1}, {"quality": 0}, {"quality": 101}, {"chunk_bytes": 0}, {"workers": -1}]
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"of a packed set is .* but must lie between"):
        Packing(**options)


@pytest.mark.slow
def test_another_format_is_refused(folder, tmp_path):
    _pack(folder, tmp_path / "out")
    info = json.dumps({"format": 99, "class_names": [], "labels": {}}).encode()
    packing._write(tmp_path / "other" / "info", [info], Packing(), lambda: None)
    with pytest.raises(ValueError, match="format 99 is unknown"):
        read_shards(str(tmp_path / "other"))


@pytest.mark.slow
def test_what_is_packed_has_its_levels_background_and_colors_already(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.full((8, 8), 1023, dtype=np.uint16)).save(
                tmp_path / "images" / name / f"deep{number}.png"
            )
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "images" / "cat" / "clear.png")

    def shown(target, **settings):
        _pack(tmp_path / "images", tmp_path / target, size=8, pixel_format=PixelFormat(**settings))
        splits = read_shards(str(tmp_path / target))[0].values()
        return {_picture(split, row).getpixel((0, 0)) for split in splits for row in range(len(split))}

    assert shown("a") == {(3, 3, 3), (255, 255, 255)}
    (tmp_path / "images" / "cat" / "clear.png").unlink()
    assert shown("b", levels=(0.0, 1023.0)) == {(255, 255, 255)}
    assert shown("c", levels=(0.0, 2046.0)) == {(128, 128, 128)}


def test_the_flags_that_help_are_named(folder, tmp_path):
    with pytest.raises(ValueError, match=r"more than the 2,000 px allowed; .*remove it, or raise --max-pixels"):
        _pack(folder, tmp_path / "out", pixel_format=PixelFormat(max_pixels=2000))
    for path in folder.rglob("*.png"):
        Image.new("F", (8, 8)).save(path, "TIFF")
    with pytest.raises(ValueError, match=r"save it as 8-bit levels, or state --levels LOW HIGH"):
        _pack(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
