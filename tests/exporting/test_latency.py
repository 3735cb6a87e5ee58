"""Passes are timed interleaved, and the condition is stated."""

from pathlib import Path

import pytest
from exported_run import photographs, untrained

from lit_cnn.exporting import latency as module
from lit_cnn.exporting.graph import GraphForm
from lit_cnn.exporting.latency import interleaved, latency
from lit_cnn.exporting.preprocessed import PreprocessedNetwork


def test_every_round_runs_every_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    calls: list[str] = []
    times = interleaved([lambda: calls.append("a"), lambda: calls.append("b")])
    assert calls == ["a", "b"] * (module.FEWEST + 1)  # the first round is not counted
    assert [len(each) for each in times] == [module.FEWEST] * 2


def test_the_condition_names_image_threads_and_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.0)
    trained = untrained(tmp_path)
    images = photographs(tmp_path, trained, 1)
    run = PreprocessedNetwork(trained.network, trained.preprocessing)
    found = latency(trained, [run, run], GraphForm(), images)
    assert len(found.file_ms) == 2
    assert min(found.network_ms, *found.file_ms) > 0
    assert "one image of 40x60 pixels, from uint8 pixels to logits" in found.condition
    assert "1 thread, medians of 5 interleaved passes" in found.condition or "threads" in found.condition
    crops = latency(trained, [trained.logits], GraphForm(with_preprocessing=False, batch=2), images)
    assert "2 images of 16x16 pixels, from the normalized crop" in crops.condition
