"""What a folder holds: sorted, links followed, system files and thumbnails not there."""

import os

from pictures import draw

from lit_cnn.data.sources.tree import count_thumbnails, holds_images, list_images, own_images, subfolders, walk


def _names(paths):
    return [os.path.basename(path) for path in paths]


def test_files_are_sorted_links_followed_and_other_files_told_apart(tmp_path):
    draw(tmp_path, "real/cat/1.png", "real/cat/0.png", "real/cat/Z.JPEG", "real/cat/gray.pgm", "real/cat/deep/x.gif")
    draw(tmp_path, "real/cat/notes.txt", "real/cat/README")
    (tmp_path / "cat").symlink_to(tmp_path / "real" / "cat")
    (tmp_path / "real" / "cat" / "loop").symlink_to(tmp_path / "real" / "cat")
    tree = walk(tmp_path / "cat")
    assert _names(tree.images) == ["0.png", "1.png", "Z.JPEG", "x.gif", "gray.pgm"]
    assert list_images(tmp_path / "cat") == tree.images
    assert tree.direct == 4
    assert _names(tree.others) == ["README", "notes.txt"]
    assert dict(tree.extensions) == {"": 1, ".txt": 1}
    assert _names(tree.folders) == ["cat", "deep"]


def test_entries_of_the_system_are_not_there(tmp_path):
    hidden = [
        ".hidden.png",
        "._1.png",
        ".ipynb_checkpoints/1.png",
        "@eaDir/1.png",
        "__MACOSX/1.png",
        "lost+found/1.png",
    ]
    draw(tmp_path, "1.png", *hidden, "System Volume Information/1.png", "Thumbs.db", "desktop.ini", ".DS_Store")
    tree = walk(tmp_path)
    assert _names(tree.images) == ["1.png"]
    assert tree.others == []
    assert subfolders(tmp_path) == []
    assert _names(own_images(tmp_path)) == ["1.png"]


def test_thumbnails_are_counted_apart(tmp_path):
    draw(tmp_path, "1.png", "thumbs/1.png", "deep/_Thumbs/1.png", "deep/_Thumbs/more/2.png", ".thumbnails/1.png")
    assert (len(walk(tmp_path).images), walk(tmp_path).thumbnails, count_thumbnails(tmp_path)) == (1, 3, 1)
    assert _names(subfolders(tmp_path)) == ["deep"]


def test_whether_a_folder_holds_images_at_any_depth(tmp_path):
    draw(tmp_path, "a/b/c/1.webp", "d/1.txt", "e/thumbs/1.png")
    assert [holds_images(tmp_path / name) for name in "ade"] == [True, False, False]


def test_any_bytes_may_be_in_a_name(tmp_path):
    odd = [os.fsdecode(b"\xff\xfe.png"), "new\nline.png", "图像.png", "\u202eright.png", "a" * 200 + ".png"]
    draw(tmp_path, "x.png")
    for name in odd:
        (tmp_path / name).write_bytes((tmp_path / "x.png").read_bytes())
    assert sorted(_names(walk(tmp_path).images)) == sorted([*odd, "x.png"])
