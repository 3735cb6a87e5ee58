"""One process trains a run: the lock of its folder, which ends with the process that holds it, however it ends."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = ".lock"
OWNER = ".owner"
"""File that names the process that holds, or held, the lock."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder within a block.

    On a file system without locks nothing is held.

    Raises:
        ValueError: If another process trains the run, naming it, or the folder cannot be written.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        owner = folder / OWNER
        name = owner.read_text().strip() if owner.is_file() else "another process"
        raise ValueError(f"{name} is training the run {folder}: wait until it has ended, or stop it first") from None
    except OSError as error:
        raise ValueError(f"cannot write into the run folder {folder} ({error.strerror}): make it writable") from None
    except NotImplementedError:  # such as some network file systems
        yield
        return
    try:
        (folder / OWNER).write_text(f"process {os.getpid()} on {platform.node()}\n")
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a process is training the run of ``folder``; False where that cannot be known."""
    if not (folder / LOCK).is_file():
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    lock.release()
    return False
