from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit_cnn.data.checking import Finding, check_data


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
