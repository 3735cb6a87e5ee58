"""The images of a claim: those that are trained on, those that judge, and others by which a grid is chosen."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lit_cnn.claims.claim import Images
from lit_cnn.data.sources.arrays import ArraySplit
from lit_cnn.data.sources.load import load_source
from lit_cnn.randomness import derive_key
from lit_cnn.run_folder.atomic import replacing

EVALUATED = 5000
"""Most images that judge."""
CHOOSING = 2500
"""Most images by which a grid is chosen."""
JUDGED, CHOSEN = "judged.npz", "choosing.npz"


@dataclass(frozen=True)
class BenchImages:
    """Splits of one data set that share no image, except where training images judge.

    Args:
        train: Trained on.
        judging: What the claim's figures are measured on.
        choosing: What a grid is chosen on.
    """

    train: ArraySplit
    judging: ArraySplit
    choosing: ArraySplit

    def digest(self) -> str:
        """Changes with the images and labels that are trained on and that judge."""
        parts = [
            part.numpy().tobytes() for split in (self.train, self.judging) for part in (split.images, split.labels)
        ]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def bench_images(images: Images) -> BenchImages:
    """The same images for every arm, seed and machine, from a keyed order of the data set.

    Raises:
        FileNotFoundError: If the data set is missing.
        ValueError: If it is too small for the claim.
    """
    source = load_source(images.source)
    train, val, test = source.train, source.val, source.test
    assert isinstance(train, ArraySplit)
    assert isinstance(val, ArraySplit)
    if isinstance(test, ArraySplit):
        held_out = _joined(val, test).take(torch.arange(min(len(val) + len(test), EVALUATED)))
        order = _order(len(train))
        pool, choosing = train.take(order[: images.train]), train.take(order[images.train :][-CHOOSING:])
    else:
        whole = _joined(train, val)
        order = _order(len(whole))
        rest = order[images.train :]
        pool, choosing, held_out = (whole.take(rows) for rows in (order[: images.train], rest[0::3], _two_thirds(rest)))
    if len(pool) < images.train or not len(choosing) or not len(held_out):
        raise ValueError(f"{images.source} holds {len(train)} training images, and this claim needs {images.train}")
    if images.evaluated_on == "training":
        held_out = pool.take(torch.arange(min(len(pool), EVALUATED)))
    return BenchImages(pool, held_out, choosing)


def _two_thirds(rows: torch.Tensor) -> torch.Tensor:
    """Those that are not at the places 0, 3, 6, ..."""
    return rows[torch.arange(len(rows)) % 3 != 0]


def _joined(first: ArraySplit, second: ArraySplit) -> ArraySplit:
    return ArraySplit(torch.cat([first.images, second.images]), torch.cat([first.labels, second.labels]))


def _order(count: int) -> torch.Tensor:
    draws = np.random.default_rng(derive_key("claims", count) & 0x7FFFFFFFFFFFFFFF)
    return torch.from_numpy(draws.permutation(count))


def write_images(images: BenchImages, folder: Path) -> tuple[Path, Path]:
    """The files for the runs that judge and for those by which a grid is chosen, written once, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, held_out in ((JUDGED, images.judging), (CHOSEN, images.choosing)):
        if (folder / name).is_file():
            continue
        with replacing(folder / name) as partial, partial.open("wb") as file:
            arrays = _arrays("train", images.train) | _arrays("val", held_out)
            np.savez(file, **arrays)  # type: ignore[arg-type]
    return (folder / JUDGED).resolve(), (folder / CHOSEN).resolve()


def _arrays(name: str, split: ArraySplit) -> dict[str, np.ndarray]:
    images = split.images.permute(0, 2, 3, 1).numpy()
    return {
        f"{name}_images": images[..., 0] if images.shape[3] == 1 else images,
        f"{name}_labels": split.labels.numpy(),
    }
