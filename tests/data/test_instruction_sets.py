"""What docs/guides/reproducibility.md says is equal on CPUs with other instructions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

LIMITS = {"AVX2": ("AVX2", "avx2"), "SSE": ("SSE41", "default")}


def batches(limit: str | None) -> dict[str, tuple[str, str]]:
    """Pipeline -> digests of order and pixels, in a process that uses no instructions beyond ``limit``."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
    }
    environment.pop("ATEN_CPU_CAPABILITY", None)
    if limit:
        environment["ONEDNN_MAX_CPU_ISA"], environment["ATEN_CPU_CAPABILITY"] = LIMITS[limit]
    script = Path(__file__).with_name("batch_digests.py")
    ran = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    rows = [line.split(" ", 2) for line in ran.stdout.splitlines()]
    return {name: (order, pixels) for order, pixels, name in rows}


@pytest.fixture(scope="module")
def here() -> dict[str, tuple[str, str]]:
    return batches(None)


@pytest.mark.slow
@pytest.mark.parametrize("limit", LIMITS)
def test_the_order_of_the_data_is_equal_with_all_instructions(limit: str, here: dict[str, tuple[str, str]]) -> None:
    there = batches(limit)
    assert len(here) == 4
    assert {name: order for name, (order, _) in there.items()} == {name: order for name, (order, _) in here.items()}


@pytest.mark.slow
def test_augmented_pixels_are_equal_from_avx2_on(here: dict[str, tuple[str, str]]) -> None:
    if not torch.cpu.get_capabilities().get("avx2"):
        pytest.skip("this CPU has no AVX2")
    assert batches("AVX2") == here
