"""Where the times of folders say nothing of their contents: file systems in user space, as over object stores."""

import os
import re
from pathlib import Path

import numpy as np

MOUNTS = Path("/proc/mounts")
EARLIEST = 315_532_800 * 10**9
"""1980 in nanoseconds, where FAT's and archives' times begin: what has no time of its own shows it, or 1970."""


def user_space_mount(path: Path) -> str | None:
    """The type of the file system of ``path`` where it runs in user space (FUSE), such as fuse.rclone; else None."""
    try:
        lines = MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:  # not Linux
        return None
    place, best = os.path.realpath(path), ("", "")
    for line in lines:
        _, point, kind, *_ = [*line.split(" "), "", "", ""]
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal.group(1), 8)), point)
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):  # of two at one point the later covers the earlier
            best = point, kind
    return best[1] if re.fullmatch(r"fuse(\..*)?", best[1]) else None


def plausible_times(states: np.ndarray) -> bool:
    """Whether the times of folders can be those of their last changes: not all the same, none from before 1980.

    Args:
        states: int64 (F, 2), times in ns of the last change of the contents and of the folder itself.
    """
    same = len(states) > 1 and bool((states == states[0]).all())
    return not same and bool((states >= EARLIEST).all())
