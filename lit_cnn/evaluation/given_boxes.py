"""The annotated images that ``--data`` names, with the labels of a detector by class name."""

from dataclasses import replace

import numpy as np

from lit_cnn.data.sources.load import resolve_data_path
from lit_cnn.detection.annotations import Annotated, Layout, fitting_layouts, packed, read_annotations
from lit_cnn.detection.boxes import AnnotatedSplit
from lit_cnn.detection.detector import Detector
from lit_cnn.evaluation.given_data import other_classes
from lit_cnn.evaluation.images import SplitName


def given_boxes(data_path: str, split: SplitName, layout: Layout, detector: Detector, checkpoint: str) -> Annotated:
    """The annotated images of a split, or all of them where the folder has no splits.

    Args:
        data_path: A folder, which may lack some of the classes and order them otherwise.
        split: Which to take.
        layout: Of the recipe, which is taken where the folder has it; else the folder's is found.
        detector: Whose classes the labels become those of.
        checkpoint: What messages call it.

    Returns:
        Under the name of ``split`` alone, whatever its images were called; a note says so.

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If it has other splits only, or boxes of a class that the detector does not have.
    """
    path = resolve_data_path(data_path, "--data")
    annotated = read_annotations(path, layout if layout in fitting_layouts(path) else "auto", to_train=False)
    name = _chosen(annotated, split)
    images = _with_labels_of(annotated.splits[name], detector, checkpoint)
    other = () if name == split else (f"{path} has no {split} split: all its images, named {name}, are evaluated",)
    return replace(annotated, splits={split: images}, notes=(*annotated.notes, *other))


def _chosen(annotated: Annotated, split: SplitName) -> str:
    """The split, or the only one."""
    there = list(annotated.splits)
    if split in there or len(there) == 1:
        return split if split in there else there[0]
    raise ValueError(
        f"{annotated.origin} has the splits {' and '.join(there)} but no {split} split; pass data that has one"
    )


def _with_labels_of(split: AnnotatedSplit, detector: Detector, checkpoint: str) -> AnnotatedSplit:
    known, images = list(detector.class_names or ()), packed(split)
    numbers = {name: number for number, name in enumerate(known)}
    labels = np.array([numbers.get(name, -1) for name in split.class_names], dtype=np.int64)[images.labels]
    if (labels < 0).any():
        present = [split.class_names[label] for label in np.unique(images.labels).tolist()]
        raise ValueError(other_classes(present, checkpoint, known))
    relabeled = replace(images, labels=labels)
    return replace(split, images=relabeled, class_names=tuple(known), category_ids=detector.category_ids)
