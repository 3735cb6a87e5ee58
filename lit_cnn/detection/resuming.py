"""What a checkpoint remembers of annotated images, and whether a resumed run has the same ones."""

import hashlib
from collections.abc import Mapping
from typing import Any

import lightning

from lit_cnn.data.loading.fingerprints import Fingerprints
from lit_cnn.data.loading.resuming import VAL_SAMPLE, changed_images, inside_epoch, require_same_data
from lit_cnn.data.sources.load import IMAGENET_STATISTICS, Source
from lit_cnn.detection.annotations import IMAGE, Annotated, as_files, packed
from lit_cnn.detection.boxes import AnnotatedSplit

_SPLITS = {"train": "training", "val": "validation"}


def annotations_state(annotated: Annotated) -> dict[str, Any]:
    """What order, held-out images and boxes follow from, in tensors and built-in types for a checkpoint."""
    files = _files(annotated)
    prints = {"train": Fingerprints.of(files.train, IMAGE), "val": Fingerprints.of(files.val, IMAGE, VAL_SAMPLE)}
    return {
        **{name: known.as_dict() for name, known in prints.items()},
        "train_size": len(annotated.train),
        "val_size": len(annotated.val),
        "class_names": list(annotated.train.class_names),
        "annotations": {name: annotations_digest(annotated.splits[name]) for name in _SPLITS},
    }


def annotations_digest(split: AnnotatedSplit) -> str:
    """Of all boxes of a split in order, with their classes, flags and the sizes of their images."""
    images = packed(split)
    digest = hashlib.blake2b(digest_size=16)
    for part in (images.sizes, images.starts, images.boxes, images.labels, images.difficult, images.crowd):
        digest.update(part.tobytes())
    return digest.hexdigest()


def require_same_annotations(
    stored: Mapping[str, Any], now: Mapping[str, Any], annotated: Annotated, trainer: lightning.Trainer | None
) -> None:
    """Refuse to continue on other images or boxes or, inside an epoch, with other micro-batches.

    Args:
        stored: ``annotations_state`` of the checkpoint and its ``accumulation``; empty for a new run.
        now: that of this run.
        annotated: what it reads.
        trainer: where it stands.

    Raises:
        ValueError: Naming what differs and what to do.
    """
    if not stored:
        return
    changed = changed_images(dict(stored), dict(now), _files(annotated))
    before = stored.get("annotations", {})
    changed += [
        f"other boxes on the {title} images"
        for name, title in _SPLITS.items()
        if not changed and before.get(name, now["annotations"][name]) != now["annotations"][name]
    ]
    require_same_data(dict(stored), dict(now), inside=inside_epoch(trainer), changed=changed)


def _files(annotated: Annotated) -> Source:
    """The images without their boxes, as sets for classification are compared."""
    train, val = as_files(annotated.train), as_files(annotated.val)
    return Source(train, val, None, list(IMAGE), 3, *IMAGENET_STATISTICS, annotated.origin)
