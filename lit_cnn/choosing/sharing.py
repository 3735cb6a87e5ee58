"""Pieces of work that several processes share, each done once and kept in a file."""

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lit_cnn.run_folder.atomic import write_text
from lit_cnn.sweeps.locks import take

SECONDS = ".seconds"
"""Ends the name of the file, next to a result, that says how long the work took."""


def shared_work(folder: Path, pieces: Mapping[str, Callable[[], Any]], say: Callable[[str], None]) -> dict[str, Any]:
    """Name -> what its work returned, in this process or another, now or before.

    A piece whose process dies is done again by whoever comes next.

    Args:
        folder: Holds a file for each piece.
        pieces: Name of letters, digits, dots, underscores and hyphens -> work, whose result JSON can hold.
        say: Told each piece that is begun here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [name for name in pieces if not (folder / f"{name}.json").is_file()]
    while waiting:
        for name in list(waiting):
            lock = take(folder / f".{name}.lock")
            if lock is None:
                continue
            try:
                file = folder / f"{name}.json"
                if not file.is_file():
                    say(name)
                    began = time.monotonic()
                    done = json.dumps(pieces[name]())
                    write_text(folder / f"{name}{SECONDS}", f"{time.monotonic() - began:.1f}\n")
                    write_text(file, done)
            finally:
                os.close(lock)
            waiting.remove(name)
        if waiting:
            time.sleep(0.2)
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in pieces}


def seconds_of(folder: Path) -> float:
    """How long all pieces in a folder took together, in whichever processes."""
    return sum(float(file.read_text(encoding="utf-8")) for file in sorted(folder.glob(f"*{SECONDS}")))
