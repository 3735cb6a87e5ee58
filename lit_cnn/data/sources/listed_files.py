"""Where the files are that a list names: as the list writes them, or as an identifier without folder or extension."""

import os
import re
from pathlib import Path

from lit_cnn.data.sources.extensions import is_image, is_system
from lit_cnn.data.sources.tree import own_images, subfolders

URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
PLACES = 64
"""At most so many folders are searched for files that a list names without their folder."""


class ListedFiles:
    """Finds files by the names that a list gives them.

    A relative name is looked up from the folder of the list, then from the folders of images in it, then from the
    folder above it.

    Args:
        file: the list.
    """

    def __init__(self, file: Path) -> None:
        self.base = Path(os.path.abspath(file.parent))
        self._names: dict[str, set[str]] = {}
        self._stems: dict[str, dict[str, list[str]]] = {}
        self._folders: list[str] | None = None

    def find(self, name: str) -> list[str]:
        """Absolute paths that a name may stand for: none where no file is there, two or more where it is ambiguous.

        Raises:
            ValueError: if the name is a URL, or a folder cannot be listed.
        """
        if URL.match(name):
            raise ValueError(f"{name} is a URL, but a list names files; download them first")
        for form in (name, name.replace("\\", "/")) if "\\" in name else (name,):
            found = self._lookup(str(self.base), form)
            if not found and not os.path.isabs(form):
                inside = [path for place in self._image_folders() for path in self._lookup(place, form)]
                found = inside or self._lookup(str(self.base.parent), form)
            if found:
                return found
        return []

    def _lookup(self, place: str, name: str) -> list[str]:
        """The file of this name under ``place``, or else those with an image's extension added."""
        folder, last = os.path.split(os.path.normpath(os.path.join(place, name)))
        if last in self._files(folder):
            return [os.path.join(folder, last)]
        return [os.path.join(folder, file) for file in self._by_stem(folder).get(last, [])]

    def _files(self, folder: str) -> set[str]:
        """Names of the files in a folder."""
        if folder not in self._names:
            try:
                with os.scandir(folder) as entries:
                    self._names[folder] = {entry.name for entry in entries if not entry.is_dir()}
            except (FileNotFoundError, NotADirectoryError):
                self._names[folder] = set()
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise ValueError(f"the folder {folder} cannot be listed ({reason}); fix its permissions") from None
        return self._names[folder]

    def _by_stem(self, folder: str) -> dict[str, list[str]]:
        """The images of a folder by their names without extension."""
        if folder not in self._stems:
            self._stems[folder] = {}
            for file in sorted(self._files(folder)):
                if is_image(file) and not is_system(file):
                    self._stems[folder].setdefault(file.rpartition(".")[0], []).append(file)
        return self._stems[folder]

    def _image_folders(self) -> list[str]:
        """Folders below that of the list, up to two deep, that hold images directly."""
        if self._folders is None:
            level = subfolders(self.base)[:PLACES]
            level += [inner for folder in level for inner in subfolders(folder)[:PLACES]]
            self._folders = [str(folder) for folder in level[:PLACES] if any(True for _ in own_images(folder))]
        return self._folders
