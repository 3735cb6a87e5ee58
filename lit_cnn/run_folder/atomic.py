"""Files that are written whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file next to ``path``, of this process alone, that takes its place once the block ends.

    Where the block fails, the file is removed and ``path`` stays as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace a file whole by UTF-8 text."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
