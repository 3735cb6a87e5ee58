"""Where the files are that a list names: as the list writes them, or as an identifier without folder or extension."""

import os
import re
from pathlib import Path

from lit_cnn.data.sources.extensions import is_image, is_system
from lit_cnn.data.sources.tree import own_images, subfolders

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
        self._names: dict[str, dict[str, list[str]]] = {}
        self._folders: list[str] | None = None

    def find(self, name: str) -> list[str]:
        """Absolute paths that a name may stand for: none where no file is there, two or more where it is ambiguous.

        Raises:
            ValueError: if the name is a URL, or a folder cannot be listed.
        """
        if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
            raise ValueError(f"{name} is a URL, but a list names files; download them first")
        for form in dict.fromkeys((name, name.replace("\\", "/"))):
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
        known = self._listed(folder).get(last, [])
        exact = [file for file in known if file == last]
        return [os.path.join(folder, file) for file in exact or known]

    def _listed(self, folder: str) -> dict[str, list[str]]:
        """The files of a folder by their names and, for images, by their names without extension."""
        if folder not in self._names:
            names: dict[str, list[str]] = {}
            try:
                with os.scandir(folder) as entries:
                    files = sorted(entry.name for entry in entries if not entry.is_dir())
            except (FileNotFoundError, NotADirectoryError):
                files = []
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise ValueError(f"the folder {folder} cannot be listed ({reason}); fix its permissions") from None
            for file in files:
                names.setdefault(file, []).append(file)
                if is_image(file) and not is_system(file):
                    names.setdefault(file.rpartition(".")[0], []).append(file)
            self._names[folder] = names
        return self._names[folder]

    def _image_folders(self) -> list[str]:
        """Folders below that of the list, up to two deep, that hold images directly."""
        if self._folders is None:
            level = subfolders(self.base)[:PLACES]
            level += [inner for folder in level for inner in subfolders(folder)[:PLACES]]
            self._folders = [str(folder) for folder in level[:PLACES] if any(True for _ in own_images(folder))]
        return self._folders
