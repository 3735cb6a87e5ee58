import sys

import pytest
import torch

from lit_cnn.profiling.memory import PeakMemory


@pytest.mark.skipif(sys.platform != "linux", reason="resident size is read from /proc")
@pytest.mark.slow
def test_peak_includes_memory_that_is_freed_again() -> None:
    memory = PeakMemory(torch.device("cpu"))
    assert memory.peak is None
    with memory:
        big = torch.ones(32 * 2**20)  # 128 MiB
        del big
    first = memory.peak
    assert first is not None
    assert 100e6 < first < 400e6
    with memory:
        pass
    assert memory.peak is not None
    assert memory.peak < first
    assert "resident" in memory.how
