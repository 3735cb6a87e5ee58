"""Freed memory is used again: a process that needs the same large tensors again touches no new page."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this C library is not glibc")
SCRIPT = """
import resource
from lit_cnn.allocation import keep_freed_memory
print(keep_freed_memory() if {keeps} else False)
def touch():
    block = bytearray(48 << 20)
    for place in range(0, len(block), 4096):
        block[place] = 1
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keeps: bool, **environment: str) -> tuple[str, int]:
    """Whether it was set, and the page faults of three times 48 MiB: 36,864 pages of 4 KiB."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(keeps=keeps)],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    said, count = done.stdout.split()
    return said, int(count)


def test_freed_memory_is_used_again() -> None:
    said, count = faults(keeps=True)
    assert said == "True"
    assert count < 1000
    assert faults(keeps=False)[1] > 3000  # some kernels map 2 MiB at once


def test_the_users_own_settings_hold() -> None:
    assert faults(keeps=True, MALLOC_MMAP_THRESHOLD_="65536")[0] == "False"
