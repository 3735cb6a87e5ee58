"""Locks that end with the process that holds them, however it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def take(path: Path, *, wait: bool = False) -> int | None:
    """Lock a file for this process, and for those it passes the descriptor to, until all of them have closed it.

    Args:
        path: The file; made if it does not exist.
        wait: Wait until it is free.

    Returns:
        The file's descriptor, or None if another process holds the lock.

    Raises:
        ValueError: On a system without POSIX file locks.
    """
    try:
        import fcntl
    except ImportError:
        raise ValueError("lit-cnn sweep needs POSIX file locks: run it on Linux, on macOS or in WSL") from None
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock."""
    if not path.exists():
        return False
    descriptor = take(path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock within a block, waiting for it."""
    descriptor = take(path, wait=True)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
