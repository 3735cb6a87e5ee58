import os

import pytest
import torch

from lit_cnn.architectures.catalog import find_entry
from lit_cnn.choosing import measuring
from lit_cnn.choosing.candidates import Candidate
from lit_cnn.choosing.measuring import Condition, busy_words, count_candidate, figures, measure_candidate

SMALL = Candidate("a", "cifar_resnet8", 16)


def test_what_is_counted_is_what_the_catalog_counts() -> None:
    entry = find_entry("cifar_resnet8")
    costs = count_candidate(Candidate("a", "cifar_resnet8", 32), 10, 3)
    assert costs == {"params": entry.params, "madds": entry.madds, "features": 64}


def test_options_of_the_weights_are_the_networks() -> None:
    wider = Candidate("a", "cifar_resnet8", 16, "w.ckpt", (("widths", (32, 64, 128)),))
    assert count_candidate(wider, 10, 3)["params"] > 3 * count_candidate(SMALL, 10, 3)["params"]


@pytest.mark.slow
def test_every_figure_is_a_positive_number() -> None:
    found = figures(SMALL, 3, 1, Condition(), batch_size=4)
    assert {"latency_ms", "step_ms", "image_ms"} <= found.keys()
    assert all(value >= 0 for value in found.values())


def test_a_machine_is_busy_above_half_of_its_cores() -> None:
    assert busy_words(None) is None
    assert busy_words(0.5 * (os.cpu_count() or 1)) is None
    assert busy_words(1e3) == "the machine was busy (load average 1000.0): the times are too long"


@pytest.mark.slow
def test_the_threads_of_the_condition_are_those_of_the_latency_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    for name in ("inference_ms", "training_step_ms"):
        monkeypatch.setattr(measuring, name, lambda *_: float(threads.append(torch.get_num_threads()) or 1))
    before = torch.get_num_threads()
    figures(SMALL, 3, 3, Condition(threads=before + 1), 4)
    assert threads == [before + 1, before, before]


def test_the_condition_is_named() -> None:
    assert Condition().words(1) == "a batch of 1 image, precision 32-true, on cpu, 1 thread"
    assert Condition("cuda", "bf16-mixed", 8).words(2) == "a batch of 8 images, precision bf16-mixed, on cuda"


@pytest.mark.slow
def test_a_process_of_its_own_measures_and_says_what_is_wrong() -> None:
    found = measure_candidate(SMALL, 3, 3, Condition(threads=1), 4)
    assert found["memory_mb"] > 0
    with pytest.raises(ValueError, match=r"tiny cannot be measured: .* needs images of at least"):
        measure_candidate(Candidate("tiny", "alexnet", 8), 3, 3, Condition(), 4)
