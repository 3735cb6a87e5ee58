"""The journal file of a sweep: its lock ends with the process that holds it, and what a kill has torn is cut off.

Optuna appends one line of JSON per change. A process that is killed while it writes, or a full disk, leaves half a
line, to which the next process would append its own: from then on no process could read the journal. Optuna's own lock
is a file that outlives a killed process by 30 s; this one is a lock of the operating system on the same file.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from lit_cnn.run_folder.atomic import replacing
from lit_cnn.sweeps.locks import take

JOURNAL = "journal.log"
TORN = ".torn"
"""Ending of the file that keeps what was cut off."""
CHUNK = 1 << 16


def open_journal(path: Path, say: Callable[[str], None]) -> JournalStorage:
    """The storage in a journal file, which is made where it does not exist and repaired where a kill has torn it.

    Args:
        path: The file.
        say: Gets one line on what was repaired.
    """
    lock = JournalLock(path, say)
    backend = JournalFileBackend(str(path), lock)
    lock.acquire()
    try:
        repair_lines(path, say)
    finally:
        lock.release()
    return JournalStorage(backend)


class JournalLock(JournalFileOpenLock):
    """A lock that ends with its process; whoever gets it finds a journal that ends with a whole line.

    Args:
        journal: The file that it protects.
        say: Gets one line on what was cut off.
    """

    def __init__(self, journal: Path, say: Callable[[str], None]) -> None:
        super().__init__(str(journal))
        self.journal, self.say = journal, say
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        self._descriptor = take(self.journal.with_name(f"{self.journal.name}.lock"), wait=True)
        cut_torn_end(self.journal, self.say)
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def cut_torn_end(journal: Path, say: Callable[[str], None]) -> None:
    """Cut what follows the last newline, and keep it; only for who holds the lock."""
    with journal.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        whole = _end_of_last_line(file, end)
        if whole == end:
            return
        file.seek(whole)
        keep_torn(journal, file.read(), say)
        file.truncate(whole)
        os.fsync(file.fileno())


def _end_of_last_line(file: BinaryIO, end: int) -> int:
    """Number of bytes up to and with the last newline."""
    start = end
    while start > 0:
        length = min(CHUNK, start)
        start -= length
        file.seek(start)
        found = file.read(length).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0


def repair_lines(journal: Path, say: Callable[[str], None]) -> None:
    """Cut lines that hold no JSON, such as one that was appended to a torn line; of those the second part is kept."""
    lines = journal.read_bytes().splitlines(keepends=True)
    whole = [line if _is_json(line) else _appended(line) for line in lines]
    if whole == lines:
        return
    torn = [line.removesuffix(kept) for line, kept in zip(lines, whole, strict=True) if line != kept]
    keep_torn(journal, b"\n".join(torn), say)
    with replacing(journal) as partial:
        partial.write_bytes(b"".join(whole))


def _appended(line: bytes) -> bytes:
    """The record that was appended to a torn one, or nothing."""
    start = line.rfind(b'{"op_code"')
    return line[start:] if start > 0 and _is_json(line[start:]) else b""


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def keep_torn(journal: Path, torn: bytes, say: Callable[[str], None]) -> None:
    """Add what is cut off a journal to the file that keeps it, and say so."""
    kept = journal.with_name(journal.name + TORN)
    with kept.open("ab") as file:
        file.write(torn.rstrip(b"\n") + b"\n")
    say(f"cut {len(torn):,} bytes off {journal}, which a process that was killed had not finished writing; see {kept}")
