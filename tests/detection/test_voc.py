"""Pascal VOC: coordinates from 1, difficult objects, several years, and files that are missing or broken."""

from pathlib import Path

import pytest
from tiny_layouts import Tiny, tiny_images, tiny_splits, voc_xml, write_voc

from lit_cnn.detection.annotations import read_annotations
from lit_cnn.detection.boxes import AnnotatedImage
from lit_cnn.detection.voc import read_voc, voc_folders


def annotation(root: Path, text: str) -> AnnotatedImage:
    """The first training image with another annotation."""
    write_voc(root)
    (root / "Annotations" / "train_00.xml").write_text(text)
    return read_annotations(root).train.images[0]


def test_coordinates_count_from_one_and_include_the_last_pixel(tmp_path: Path) -> None:
    image = annotation(tmp_path, voc_xml(Tiny("train_00", boxes=[("cat", 0, 0, 64, 48)])))
    assert "<xmin>1</xmin><ymin>1</ymin><xmax>64</xmax>" in (tmp_path / "Annotations" / "train_00.xml").read_text()
    assert image.boxes.tolist() == [[0, 0, 64, 48]]


def test_difficult_objects_are_marked(tmp_path: Path) -> None:
    image = annotation(tmp_path, voc_xml(Tiny("train_00", boxes=[("cat", 1, 2, 30, 40)]), difficult=1))
    assert image.difficult.tolist() == [True]
    assert not image.crowd.any()


def test_parts_of_an_object_are_not_its_box(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>"
    text = voc_xml(Tiny("train_00", boxes=[("cat", 1, 2, 30, 40)])).replace(
        "<name>cat</name>", f"<name>cat</name>{part}"
    )
    assert annotation(tmp_path, text).boxes.tolist() == [[1, 2, 30, 40]]


def test_a_size_that_is_not_stated_is_that_of_the_file(tmp_path: Path) -> None:
    image = annotation(tmp_path, voc_xml(Tiny("train_00", boxes=[("cat", 1, 2, 30, 40)]), size=False))
    assert (image.width, image.height) == (64, 48)


def test_without_lists_all_annotated_images_are_for_training(tmp_path: Path) -> None:
    splits = read_voc(write_voc(tmp_path, lists=False))
    assert list(splits) == ["train"]
    assert len(splits["train"].images) == 11


def test_without_lists_an_image_without_annotation_is_named(tmp_path: Path) -> None:
    (write_voc(tmp_path, lists=False) / "Annotations" / "train_02.xml").unlink()
    found = read_annotations(tmp_path).train.findings["missing annotation"]
    assert found == ("JPEGImages/train_02.png: its Annotations/train_02.xml is not there: left out",)


def test_a_list_of_both_without_one_of_training_is_for_training_without_the_validation_images(tmp_path: Path) -> None:
    lists = write_voc(tmp_path, tiny_splits(4, 2, 0)) / "ImageSets" / "Main"
    (lists / "trainval.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text())
    (lists / "train.txt").unlink()
    splits = read_voc(tmp_path)
    assert {name: len(split.images) for name, split in splits.items()} == {"train": 4, "val": 2}


@pytest.mark.parametrize("line", ["{}.png", "{}  1", "{} -1", "{}\t0", "{}.png 1"])
def test_lists_may_state_endings_or_numbers_behind_the_names(tmp_path: Path, line: str) -> None:
    file = write_voc(tmp_path) / "ImageSets" / "Main" / "train.txt"
    file.write_text("".join(f"{line.format(name)}\n" for name in file.read_text().split()))
    train = read_annotations(tmp_path).train
    assert (len(train), dict(train.findings)) == (6, {})


def test_names_may_end_as_such_lines_do(tmp_path: Path) -> None:
    train = read_annotations(write_voc(tmp_path, {"train": [Tiny("a 1"), Tiny("b.png"), *tiny_images(2, "x")]})).train
    assert [Path(image.path).stem for image in train.images] == ["a 1", "b.png", "x00", "x01"]


@pytest.mark.parametrize("above", ["VOCdevkit", ""])
def test_years_are_taken_together(tmp_path: Path, above: str) -> None:
    write_voc(tmp_path / above / "VOC2007", tiny_splits(2, 1, 1))
    write_voc(tmp_path / above / "VOC2012", {"train": tiny_images(4, "twelve_"), "val": tiny_images(1, "later_")})
    assert [folder.name for folder in voc_folders(tmp_path)] == ["VOC2007", "VOC2012"]
    found = read_annotations(tmp_path)
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 6, "val": 2, "test": 1}
    assert all((tmp_path / image.path).is_file() for image in found.train.images)
    assert {image.path.split("/")[-3] for image in found.train.images} == {"VOC2007", "VOC2012"}


def test_lists_without_training_images_are_refused(tmp_path: Path) -> None:
    write_voc(tmp_path, {"val": tiny_images(2, "x")})
    with pytest.raises(ValueError, match=r"no training images: ImageSets/Main/train\.txt or trainval\.txt must name"):
        read_annotations(tmp_path)


def test_a_test_split_without_annotations_is_left_out_and_said(tmp_path: Path) -> None:
    write_voc(tmp_path)
    for file in (tmp_path / "Annotations").glob("test_*"):
        file.unlink()
    found = read_annotations(tmp_path)
    assert found.test is None
    assert [note.partition(" of ")[0] for note in found.notes] == ["the test split"]


def test_what_is_missing_or_broken_is_left_out_and_named(tmp_path: Path) -> None:
    write_voc(tmp_path)
    annotations = tmp_path / "Annotations"
    (tmp_path / "JPEGImages" / "train_00.png").unlink()
    (annotations / "train_01.xml").unlink()
    (annotations / "train_02.xml").write_text("<annotation><object>")
    text = (annotations / "train_03.xml").read_text()
    (annotations / "train_03.xml").write_text(text + "" if "object" not in text else text.replace("<xmax>", "<xmax>?"))
    with (tmp_path / "ImageSets" / "Main" / "train.txt").open("a") as stream:
        stream.write("train_04\n\n")
    train = read_annotations(tmp_path).train
    assert [Path(image.path).stem for image in train.images] == ["train_03", "train_04", "train_05"]
    assert {kind: len(texts) for kind, texts in train.findings.items()} == {
        "missing image": 1,
        "missing annotation": 1,
        "unreadable annotation": 1,
        "doubled image": 1,
        "unreadable box": 1,
    }
    assert "train_00" in train.findings["missing image"][0]
    assert "Annotations/train_01.xml" in train.findings["missing annotation"][0]
    assert "Annotations/train_02.xml" in train.findings["unreadable annotation"][0]
    assert "train_03.png, object 1" in train.findings["unreadable box"][0]
