"""The image files that a command line means: files, folders, and lists of both."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lit_cnn.data.sources.extensions import left_out_notes, left_out_reasons
from lit_cnn.data.sources.tables import encoding_of
from lit_cnn.data.sources.tree import walk


@dataclass
class ImageFiles:
    """Image files in the order in which they were named.

    Attributes:
        paths: Of the files. A file of a list may turn out not to exist.
        left_out: Extension -> files of the folders that are not taken for it.
        thumbnails: Images of the folders in folders of thumbnails, which are not taken.
    """

    paths: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    thumbnails: int = 0

    def add_folder(self, folder: Path) -> None:
        """Add the images of a folder and its subfolders.

        Raises:
            ValueError: If it holds none.
        """
        tree = walk(folder)
        if not tree.images:
            reasons = "; ".join(left_out_notes(left_out_reasons(tree.extensions)))
            raise ValueError(f"the folder {folder} holds no image{f' ({reasons})' if reasons else ''}")
        self.paths += tree.images
        self.left_out += tree.extensions
        self.thumbnails += tree.thumbnails

    @property
    def notes(self) -> list[str]:
        """Sentences on the files that are left out."""
        thumbnails = {"in folders of thumbnails": self.thumbnails} if self.thumbnails else {}
        return left_out_notes({**left_out_reasons(self.left_out), **thumbnails})


def find_images(names: Iterable[str], listed: Iterable[str] = ()) -> ImageFiles:
    """Image files of files and folders.

    Args:
        names: As a command line gives them.
        listed: As a list holds them. Of these a missing one is left to be found when it is read, like one that is
            broken, since nobody has looked at each of them.

    Raises:
        ValueError: If a name does not exist or a folder holds no image.
    """
    files = ImageFiles()
    for name in names:
        path = Path(name).expanduser()
        if path.is_dir():
            files.add_folder(path)
        elif path.is_file():
            files.paths.append(str(path))
        else:
            raise ValueError(f"there is no image {name}")
    for name in listed:
        path = Path(name).expanduser()
        if path.is_dir():
            files.add_folder(path)
        else:
            files.paths.append(str(path))
    return files


def read_list(content: bytes) -> list[str]:
    """The names in a list: one on each line, or each ended by a zero byte as ``find -print0`` writes them.

    It may be UTF-16, as PowerShell writes it.
    """
    if encoding_of(content) == "utf-16":
        content = content.decode("utf-16", "replace").encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    lines = content.split(b"\0") if b"\0" in content else [line.rstrip(b"\r") for line in content.split(b"\n")]
    return [os.fsdecode(line) for line in lines if line.strip()]
