"""Which files a command line means."""

from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.evaluation.image_files import find_images, read_list


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a/c.jpg", "a/deep/d.PNG", ".hidden/e.png", "a/.f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    for name in ("notes.txt", "a/table.CSV", "a/README"):
        (tmp_path / name).write_text("no image")
    return tmp_path


def test_a_folder_means_its_images_and_those_of_its_subfolders(folder: Path) -> None:
    found = find_images([str(folder)])
    assert found.paths == [str(folder / name) for name in ("a/c.jpg", "a/deep/d.PNG", "b.png")]
    assert dict(found.left_out) == {".txt": 1, ".csv": 1, "": 1}


def test_what_is_left_out_is_counted_in_a_sentence(folder: Path) -> None:
    assert find_images([str(folder)]).notes == ["3 files left out: no image by the ending (none, .csv, .txt)"]
    (folder / "deep").mkdir()
    Image.new("RGB", (4, 4)).save(folder / "deep" / "e.png")
    (folder / "deep" / "notes.txt").touch()
    assert find_images([str(folder / "deep")]).notes == ["1 file left out: no image by the ending (.txt)"]
    (folder / "a" / "README").unlink()
    (folder / "a" / "table.CSV").rename(folder / "a" / "deep" / "g.gif")
    (folder / "deep").rename(folder / "a" / "thumbnails")
    found = find_images([str(folder / "a")])
    assert [Path(path).name for path in found.paths] == ["c.jpg", "d.PNG", "g.gif"]
    assert found.notes == ["1 file left out: in folders of thumbnails"]


def test_files_are_taken_whatever_their_ending(folder: Path) -> None:
    found = find_images([str(folder / "notes.txt"), str(folder / "b.png")])
    assert found.paths == [str(folder / "notes.txt"), str(folder / "b.png")]
    assert not found.left_out


def test_what_a_command_line_names_must_be_there(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no image .*gone\.png"):
        find_images([str(folder / "gone.png")])
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match=r"the folder .*empty holds no image"):
        find_images([str(folder / "empty")])
    (folder / "empty" / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"empty holds no image \(1 file left out: .*\.txt"):
        find_images([str(folder / "empty")])


def test_a_missing_file_of_a_list_is_left_to_be_found_when_it_is_read(folder: Path) -> None:
    listed = [str(folder / "a"), str(folder / "gone.png")]
    found = find_images([str(folder / "b.png")], listed)
    assert found.paths == [str(folder / name) for name in ("b.png", "a/c.jpg", "a/deep/d.PNG", "gone.png")]
    assert dict(found.left_out) == {".csv": 1, "": 1}


@pytest.mark.parametrize(
    "content",
    [b"a b.png\nc.png\n", b"a b.png\r\n\r\nc.png", b"\xef\xbb\xbfa b.png\nc.png", b"a b.png\0c.png\0"],
    ids=["lines", "lines of Windows", "byte order mark", "zero bytes"],
)
def test_lists_as_people_and_find_write_them(content: bytes) -> None:
    assert read_list(content) == ["a b.png", "c.png"]


def test_names_in_lists_may_hold_line_breaks_and_any_bytes() -> None:
    assert read_list(b"a\nb.png\0") == ["a\nb.png"]
    assert read_list(b"caf\xe9.png\n") == ["caf\udce9.png"]
    assert read_list(b" \n") == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_list_may_be_utf_16(encoding: str) -> None:
    assert read_list("\ufeffä b.png\r\n猫.png\r\n".encode(encoding)) == ["ä b.png", "猫.png"]
