"""A file that could not be written is refused before the work."""

from pathlib import Path

import pytest
from bad_case import file_rights

from lit_cnn.cli.outputs import PICTURES, chosen_output, require_writable


def test_new_and_old_files_of_a_folder_can_be_written(tmp_path: Path) -> None:
    require_writable("--out", tmp_path / "new.csv", [".csv"])
    (tmp_path / "old").touch()
    require_writable("--out", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("name", "endings", "words"),
    [
        ("a.tsv", [".csv", ".json"], r"--out .*a\.tsv ends in \.tsv, but \.csv or \.json is expected"),
        ("a", [".csv"], r"--out .*/a ends in nothing, but \.csv is expected"),
        ("none/a.csv", [".csv"], r"there is no folder .*none: make it first"),
        ("file/a.csv", [".csv"], r"there is no folder .*file: make it first"),
        ("folder", [], r"--out .*folder is a folder: name a file in it"),
    ],
)
def test_others_are_refused_in_one_sentence(tmp_path: Path, name: str, endings: list[str], words: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match=words):
        require_writable("--out", tmp_path / name, endings)


def test_rights_count(tmp_path: Path) -> None:
    (tmp_path / "old.csv").touch(0o400)
    (tmp_path / "folder").mkdir(0o500)
    for path in (tmp_path / "old.csv", tmp_path / "folder" / "a.csv"):
        with file_rights(), pytest.raises(ValueError, match=r"cannot be written \(permission denied\)"):
            require_writable("--out", path)


def test_a_new_folder_is_allowed_where_the_writing_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="make it first"):
        require_writable("--plot", tmp_path / "new" / "a.png", PICTURES)
    require_writable("--plot", tmp_path / "new" / "newer" / "a.png", PICTURES, in_new_folder=True)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"there is no folder .*file: make it first"):
        require_writable("--plot", tmp_path / "file" / "new" / "a.png", PICTURES, in_new_folder=True)
    (tmp_path / "folder").mkdir(0o500)
    with file_rights(), pytest.raises(ValueError, match=r"cannot be written \(permission denied\)"):
        require_writable("--plot", tmp_path / "folder" / "new" / "a.png", PICTURES, in_new_folder=True)


def test_a_default_name_replaces_nothing_and_a_stated_one_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    default, stated, source = Path("net.ckpt"), tmp_path / "stated.ckpt", Path("weights.ckpt")
    assert chosen_output(None, default, [source]) == default
    for file in (default, stated, source):
        file.touch()
    assert chosen_output(stated, default, [source, Path("hf-hub:user/repo")]) == stated
    assert chosen_output(default, default, [source]) == default
    with pytest.raises(ValueError, match=r"^net\.ckpt is there already: name another file by --out, or this one"):
        chosen_output(None, default, [source])
    (tmp_path / "link.ckpt").symlink_to(source)
    for place in (source, tmp_path / source, tmp_path / "link.ckpt"):
        with pytest.raises(
            ValueError, match=r"\.ckpt is read by this command, which would write over it: name another"
        ):
            chosen_output(place, default, [source])
    with pytest.raises(ValueError, match=r"^weights\.ckpt is read by this command"):
        chosen_output(None, source, [source])
