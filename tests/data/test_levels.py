"""Sets whose 16-bit images would become nearly black are warned of, and no others."""

import numpy as np
import pytest
import torch
from encoded_images import png
from PIL import Image

from lit_cnn.data.levels import levels_warning
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.decoding import RGB, PixelFormat
from lit_cnn.data.sources.file_index import PathTable
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.huggingface import HubSplit
from lit_cnn.data.sources.packing import Packing, pack_folder
from lit_cnn.data.sources.shards import ShardSplit, read_shards


def split_of(folder):
    paths = PathTable.of(str(path) for path in sorted(folder.iterdir()))
    return FolderSplit(paths, torch.zeros(len(paths), dtype=torch.int64))


def write(path, highest, dtype=np.uint16):
    values = np.linspace(0, highest, 48).round().astype(dtype).reshape(6, 8)
    Image.fromarray(values).save(path)


@pytest.mark.parametrize(
    ("highest", "meant"), [(4095, 4095), (4030, 4095), (2048, 4095), (1023, 1023), (200, 255), (16383, 16383)]
)
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_numbers_of_the_lowest_quarter_are_named_with_the_levels_they_mean(tmp_path, highest, meant, ending):
    for number in range(3):
        write(tmp_path / f"{number}.{ending}", highest - number)
    assert levels_warning(split_of(tmp_path), RGB, "the set") == (
        f"the 16-bit images of the set use levels up to {highest} of 65535 and become nearly black: set data.levels to "
        f"[0, {meant}]"
    )


def test_one_image_that_uses_its_range_suffices(tmp_path):
    for number in range(8):
        write(tmp_path / f"{number}.png", 900)
    write(tmp_path / "8.png", 20000)
    assert levels_warning(split_of(tmp_path), RGB, "x") is None


def test_stated_levels_and_what_older_runs_did_are_not_warned_of(tmp_path):
    write(tmp_path / "0.png", 255)
    for levels in ((0.0, 255.0), "clip"):
        assert levels_warning(split_of(tmp_path), PixelFormat(levels=levels), "x") is None


def test_images_of_8_bits_broken_ones_and_empty_sets_are_passed_over(tmp_path):
    (tmp_path / "a").mkdir()
    assert levels_warning(split_of(tmp_path / "a"), RGB, "x") is None
    for ending in ("png", "jpg", "webp", "tif"):
        Image.new("L", (8, 6), 3).save(tmp_path / "a" / f"dark.{ending}")
    (tmp_path / "a" / "torn.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((4, 4), dtype=np.float32)).save(tmp_path / "a" / "float.tif")
    assert levels_warning(split_of(tmp_path / "a"), RGB, "x") is None
    write(tmp_path / "a" / "deep.png", 300)
    assert "use levels up to 300 of 65535" in levels_warning(split_of(tmp_path / "a"), RGB, "x")
    arrays = ArraySplit(torch.zeros(3, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64))
    assert levels_warning(arrays, RGB, "x") is None


def test_black_images_mean_one_level(tmp_path):
    write(tmp_path / "0.png", 0)
    assert levels_warning(split_of(tmp_path), RGB, "x", advice="state {}").endswith(": state 1")


def test_a_pgm_is_compared_with_the_number_it_states(tmp_path):
    values = np.arange(0, 1000, 20, dtype=">u2").reshape(5, 10)
    (tmp_path / "0.pgm").write_bytes(b"P5\n10 5\n1023\n" + values.tobytes())
    assert levels_warning(split_of(tmp_path), RGB, "x") is None
    (tmp_path / "0.pgm").write_bytes(b"P5\n10 5\n4095\n" + values.tobytes())
    said = "the 12-bit images of x use levels up to 980 of 4095 and become nearly black: set data.levels to [0, 1023]"
    assert levels_warning(split_of(tmp_path), RGB, "x") == said


def test_colors_of_16_bits_are_to_be_scaled(tmp_path):
    (tmp_path / "0.png").write_bytes(png((2, 1), 16, 2, [np.full(6, 4095, dtype=">u2").tobytes()]))
    said = levels_warning(split_of(tmp_path), RGB, "x")
    used = "use levels up to 3855 of 65535 and become nearly black"
    assert said == f"the 16-bit color images of x {used}: scale them to 8 bits"


def test_a_sample_reads_few_files_and_none_reads_all(tmp_path):
    for number in range(9):
        write(tmp_path / f"{number}.png", 60000 if number == 5 else 900)
    assert levels_warning(split_of(tmp_path), RGB, "x", sample=3) is not None
    assert levels_warning(split_of(tmp_path), RGB, "x", sample=None) is None


def test_images_of_a_table_are_looked_at(tmp_path):
    """They trained nearly black without a word, other than the same files in a folder."""
    write(tmp_path / "0.png", 4095)
    rows = [{"image": {"bytes": (tmp_path / "0.png").read_bytes(), "path": None}}]
    table = HubSplit("x", rows, torch.tensor([0]))
    assert "use levels up to 4095 of 65535" in levels_warning(table, RGB, "x")


def test_packed_images_are_looked_at_where_they_are_on_this_machine(tmp_path):
    pytest.importorskip("litdata")
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            write(tmp_path / "images" / name / f"{number}.png", 700)
    pack_folder(tmp_path / "images", tmp_path / "out", Packing(size=0), advance=lambda *_: None)
    train = read_shards(str(tmp_path / "out"))[0]["train"]
    assert "set data.levels to [0, 1023]" in levels_warning(train, RGB, "x")
    assert levels_warning(ShardSplit("s3://bucket/set/train", train.labels, train.chunks), RGB, "x") is None
