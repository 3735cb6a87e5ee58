"""Pictures are written whole, by however many processes."""

import multiprocessing
from pathlib import Path

import pytest
from PIL import Image

from lit_cnn.reports.canvas import new_figure, write_figure


def write_often(path: Path) -> None:
    for _ in range(15):
        write_figure(new_figure(1.0, 1.0), path)


@pytest.mark.slow
def test_two_processes_write_one_picture_at_once(tmp_path: Path) -> None:
    path = tmp_path / "heatmap.png"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(path,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["heatmap.png"]
    Image.open(path).verify()
