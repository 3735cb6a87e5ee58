import time

import pytest
import torch
from torch import Tensor, nn

from lit_cnn.profiling.layer_clock import LayerClock, percentile


class Sleep(nn.Module):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self.seconds)
        return x


class Sleeper(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("stem", nn.Sequential(Sleep(0.01), Sleep(0.03)))
        self.head = Sleep(0.02)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.head(self.features(x)))


def test_layers_and_stages_get_their_own_time() -> None:
    network, waits = Sleeper(), []
    clock = LayerClock(network, lambda: waits.append(1))
    with clock.attached():
        for _ in range(3):
            clock.new_pass()
            network(torch.zeros(1))
    layers = {row.name: row for row in clock.layers()}
    assert list(layers) == ["features.stem.0", "features.stem.1", "head"]
    assert 10 <= layers["features.stem.0"].median_ms < layers["features.stem.1"].median_ms
    assert layers["head"].median_ms >= 40  # called twice
    stages = {row.stage: row for row in clock.stages()}
    assert list(stages) == ["stem", "head"]
    assert stages["stem"].median_ms >= 40
    assert len(waits) == 3 * 2 * 5
    assert not any(module._forward_hooks for module in network.modules())


def test_forgotten_passes_do_not_count() -> None:
    network = Sleeper()
    clock = LayerClock(network, lambda: None)
    with clock.attached():
        clock.new_pass()
        network(torch.zeros(1))
    clock.forget()
    assert clock.layers() == ()


def test_percentile_interpolates() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([0.0, 10.0], 0.95) == pytest.approx(9.5)
    assert percentile([4.0], 0.95) == 4.0
