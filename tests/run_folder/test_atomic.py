"""A file is there whole or stays as it was, whoever else writes it."""

import os
from pathlib import Path

import pytest

from lit_cnn.run_folder.atomic import replacing


def test_the_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "best.yaml"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["best.yaml"]


def test_a_failure_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "best.yaml"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half of")
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["best.yaml"]


def test_two_processes_have_files_of_their_own(tmp_path: Path) -> None:
    with replacing(tmp_path / "last") as partial:
        assert str(os.getpid()) in partial.name
        partial.write_text("")
