import threading
import time
from pathlib import Path

import pytest

from lit_cnn.choosing.sharing import seconds_of, shared_work


def test_each_piece_is_done_once_by_several_workers(tmp_path: Path) -> None:
    done: list[str] = []
    pieces = {name: (lambda name=name: done.append(name) or {"of": name}) for name in "abcdef"}
    results: list[object] = []
    workers = [
        threading.Thread(target=lambda: results.append(shared_work(tmp_path, pieces, lambda _: None))) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == list("abcdef")
    assert results == [{name: {"of": name} for name in "abcdef"}] * 3


def test_what_is_done_is_kept_and_what_was_interrupted_is_done_again(tmp_path: Path) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shared_work(tmp_path, {"a": lambda: 1, "b": interrupted}, lambda _: None)
    said: list[str] = []
    assert shared_work(tmp_path, {"a": lambda: 3, "b": lambda: 2}, said.append) == {"a": 1, "b": 2}
    assert said == ["b"]


def test_the_time_of_each_piece_is_kept_and_nothing_else_is_in_its_result(tmp_path: Path) -> None:
    assert seconds_of(tmp_path / "nowhere") == 0
    assert shared_work(tmp_path, {"a": lambda: time.sleep(0.11) or 1, "b": lambda: 2}, lambda _: None) == {
        "a": 1,
        "b": 2,
    }
    first = seconds_of(tmp_path)
    assert 0.1 <= first < 10
    shared_work(tmp_path, {"a": lambda: time.sleep(0.5)}, lambda _: None)
    assert seconds_of(tmp_path) == first
