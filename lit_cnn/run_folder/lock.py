"""One process trains a run: the lock of its folder, which ends with the process that holds it, however it ends."""

import contextlib
import errno
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

LOCK = ".lock"
OWNER = ".owner"
"""File that names the process that holds, or held, the lock."""
WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What file systems without locks answer, such as some of networks."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder within a block.

    On a file system without locks nothing is held, which a warning says.

    Raises:
        ValueError: If another process trains the run, naming it, or the folder cannot be written.
    """
    lock = FileLock(folder / LOCK)
    if not _acquired(lock, folder):
        yield
        return
    try:
        (folder / OWNER).write_text(f"process {os.getpid()} on {platform.node()}\n")
        yield
    finally:
        lock.release()


def _acquired(lock: BaseFileLock, folder: Path) -> bool:
    """Whether the lock is held; not where the file system has none."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        owner = folder / OWNER
        name = owner.read_text().strip() if owner.is_file() else "another process"
        raise ValueError(f"{name} is training the run {folder}: wait until it has ended, or stop it first") from None
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in WITHOUT_LOCKS:
            reason = error.strerror or type(error).__name__
            raise ValueError(f"cannot write into the run folder {folder} ({reason}): make it writable") from None
        warnings.warn(
            f"the file system of {folder} has no locks, so a second process that trains this run would not be refused: "
            "do not continue it while it is trained",
            stacklevel=1,
        )
        return False
    return True


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
