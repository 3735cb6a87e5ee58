"""Where a file is from a folder, which may be a link or elsewhere."""

import os
from pathlib import Path


def place_from(file: str | Path, root: str | Path) -> str:
    """The path of ``file`` from ``root``, with forward slashes, that ``os.path.join(root, ...)`` leads back to.

    A file outside of ``root`` is reached from where ``root`` really is: ``..`` of a link leads to its target's parent.
    """
    below = os.path.relpath(file, root)
    outside = below.split(os.sep)[0] == os.pardir
    return Path(os.path.relpath(file, os.path.realpath(root)) if outside else below).as_posix()
