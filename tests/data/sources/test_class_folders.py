"""The files of class folders, what lies deeper, and what is in none of them."""

import os

import pytest
from pictures import class_folders as draw_classes
from pictures import draw

from lit_cnn.data.sources.class_folders import class_folders, left_out, list_classes, nesting_notes


def _notes(folder):
    return nesting_notes(folder, list_classes(folder, indexed=False)[0])


def test_images_of_all_depths_count_for_the_first_folder(tmp_path):
    draw(tmp_path, "a/1.png", "a/x/2.png", "b/3.png", "4.png", "a/n.txt", "b/thumbs/1.png", "thumbs/2.png")
    listing, notes = list_classes(tmp_path, indexed=False)
    assert (listing.classes, listing.counts, listing.direct, notes) == (["a", "b"], [2, 1], [1, 1], [])
    assert left_out([listing]) == {
        "no image by the ending (.txt)": 1,
        "in folders of thumbnails": 2,
        "next to the class folders": 1,
    }
    assert _notes(tmp_path) == [f"the classes are the folders in {tmp_path}; 1 image in deeper folders count for them"]


def test_left_out_files_of_several_splits_are_added(tmp_path):
    draw(tmp_path, "one/a/1.txt", "two/a/1.txt", "two/a/2.md")
    listings = [list_classes(tmp_path / name, indexed=False)[0] for name in ("one", "two")]
    assert left_out(listings) == {"no image by the ending (.md, .txt)": 3}


def test_both_readings_of_nested_folders_are_told(tmp_path):
    draw(tmp_path, "animals/cats/1.png", "animals/dogs/1.png", "plants/rose/1.png", "plants/tulip/1.png")
    (note,) = _notes(tmp_path)
    assert "(animals, plants), which hold only folders" in note
    assert "(animals/cats, animals/dogs, plants/rose and 1 more) are the classes" in note


def test_flat_class_folders_need_no_note(tmp_path):
    draw_classes(tmp_path, "")
    assert _notes(tmp_path) == []


def test_folders_named_as_parts_are_told(tmp_path):
    draw(tmp_path, "images_001/1.png", "images_002/1.png")
    (note,) = _notes(tmp_path)
    assert "(images_001, images_002) are taken for classes; if they only part the images, pass a list" in note


@pytest.mark.parametrize(
    "names", [("d1/train/a/1.png", "d1/val/a/1.png", "d2/a/1.png"), ("a/train/1.png", "b/train/1.png")]
)
def test_splits_inside_class_folders_are_refused(tmp_path, names):
    draw(tmp_path, *names)
    with pytest.raises(
        ValueError, match=r"inside one class: pass .* as data.path, or where .* is a class put the folders"
    ):
        list_classes(tmp_path, indexed=False)


def test_a_folder_named_test_inside_one_class_is_not_a_split(tmp_path):
    draw(tmp_path, "a/test/1.png", "b/1.png")
    assert list_classes(tmp_path, indexed=False)[0].counts == [1, 1]


def test_a_class_that_is_not_text_is_refused(tmp_path):
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    with pytest.raises(ValueError, match=r"\\xff is not valid UTF-8; rename it"):
        class_folders(tmp_path)


def test_many_links_to_nothing_are_named_in_part(tmp_path):
    draw_classes(tmp_path, "")
    for number in range(7):
        (tmp_path / f"x{number}").symlink_to("/nowhere")
    notes = list_classes(tmp_path, indexed=False)[1]
    assert len(notes) == 5
    assert notes[0] == f"{tmp_path}/x0 is a link to nothing; restore its target or remove it"
    assert notes[-1].endswith("remove it; so are 2 more")
