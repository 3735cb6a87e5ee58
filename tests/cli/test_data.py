"""``lit-cnn data``: packing a folder from the command line, and the picture of a batch."""

import numpy as np
import pytest
from PIL import Image, ImageColor
from tiny_layouts import COLORS, write_voc

from lit_cnn.cli.data import show_boxes
from lit_cnn.cli.main import main
from lit_cnn.data.sources.load import load_source
from lit_cnn.detection.data import DetectionData
from lit_cnn.reports.box_sheet import BOX_COLORS


@pytest.fixture
def folder(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(5):
            Image.effect_noise((40, 30), 60).convert("RGB").save(tmp_path / "images" / name / f"{number}.jpg")
    return tmp_path / "images"


@pytest.mark.slow
def test_pack_says_what_it_wrote_and_how_to_train_on_it(folder, tmp_path, capsys):
    pytest.importorskip("litdata")
    target = tmp_path / "shards"
    assert main(["data", "pack", str(folder), str(target), "--size", "16", "--quality", "80", "--workers", "1"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "8 train, 2 val images" in out
    assert "train with --data.source litdata --data.path" in out
    source = load_source("litdata", str(target))
    assert min(source.train.read(0).sides()) == 16
    assert main(["data", "pack", str(folder), str(target)]) == 1
    assert "exists already; remove it or choose another folder" in capsys.readouterr().err


def test_pack_refuses_what_it_does_not_know(folder, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["data", "pack", str(folder), str(tmp_path / "out"), "--sise", "16"])
    assert caught.value.code == 2
    assert "--sise" in capsys.readouterr().err
    assert main(["data", "pack", str(folder), str(tmp_path / "out"), "--quality", "0"]) == 1
    assert "quality of a packed set is 0 but must lie between 1 and 100" in capsys.readouterr().err


def test_pack_names_what_was_stated_wrongly(folder, tmp_path, capsys):
    assert main(["data", "pack", str(tmp_path / "typo"), str(tmp_path / "out")]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "SRC '" in said
    assert "data.path" not in said
    for size in ("0", "4096"):
        assert main(["data", "pack", str(folder), str(tmp_path / "out"), "--chunk-mb", size]) == 1
        assert f"--chunk-mb is {size} but must lie between 1 and 4095 (MiB)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", ["0", "-1"])
def test_show_wants_an_image_at_least(tmp_path, capsys, count):
    out = tmp_path / "batch.png"
    assert main(["data", "show", "--images", count, "--out", str(out), "--config", "small/resnet50"]) == 1
    assert f"--images is {count} but must be at least 1" in capsys.readouterr().err
    assert not out.exists()


def test_show_draws_a_set_smaller_than_the_batch(folder, tmp_path, capsys):
    out = tmp_path / "batch.png"
    words = ["--out", str(out), "--config", "folder", "--data.path", str(folder), "--data.workers=0"]
    words += ["--data.image_size=16", "--model.architecture=cifar_resnet8"]
    assert main(["data", "show", *words]) == 0
    assert "data.batch_size is 8 instead of 32, since the training set has no more" in capsys.readouterr().out
    assert out.is_file()


@pytest.mark.slow
def test_show_draws_a_batch_of_a_recipe(tmp_path, capsys):
    picture = tmp_path / "batch.png"
    changes = ["--data.source", "digits", "--data.color_jitter.lighting", "0"]
    assert main(["data", "show", "--out", str(picture), "--config", "small/resnet50", *changes]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("data: scikit-learn's digits, 10 classes")
    assert said[-1] == str(picture)
    with Image.open(picture) as sheet:
        assert sheet.width > 100


def test_pack_warns_of_16_bit_images_that_become_black(tmp_path, capsys):
    pytest.importorskip("litdata")
    for name in ("cat", "dog"):
        (tmp_path / "xrays" / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.full((8, 8), 900, dtype=np.uint16)).save(tmp_path / "xrays" / name / f"{number}.png")
    pack = ["data", "pack", str(tmp_path / "xrays")]
    assert main([*pack, str(tmp_path / "dark")]) == 0
    assert "use levels up to 900 of 65535 and become nearly black: state --levels 0 1023" in capsys.readouterr().err
    assert main([*pack, str(tmp_path / "bright"), "--levels", "0", "900"]) == 0
    assert "warning" not in capsys.readouterr().err
    levels = [load_source("litdata", str(tmp_path / name)).train.read(0).pixels().amax() for name in ("dark", "bright")]
    assert levels == [3, 255]


def test_the_first_batch_of_a_detector_is_drawn_with_its_boxes(tmp_path):
    data = DetectionData(str(write_voc(tmp_path / "set")), canvas=(48, 64), batch_size=4, workers=0)
    pixels = np.asarray(Image.open(show_boxes(data, 3, tmp_path / "batch.png")).convert("RGB")).astype(int)
    for color in (*COLORS.values(), *map(ImageColor.getrgb, BOX_COLORS[:2])):
        assert (np.abs(pixels - color).sum(axis=2) < 60).sum() > 20
    assert not (np.abs(pixels - ImageColor.getrgb(BOX_COLORS[2])).sum(axis=2) < 60).any()
