import threading
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.profiling.timing import TimingSettings, measure, resolve_device


class Counter(nn.Module):
    """Sleeps longer in its first passes, and counts its passes by mode."""

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
        self.norm = nn.BatchNorm1d(3) if norm else nn.Identity()
        self.passes = {True: 0, False: 0}
        self.seen: list[tuple[torch.dtype, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.passes[self.training] += 1
        time.sleep(0.15 if self.passes[self.training] == 1 else 0.01)
        y = self.features(x)
        self.seen.append((y.dtype, x.is_contiguous(memory_format=torch.channels_last)))
        return self.norm(self.head(y))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not report resident memory")
def test_no_thread_reads_memory_while_passes_are_timed() -> None:
    threads: list[int] = []

    class Noting(Counter):
        def forward(self, x: Tensor) -> Tensor:
            threads.append(threading.active_count())
            return super().forward(x)

    alone = threading.active_count()
    measure(Noting, TimingSettings(batch_size=4, image_size=8, repeats=3, warmup=1))
    assert threads == 2 * [*2 * [alone + 1], *3 * [alone]]


@pytest.mark.slow
def test_warmup_is_excluded_and_repeats_are_stated() -> None:
    network, phases = Counter(), []
    before = network.head[2].weight.clone()
    settings = TimingSettings(batch_size=4, image_size=8, repeats=3, warmup=1)
    timing = measure(lambda: network, settings, layers=True, on_phase=phases.append)
    assert phases == ["inference", "training", "layers"]
    assert network.passes == {True: 2 + 3, False: 2 + 3 + 1 + 3}  # memory is measured in two passes at least
    assert (timing.inference.repeats, timing.training.repeats, timing.layer_repeats) == (3, 3, 3)
    assert 10 <= timing.inference.median_ms < 150
    assert timing.inference.median_ms <= timing.inference.p95_ms
    assert timing.inference.images_per_second == pytest.approx(4000 / timing.inference.median_ms)
    assert not torch.equal(before, network.head[2].weight)  # training updates the weights
    assert [row.stage for row in timing.stages] == ["0", "head", "norm"]
    assert {row.name for row in timing.layers} == {"features.0", "head.0", "head.1", "head.2", "norm"}
    assert timing.device_name


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.slow
def test_precision_and_layout_reach_the_network(channels_last: bool) -> None:
    network = Counter()
    settings = TimingSettings(
        batch_size=2, image_size=8, repeats=1, warmup=0, precision="bf16-mixed", channels_last=channels_last
    )
    measure(lambda: network, settings)
    assert set(network.seen) == {(torch.bfloat16, channels_last)}


@pytest.mark.slow
def test_open_number_of_repeats_stays_in_its_bounds() -> None:
    timing = measure(Counter, TimingSettings(batch_size=2, image_size=8))
    assert 3 <= timing.inference.repeats <= 30


@pytest.mark.slow
def test_one_value_per_channel_is_refused_with_advice() -> None:
    settings = TimingSettings(batch_size=1, image_size=8, repeats=1)
    with pytest.raises(ValueError, match="--batch-size 2 or more"):
        measure(lambda: Counter(norm=True), settings)


def test_missing_devices_are_named() -> None:
    assert resolve_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match="'cuda:99' is not available: this machine has"):
        resolve_device("cuda:99")
    with pytest.raises(ValueError, match="there is no device 'gpu'"):
        resolve_device("gpu")
    with pytest.raises(ValueError, match="not supported"):
        resolve_device("meta")


def test_impossible_settings_are_named() -> None:
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        TimingSettings(batch_size=0)
    with pytest.raises(ValueError, match="repeats must be at least 1, got 0"):
        TimingSettings(repeats=0)
