import gc
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import TWINS, as_jpeg, scene

from lit_cnn.data.checking import check_data
from lit_cnn.data.checks import finding
from lit_cnn.data.sources.decoding import PixelFormat


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures in each of the classes of two splits."""
    for number, (split, name) in enumerate((s, n) for s in ("train", "val") for n in ("cat", "dog")):
        for row in range(3):
            path = tmp_path / split / name / f"{row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            scene(10 * number + row).save(path)
    return tmp_path


def texts(path: Path, kind: str) -> list[str]:
    return [finding.text for finding in check_data(path) if finding.kind == kind]


def test_a_sound_folder_has_facts_only(folder: Path) -> None:
    findings = list(check_data(folder))
    assert {finding.kind for finding in findings} == {"fact"}
    facts = [finding.text for finding in findings]
    assert "train: 6 images, sides from 72 to 96 px" in facts
    assert "val: every class has 3 images" in facts


def test_every_image_counts_for_the_progress(folder: Path) -> None:
    said: list[tuple[int, int]] = []
    list(check_data(folder, advance=lambda done, total: said.append((done, total))))
    assert said == [(number, 12) for number in range(1, 13)]


def test_a_torn_file_is_named(folder: Path) -> None:
    path = folder / "train" / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    (error,) = texts(folder, "error")
    assert str(path) in error


def test_links_to_nothing_are_named_as_such(folder: Path) -> None:
    image, place = folder / "train" / "cat" / "annexed.jpg", folder / "train" / "bird"
    image.symlink_to("/nonexistent/objects/x.jpg")
    place.symlink_to("/nonexistent/birds")
    what = "is a link to nothing; restore its target or remove it"
    assert texts(folder, "error") == [f"{place} {what}", f"the image {image} {what}"]
    assert texts(folder, "warning") == []


def test_files_left_out_for_their_ending_are_counted(folder: Path) -> None:
    for name in ("train/cat/a.TXT", "train/cat/b.mp4", "train/cat/c.txt", "val/dog/README", "val/dog/.hidden.gif"):
        (folder / name).write_bytes(b"")
    assert texts(folder, "warning") == ["4 files left out: no image by the ending (none, .mp4, .txt)"]


def test_one_image_with_two_labels_is_an_error_that_names_both(folder: Path) -> None:
    source, copy = folder / "train" / "cat" / "0.png", folder / "train" / "dog" / "copy.png"
    shutil.copy(source, copy)
    assert texts(folder, "error") == [f"one image has 2 labels (cat, dog): {source}, {copy}"]


def test_equal_pixels_in_other_bytes_count_as_one_image(folder: Path) -> None:
    source, copy = folder / "train" / "cat" / "0.png", folder / "val" / "dog" / "copy.bmp"
    Image.open(source).save(copy)
    assert texts(folder, "error") == [f"one image has 2 labels (cat, dog): {source}, {copy}"]


def test_a_duplicate_between_splits_is_an_error_and_within_one_a_warning(folder: Path) -> None:
    source = folder / "train" / "cat" / "0.png"
    copies = [folder / "val" / "cat" / "copy.png", folder / "train" / "cat" / "copy.png"]
    for copy in copies:
        shutil.copy(source, copy)
    (error,) = texts(folder, "error")
    assert error.startswith("the same image is in two splits, so that the accuracy is flattered: ")
    assert all(str(path) in error for path in (source, *copies))
    copies[0].unlink()
    assert texts(folder, "error") == []
    assert texts(folder, "warning") == [f"the same image is twice in train: {source}, {copies[1]}"]


@pytest.mark.parametrize("change", TWINS.values(), ids=TWINS)
def test_a_changed_copy_in_another_split_is_a_warning(
    change: Callable[[Image.Image], Image.Image], folder: Path
) -> None:
    source, twin = folder / "train" / "cat" / "1.png", folder / "val" / "cat" / "twin.png"
    change(Image.open(source)).save(twin)
    assert texts(folder, "error") == []
    assert texts(folder, "warning") == [
        f"nearly the same image is in train and val, so that the accuracy may be flattered: {source}, {twin}"
    ]


def test_a_changed_copy_in_one_split_is_a_warning_under_another_label_and_else_a_fact(folder: Path) -> None:
    source = folder / "train" / "cat" / "1.png"
    twins = [folder / "train" / name / "twin.jpg" for name in ("cat", "dog")]
    as_jpeg(Image.open(source), 60).save(twins[0])
    assert texts(folder, "warning") == []
    assert f"train: 2 images nearly the same as another of their class, such as {source}, {twins[0]}" in texts(
        folder, "fact"
    )
    twins[0].rename(twins[1])
    assert texts(folder, "warning") == [f"nearly the same image has 2 labels (cat, dog): {source}, {twins[1]}"]


def test_many_findings_of_a_sort_are_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "SHOWN", 2)
    for name in ("cat", "dog"):
        for row in range(3):
            shutil.copy(folder / "train" / name / f"{row}.png", folder / "val" / name / f"copy{row}.png")
    errors = texts(folder, "error")
    assert [error.startswith("the same image is in two splits") for error in errors] == [True, True, False]
    assert errors[-1] == "4 more images in two splits"


def test_accidents_are_counted_and_named(folder: Path) -> None:
    cat = folder / "train" / "cat"
    for name in ("black1.png", "black2.png"):
        Image.new("L", (30 + len(name) + int(name[5]), 30)).save(cat / name)
    Image.new("RGB", (30, 30), (7, 7, 7)).save(cat / "plain.png")
    scene(50, (8, 410)).save(cat / "thin.png")
    scene(51, (7, 60)).save(cat / "tiny.png")
    transparent = scene(52).convert("RGBA")
    transparent.putalpha(120)
    transparent.save(cat / "glass.png")
    scene(53).save(cat / "really.png", "JPEG")
    scene(54).convert("L").save(cat / "gray.png")
    assert texts(folder, "warning") == [
        f"2 images are black throughout: {cat}/black1.png, {cat}/black2.png",
        f"1 image is of one color throughout: {cat}/plain.png",
        f"1 image has transparent pixels, which become those of data.background: {cat}/glass.png",
        f"1 image is over 50 times as long as wide: {cat}/thin.png",
        f"1 image has a side below 8 px: {cat}/tiny.png",
    ]
    facts = texts(folder, "fact")
    assert f"1 image has the ending of another format: {cat}/really.png" in facts
    assert "train: 3 images gray, 11 in color" in facts


@pytest.mark.slow
def test_images_of_many_pixels_are_named_and_pillow_says_nothing(folder: Path) -> None:
    Image.new("L", (10_100, 10_000)).save(folder / "val" / "cat" / "huge.png")
    warnings = texts(folder, "warning")
    assert f"1 image has over 100 million pixels: {folder}/val/cat/huge.png" in warnings


def test_class_names_that_are_easily_confused_are_a_warning(folder: Path) -> None:
    for split in ("train", "val"):
        shutil.copytree(folder / split / "cat", folder / split / "Cat")
    assert "the classes 'Cat' and 'cat' differ only in capitals, blanks or accents; are they one?" in texts(
        folder, "warning"
    )


def test_a_class_out_of_balance_or_absent_is_a_warning(folder: Path) -> None:
    for row in range(40):
        scene(100 + row).save(folder / "train" / "cat" / f"more{row}.png")
    (warning,) = texts(folder, "warning")
    assert "cat has 43 images, dog 3" in warning


def test_splits_next_to_classes_are_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("Testing", "cat", "dog")):
        (tmp_path / name / "inner").mkdir(parents=True)
        scene(number).save(tmp_path / name / "inner" / "0.png")
    with pytest.raises(ValueError, match="holds Testing/ next to cat/, dog/, so that splits and classes cannot"):
        list(check_data(tmp_path))


def test_an_npz_is_checked_by_its_pixels(tmp_path: Path) -> None:
    images = np.stack([np.asarray(scene(seed, (40, 40))) for seed in range(5)])
    path, labels = tmp_path / "set.npz", np.array([0, 1, 0, 1, 0])
    brighter = (images[2:3] * 0.9 + 20).astype(np.uint8)
    val = np.concatenate([images[3:4], images[4:5], brighter])
    np.savez(path, train_images=images, train_labels=labels, val_images=val, val_labels=np.array([1, 1, 0]))
    assert texts(path, "error") == [
        "one image has 2 labels (0, 1): train_images[4], val_images[1]",
        "the same image is in two splits, so that the accuracy is flattered: train_images[3], val_images[0]",
    ]
    (warning,) = texts(path, "warning")
    assert warning.endswith("flattered: train_images[2], val_images[2]")


def _npz(path: Path, images: np.ndarray) -> Path:
    """An npz file of training images of two classes in turn."""
    np.savez(path, train_images=images, train_labels=np.arange(len(images)) % 2)
    return path


def test_arrays_of_four_channels_are_compared_by_all_of_them(tmp_path: Path) -> None:
    """The fourth was dropped from equal pixels, and hid the others where it is 0."""
    images = np.stack([np.asarray(scene(seed, (40, 40)).convert("RGBA")) for seed in (0, 0, 2, 3, 4)])
    images[1, ..., 3] = 0
    images[2:4, ..., 3] = 0
    images[4] = np.where(np.arange(4) == 3, images[4, ..., :1], 0)
    path = _npz(tmp_path / "set.npz", images)
    assert texts(path, "error") == []
    (warning,) = texts(path, "warning")
    assert warning == "nearly the same image has 2 labels (0, 1): train_images[0], train_images[1]"
    images[1, ..., 3] = images[0, ..., 3]
    images[4, ..., 3] = 0
    path = _npz(tmp_path / "other.npz", images)
    assert texts(path, "error") == ["one image has 2 labels (0, 1): train_images[0], train_images[1]"]
    assert texts(path, "warning") == ["1 image is black throughout: train_images[4]"]


def test_dark_arrays_are_a_fact_as_they_have_no_levels_to_state(tmp_path: Path) -> None:
    images = np.stack([np.asarray(scene(seed, (40, 40))) // 16 for seed in range(4)])
    path = _npz(tmp_path / "set.npz", images)
    assert texts(path, "warning") == []
    assert f"the images of train use levels up to {images.max()} of 255" in texts(path, "fact")


def test_a_list_is_checked_as_a_folder_is(folder: Path) -> None:
    shutil.copy(folder / "train" / "cat" / "0.png", folder / "val" / "dog" / "copy.png")
    lines = [f"{file.relative_to(folder)},{file.parent.name}" for file in sorted(folder.glob("train/*/*.png"))]
    (folder / "train.csv").write_text("\n".join(["path,label", *lines, "val/dog/copy.png,dog"]) + "\n")
    errors = texts(folder / "train.csv", "error")
    assert errors == [f"one image has 2 labels (cat, dog): {folder}/train/cat/0.png, {folder}/val/dog/copy.png"]


def test_a_set_of_the_datasets_library_is_checked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    datasets = pytest.importorskip("datasets")
    rows = [(str(file), file.parent.name) for file in sorted(folder.glob("train/*/*.png"))]
    rows.append((rows[0][0], "dog"))
    table = datasets.Dataset.from_dict({"image": [path for path, _ in rows], "label": [name for _, name in rows]})
    table = table.cast_column("image", datasets.Image()).class_encode_column("label")
    place = tmp_path_factory.mktemp("hub") / "set"
    table.save_to_disk(place)
    assert texts(place, "error") == ["one image has 2 labels (cat, dog): train, image 0, train, image 6"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the library leaves metadata.csv open
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_a_folder_that_the_datasets_library_reads_is_checked(
    kind: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout of a download from the Hub was taken for one class, and one of metadata files for none."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    rows = [(file, file.parent.name) for file in sorted(folder.glob("train/*/*.png"))]
    rows.append((rows[0][0], "dog"))
    place = tmp_path / "hub" / "set" / ("data" if kind == "parquet" else "train")
    place.mkdir(parents=True)
    if kind == "parquet":
        images = [{"bytes": file.read_bytes(), "path": None} for file, _ in rows]
        table = datasets.Dataset.from_dict({"image": images, "label": [name for _, name in rows]})
        table = table.cast_column("image", datasets.Image()).class_encode_column("label")
        table.to_parquet(place / "train-00000-of-00001.parquet")
    else:
        for number, (file, _) in enumerate(rows):
            shutil.copy(file, place / f"{number}.png")
        named = [(f"{number}.png", name) for number, (_, name) in enumerate(rows)]
        lines = {
            "csv": ["file_name,label", *(f"{file},{name}" for file, name in named)],
            "jsonl": [f'{{"file_name": "{file}", "label": "{name}"}}' for file, name in named],
        }[kind]
        (place / f"metadata.{kind}").write_text("\n".join(lines) + "\n")
    assert texts(place.parent, "error") == ["one image has 2 labels (cat, dog): train, image 0, train, image 6"]
    gc.collect()


def test_a_packed_set_is_checked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("litdata")
    from lit_cnn.data.sources.packing import Packing, pack_folder

    shutil.copy(folder / "train" / "cat" / "0.png", folder / "val" / "dog" / "copy.png")
    place = tmp_path_factory.mktemp("packed") / "set"
    pack_folder(folder, place, Packing(0), advance=max)
    (error,) = texts(place, "error")
    assert error.startswith("one image has 2 labels (cat, dog): train, image ")


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.zip is not a data set: pass a folder, a list"):
        list(check_data(tmp_path / "a.zip"))


def test_16_bit_images_that_become_black_are_warned_of(folder: Path) -> None:
    for path in (folder / "val").rglob("*.png"):
        pixels = np.random.default_rng(int(path.stem)).integers(0, 900, (9, 12), dtype=np.uint16)
        Image.fromarray(pixels).save(path)
    (warning, *_) = texts(folder, "warning")
    assert warning.startswith("the 16-bit images of val use levels up to ")
    assert warning.endswith(" of 65535 and become nearly black: set data.levels to [0, 1023]")
    stated = [found.text for found in check_data(folder, PixelFormat(levels=(0.0, 255.0))) if found.kind == "warning"]
    assert not any("nearly black" in text for text in stated)


def test_8_bit_images_of_few_levels_are_warned_of(folder: Path) -> None:
    for path in (folder / "val").rglob("*.png"):
        Image.open(path).point(lambda level: level // 100).save(path)
    (warning,) = texts(folder, "warning")
    assert warning == "the images of val use levels up to 2 of 255 and are nearly black: set data.levels to [0, 2]"


def test_files_are_decoded_as_stated(folder: Path) -> None:
    gray = np.linspace(0, 1, 108, dtype=np.float32).reshape(9, 12)
    Image.fromarray(gray).save(folder / "val" / "dog" / "1.png", "TIFF")
    (error,) = texts(folder, "error")
    assert error.endswith("save it as 8-bit levels, or state --levels LOW HIGH, the numbers that are black and white")
    stated = list(check_data(folder, PixelFormat(levels=(0.0, 255.0))))
    assert not any(found.kind == "error" for found in stated)
    errors = [found.text for found in check_data(folder, PixelFormat(max_pixels=107)) if found.kind == "error"]
    assert len(errors) == finding.SHOWN + 1
    assert errors[0].endswith(
        "has 96 x 72 = 6,912 px, more than the 107 px allowed; make it smaller or remove it, or raise --max-pixels"
    )
