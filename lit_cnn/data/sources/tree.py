"""What a folder and its subfolders hold: links are followed, hidden entries and those of the system are not there."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from lit_cnn.data.sources.extensions import THUMBNAILS, extension, image_extensions, is_image, is_system


@dataclass
class Tree:
    """The files of a folder at any depth.

    Args:
        images: their paths, sorted.
        direct: how many of them are in the folder itself, not deeper.
        others: paths of the files without an image's extension, sorted.
        thumbnails: images in folders of thumbnails.
        folders: every directory that was listed.
    """

    images: list[str] = field(default_factory=list)
    direct: int = 0
    others: list[str] = field(default_factory=list)
    thumbnails: int = 0
    folders: list[str] = field(default_factory=list)

    @property
    def extensions(self) -> Counter[str]:
        """How many of the ``others`` have which extension."""
        return Counter(extension(os.path.basename(name)) for name in self.others)


def _visit(folder: str | os.PathLike[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """``os.walk`` that follows links, but comes to each folder once.

    Raises:
        ValueError: naming a folder that cannot be listed.
    """
    seen = set()
    for parent, children, files in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            children.clear()
            continue
        seen.add(real)
        yield parent, children, files


def walk(folder: str | os.PathLike[str]) -> Tree:
    """The files below a folder.

    Raises:
        ValueError: naming a folder that cannot be listed.
    """
    tree, known = Tree(), image_extensions()
    for parent, children, files in _visit(folder):
        tree.folders.append(parent)
        visible = sorted(name for name in children if not is_system(name))
        children[:] = [name for name in visible if name.lower() not in THUMBNAILS]
        tree.thumbnails += count_thumbnails(parent, visible)
        for name in files:
            if not is_system(name):
                (tree.images if extension(name) in known else tree.others).append(os.path.join(parent, name))
        if len(tree.folders) == 1:
            tree.direct = len(tree.images)
    tree.images.sort()
    tree.others.sort()
    return tree


def count_thumbnails(parent: str | os.PathLike[str], names: list[str] | None = None) -> int:
    """Images in the folders of thumbnails in ``parent``; ``names`` are those of the folders in it."""
    if names is None:
        names = [place.name for place in Path(parent).iterdir() if place.is_dir()]
    return sum(len(walk(os.path.join(parent, name)).images) for name in names if name.lower() in THUMBNAILS)


def list_images(folder: Path) -> list[str]:
    """Sorted paths of the image files in ``folder`` and its subfolders.

    Raises:
        ValueError: naming a folder that cannot be listed.
    """
    return walk(folder).images


def refuse(error: OSError) -> NoReturn:
    """Instead of a folder that cannot be listed being taken for an empty one."""
    reason = error.strerror or type(error).__name__
    raise ValueError(f"the folder {error.filename} cannot be listed ({reason}); fix its permissions or remove it")


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted by name, without those of the system and of thumbnails."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError as error:
        refuse(error)
    return [folder / name for name in sorted(names) if not is_system(name) and name.lower() not in THUMBNAILS]


LINK_TO_NOTHING = "is a link to nothing; restore its target or remove it"
"""What messages say of one."""


def links_to_nothing(paths: Iterable[str]) -> list[str]:
    """Those of the paths that are links whose target is not there, perhaps not yet: a folder that is not mounted."""
    return [path for path in paths if os.path.islink(path) and not os.path.exists(path)]


def own_links_to_nothing(folder: Path) -> list[str]:
    """Such links directly in a folder, sorted."""
    try:
        with os.scandir(folder) as entries:
            links = [entry.path for entry in entries if entry.is_symlink() and not is_system(entry.name)]
    except OSError as error:
        refuse(error)
    return sorted(links_to_nothing(links))


def own_images(folder: Path) -> Iterator[str]:
    """Paths of the images directly in a folder, as the file system gives them."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not is_system(entry.name) and is_image(entry.name) and not entry.is_dir():
                    yield entry.path
    except OSError as error:
        refuse(error)


def holds_images(folder: Path) -> bool:
    """Whether there is an image at any depth; stops at the first one found."""
    for _, children, files in _visit(folder):
        if any(is_image(name) and not is_system(name) for name in files):
            return True
        children[:] = [name for name in children if not is_system(name) and name.lower() not in THUMBNAILS]
    return False
