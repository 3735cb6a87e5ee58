from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.data.checking import Finding, check_data
from lit_cnn.data.sources.decoding import PixelFormat


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, (split, name) in enumerate((s, n) for s in ("train", "val") for n in ("cat", "dog")):
        for row in range(3):
            path = tmp_path / split / name / f"{row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(10 * number + row).integers(0, 255, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
    return tmp_path


def texts(findings: list[Finding], kind: str) -> list[str]:
    return [finding.text for finding in findings if finding.kind == kind]


def test_a_sound_folder_has_facts_only(folder: Path) -> None:
    findings = list(check_data(folder))
    assert {finding.kind for finding in findings} == {"fact"}
    assert "train: 6 images, sides from 9 to 12 px" in texts(findings, "fact")
    assert "val: every class has 3 images" in texts(findings, "fact")


def test_a_torn_file_is_named(folder: Path) -> None:
    path = folder / "train" / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    (error,) = texts(list(check_data(folder)), "error")
    assert str(path) in error


def test_files_left_out_for_their_ending_are_counted(folder: Path) -> None:
    for name in ("train/cat/a.TXT", "train/cat/b.mp4", "train/cat/c.txt", "val/dog/README", "val/dog/.hidden.gif"):
        (folder / name).write_bytes(b"")
    assert sorted(texts(list(check_data(folder)), "warning")) == [
        "4 files left out: no image by the ending (none, .mp4, .txt)",
    ]


def test_a_duplicate_between_splits_is_an_error_and_within_one_a_warning(folder: Path) -> None:
    source = folder / "train" / "cat" / "0.png"
    for copy in (folder / "val" / "cat" / "copy.png", folder / "train" / "dog" / "copy.png"):
        copy.write_bytes(source.read_bytes())
    findings = list(check_data(folder))
    (error,) = texts(findings, "error")
    assert all(str(path) in error for path in (source, folder / "val" / "cat" / "copy.png"))
    (folder / "val" / "cat" / "copy.png").unlink()
    (warning,) = texts(list(check_data(folder)), "warning")
    assert "twice in train" in warning


def test_a_class_out_of_balance_or_absent_is_a_warning(folder: Path) -> None:
    for row in range(40):
        Image.fromarray(np.full((9, 9, 3), row, dtype=np.uint8)).save(folder / "train" / "cat" / f"more{row}.png")
    (warning,) = texts(list(check_data(folder)), "warning")
    assert "cat has 43 images, dog 3" in warning


def test_an_npz_is_checked_by_its_pixels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 8, 8), dtype=np.uint8)
    path = tmp_path / "set.npz"
    labels = np.array([0, 1, 0, 1])
    np.savez(path, train_images=images, train_labels=labels, val_images=images[3:], val_labels=labels[3:])
    findings = list(check_data(path))
    (error,) = texts(findings, "error")
    assert "train_images[3], val_images[0]" in error
    assert any("val: no image of" in warning for warning in texts(findings, "warning"))


def test_16_bit_images_that_become_black_are_warned_of(folder: Path) -> None:
    for path in (folder / "val").rglob("*.png"):
        pixels = np.random.default_rng(int(path.stem)).integers(0, 900, (9, 12), dtype=np.uint16)
        Image.fromarray(pixels).save(path)
    (warning, *_) = texts(list(check_data(folder)), "warning")
    assert warning.startswith("the 16-bit images of val use levels up to ")
    assert warning.endswith(" of 65535 and become nearly black: set data.levels to [0, 1023]")


def test_files_are_decoded_as_stated(folder: Path) -> None:
    Image.fromarray(np.full((9, 12), 0.5, dtype=np.float32)).save(folder / "val" / "dog" / "1.png", "TIFF")
    (error,) = texts(list(check_data(folder)), "error")
    assert error.endswith("save it as 8-bit levels, or state --levels LOW HIGH, the numbers that are black and white")
    assert texts(list(check_data(folder, PixelFormat(levels=(0.0, 255.0)))), "error") == []
    (error, *_) = texts(list(check_data(folder, PixelFormat(levels=(0.0, 1.0), max_pixels=107))), "error")
    assert error.endswith(
        "has 12 x 9 = 108 px, more than the 107 px allowed; make it smaller or remove it, or raise --max-pixels"
    )
