import itertools

import pytest
import torch
from torch import nn

from lit_cnn.benchmarking.phases import PHASES, TimedStep
from lit_cnn.benchmarking.race import GEMM, Conditions, Contestant, gemm, race
from lit_cnn.data.batch import Batch, as_batch
from lit_cnn.profiling.memory import PeakMemory
from lit_cnn.training.step import plain_step


def batch_of(images: torch.Tensor) -> Batch:
    return as_batch((images, torch.zeros(len(images), dtype=torch.int64)), place=0)


def contestant(label: str, images: torch.Tensor) -> Contestant:
    def build() -> TimedStep:
        network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
        return TimedStep(plain_step(network, bf16=False), lambda: batch_of(images))

    return Contestant(label, build, images, madds=24)


@pytest.mark.slow
def test_a_race_reports_speeds_shares_and_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GEMM, "cpu", 64)
    told: list[str] = []
    images = torch.randn(5, 3, 2, 2)
    conditions = Conditions(torch.device("cpu"), rounds=3)
    bench = race("net", [contestant("ours", images), contestant("timm", images)], conditions, told.append)
    assert told == ["net: warming up ours", "net: warming up timm", "net: measuring interleaved"]
    assert (bench.image_size, bench.batch_size, bench.madds, bench.precision) == (2, 5, 24, "32-true")
    assert [result.label for result in bench.results] == ["ours", "timm"]
    assert [ratio.against for ratio in bench.ratios] == ["timm"]
    ours = bench.results[0]
    assert ours.training.rounds == ours.inference.rounds == bench.limit.rounds == 3
    assert tuple(ours.phases) == PHASES
    assert min(*ours.phases.values(), bench.limit.median, ours.training.median) > 0
    # a ratio is our images per second over theirs, and the share follows from speed and limit, round by round
    assert bench.ratios[0].training.low <= bench.ratios[0].training.median <= bench.ratios[0].training.high
    slowest, fastest = ours.training.low * 2 * 24 * 3, ours.training.high * 2 * 24 * 3
    assert slowest / (bench.limit.high * 1e9) <= ours.training_share.median <= fastest / (bench.limit.low * 1e9)


@pytest.mark.slow
def test_the_training_peak_holds_the_optimizers_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step begins with momentum in place while the memory is watched: its activations come on top."""
    monkeypatch.setitem(GEMM, "cpu", 8)
    watched, seen = [False], []

    class Watch(PeakMemory):
        def __enter__(self) -> PeakMemory:
            watched[0] = True
            return super().__enter__()

        def __exit__(self, *args) -> None:
            watched[0] = False
            super().__exit__(*args)

    monkeypatch.setattr("lit_cnn.benchmarking.race.PeakMemory", Watch)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    step = plain_step(network, bf16=False)
    network.register_forward_pre_hook(
        lambda *_: seen.append((network.training, watched[0], bool(step.optimizer.state)))
    )
    images = torch.randn(5, 3, 2, 2)
    parts = TimedStep(step, lambda: batch_of(images))
    race("net", [Contestant("ours", lambda: parts, images, 24)], Conditions(torch.device("cpu"), rounds=1))
    assert (True, True, True) in seen


@pytest.mark.parametrize("bf16", [False, True])
def test_the_limit_is_a_matrix_product(bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GEMM, "cpu", 8)
    ticks = itertools.count()
    assert gemm(Conditions(torch.device("cpu"), bf16=bf16), clock=lambda: float(next(ticks)))() == 1.0
