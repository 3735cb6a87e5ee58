"""An image folder as litdata's shards: upright JPEGs of one size, few large files instead of many small ones."""

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lit_cnn.data.sources.decoding import RGB, BrokenImage, EncodedImage, PixelFormat, TooManyPixels, UnknownLevels
from lit_cnn.data.sources.folders import FolderSplit
from lit_cnn.data.sources.holdout import HoldOut
from lit_cnn.data.sources.load import Source, load_source
from lit_cnn.data.sources.shards import FORMAT, INFO, require_litdata
from lit_cnn.randomness import generator


@dataclass(frozen=True)
class Packing:
    """How images are stored.

    Args:
        size: length in px to which a longer shorter side is resized (bicubic); 0 keeps every file as it is.
        quality: of the JPEGs that are written, 1 to 100.
        chunk_bytes: size at which a shard is closed.
        workers: processes that decode, resize and encode; 0 does it in this one.
        pixel_format: what the pixels become before they are resized; files that stay as they are keep theirs.

    Raises:
        ValueError: if a value is out of its range.
    """

    size: int = 256
    quality: int = 90
    chunk_bytes: int = 32 * 2**20
    workers: int = 0
    pixel_format: PixelFormat = RGB

    def __post_init__(self) -> None:
        for name, value, lowest, highest in (
            ("size", self.size, 0, 65_500),
            ("quality", self.quality, 1, 100),
            ("chunk size", self.chunk_bytes, 1, 2**32 - 1),
            ("workers", self.workers, 0, 1024),
        ):
            if not lowest <= value <= highest:
                raise ValueError(f"the {name} of a packed set is {value} but must lie between {lowest} and {highest}")


class _Encoded(Dataset[bytes]):
    """The files of a split as the packed set stores them, in the order ``rows``."""

    def __init__(self, split: FolderSplit, rows: Tensor, packing: Packing) -> None:
        self.split, self.rows, self.packing = split, rows, packing

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> bytes:
        image = self.split.read(int(self.rows[number]), self.packing.pixel_format)
        picture = _decoded(image)  # also where the bytes stay as they are: a broken file is found here
        if self.packing.size == 0:
            return image.content
        try:
            return _encode(picture, self.packing)
        except OSError as error:
            raise BrokenImage(
                f"the image {image.name} of {picture.width} x {picture.height} px cannot be stored as a JPEG, whose "
                f"sides end at 65,500 px ({error}); cut or remove it, or pack with size 0, which keeps the files"
            ) from None


def _decoded(image: EncodedImage) -> Image.Image:
    try:
        return image.picture()
    except TooManyPixels as error:
        raise error.with_advice("raise --max-pixels") from None
    except UnknownLevels as error:
        raise error.with_advice("state --levels LOW HIGH, the numbers that are black and white") from None


def _encode(picture: Image.Image, packing: Packing) -> bytes:
    scale = packing.size / min(picture.size)
    if scale < 1:
        width, height = (max(packing.size, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=packing.quality)
    return stream.getvalue()


def _unchanged(item: Any) -> Any:
    return item


def _write(folder: Path, samples: Any, packing: Packing, advance: Callable[[], None]) -> None:
    """One litdata set from samples (bytes) in their order."""
    from litdata.streaming import Cache

    folder.mkdir(parents=True)
    cache = Cache(str(folder), chunk_bytes=packing.chunk_bytes)
    for number, sample in enumerate(samples):
        cache[number] = sample
        advance()
    cache.done()
    cache.merge(1)


def pack_folder(
    source: Path,
    target: Path,
    packing: Packing,
    hold_out: HoldOut | None = None,
    advance: Callable[[int, int], None] = print,
    begin: Callable[[Source], None] | None = None,
) -> dict[str, int]:
    """Write the splits of an image folder as a set of ``data.source: litdata``.

    Training images are stored in a random order, so that a shard holds many classes. The set appears under its name
    when it is complete. A validation split that the folder lacks is held out as ``data.source imagefolder`` does.

    Args:
        source: the image folder.
        target: folder to make; it may exist if it is empty, and is replaced then.
        packing: how images are stored.
        hold_out: how they are held out.
        advance: called with images written and images in all.
        begin: called with what was read, before anything is written.

    Returns:
        Images of each split.

    Raises:
        ValueError: if the target has contents, cannot be replaced or is inside the source, another pack writes it,
            litdata is missing, or a file of the source cannot be decoded.
    """
    require_litdata()
    target = target.resolve()
    _require_replaceable(target, source.resolve())
    held_out = hold_out or HoldOut()
    loaded = load_source(
        "imagefolder", str(source), held_out.fraction, hold_out=held_out.rule, group_by=held_out.group_by
    )
    if begin is not None:
        begin(loaded)
    named = {"train": loaded.train, "val": loaded.val, "test": loaded.test}
    splits = {name: split for name, split in named.items() if isinstance(split, FolderSplit)}
    partial = _claim(target)
    try:
        _write_splits(partial, splits, loaded.class_names, packing, advance)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _publish(partial, target)
    return {name: len(split) for name, split in splits.items()}


def _require_replaceable(target: Path, source: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target} exists already; remove it or choose another folder")
    kind = "the current folder" if target == Path.cwd() else "a mount point" if os.path.ismount(target) else None
    if kind is not None:
        raise ValueError(f"{target} is {kind}, which a finished set cannot replace; choose a folder inside it")
    if target.is_relative_to(source):
        raise ValueError(
            f"{target} is inside {source}, where the set would be taken for one of its classes; choose a folder outside"
        )


def _claim(target: Path) -> Path:
    """The folder, new and empty, where the set of ``target`` is written: one pack at a time can make it."""
    partial = target.with_name(f"{target.name}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        partial.mkdir()
    except FileExistsError:
        raise ValueError(
            f"{partial} exists: another pack to {target} is running or was killed; remove it when none is running, or "
            "choose another folder"
        ) from None
    return partial


def _write_splits(
    folder: Path,
    splits: dict[str, FolderSplit],
    class_names: list[str],
    packing: Packing,
    advance: Callable[[int, int], None],
) -> None:
    total, written, labels = sum(len(split) for split in splits.values()), 0, {}

    def count() -> None:
        nonlocal written
        written += 1
        advance(written, total)

    for name, split in splits.items():
        rows = torch.arange(len(split))
        if name == "train":
            rows = torch.randperm(len(split), generator=generator("pack"))
        encoded = _Encoded(split, rows, packing)
        loader: DataLoader[bytes] = DataLoader(encoded, None, num_workers=packing.workers, collate_fn=_unchanged)
        _write(folder / name, loader, packing, count)
        labels[name] = split.labels[rows].tolist()
    info = {"format": FORMAT, "class_names": class_names, "labels": labels}
    _write(folder / INFO, [json.dumps(info).encode()], Packing(), lambda: None)


def _publish(partial: Path, target: Path) -> None:
    """Give a complete set its name; where that fails, it stays and the message says where."""
    try:
        if target.exists():
            target.rmdir()  # empty; Windows replaces no folder
        partial.replace(target)
    except OSError as error:
        raise ValueError(
            f"the packed set is complete in {partial} but cannot be moved to {target} ({error.strerror}); move it "
            "there by hand"
        ) from None
