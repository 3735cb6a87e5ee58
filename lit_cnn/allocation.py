"""Memory that the C library keeps instead of returning it to the system after every step.

glibc maps each large tensor again and returns it when it is freed, so a network on the CPU pays for its pages
again in every step. Keeping them costs nothing where the same sizes come again, as in training and evaluation.
"""

import ctypes
import os
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``malloc.h``."""
_SIZES = (1 << 30, 1 << 25)
"""Bytes from which on tensors are mapped; older versions take no more than the second."""
_USERS_OWN = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_")


def keep_freed_memory() -> bool:
    """Let this process, and those that it starts by fork, use freed memory again instead of returning it.

    Returns:
        Whether that was done: not where another C library runs, nor where the environment sets the allocator up.
    """
    if platform.libc_ver()[0] != "glibc" or any(name in os.environ for name in _USERS_OWN):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_TRIM_THRESHOLD, -1)) and any(bool(mallopt(_MMAP_THRESHOLD, size)) for size in _SIZES)
