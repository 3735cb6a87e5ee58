"""Figures that papers print and that belong to no network of the catalog, for the lecture's tables.

Those of networks of the catalog are in ``architectures/catalog.py``. Tests compare all of them with tests/facts.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PublishedRow:
    """What a paper prints of one network.

    Args:
        name: Data set and network.
        figures: One for each column in percent; None where the paper has none.
    """

    name: str
    figures: tuple[float | None, ...]


@dataclass(frozen=True)
class PublishedTable:
    """A table of the papers, and the arms of a claim that do the same here.

    Args:
        heading: On the page.
        measure: What its figures are.
        columns: Methods.
        rows: In order.
        source: Paper and place.
        claim: Whose result stands below the paper's rows.
        arms: Its arm for each column; empty where it has none.
        note: What a reader needs.
    """

    heading: str
    measure: Literal["error", "accuracy"]
    columns: tuple[str, ...]
    rows: tuple[PublishedRow, ...]
    source: str
    claim: str
    arms: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of the ImageNet challenge or another ensemble.

    Args:
        name: Of the network.
        year: Of its paper.
        top5_error: In percent.
        what: How many networks, on which images.
        source: Paper.
    """

    name: str
    year: int
    top5_error: float
    what: str
    source: str


ENSEMBLES = (
    Entry("AlexNet", 2012, 16.4, "five networks, validation", "Krizhevsky et al., 2012"),
    Entry("ZFNet", 2013, 15.3, "five networks, validation", "Zeiler and Fergus, 2013, arXiv:1311.2901"),
    Entry("VGG", 2014, 6.8, "two networks, test", "Simonyan and Zisserman, 2014, arXiv:1409.1556"),
    Entry("GoogLeNet", 2014, 6.67, "seven networks, 144 crops, test", "Szegedy et al., 2014, arXiv:1409.4842"),
    Entry("ResNet", 2015, 3.57, "six networks, test", "He et al., 2015, arXiv:1512.03385"),
    Entry("SENet", 2017, 2.251, "an ensemble, test", "Hu et al., 2017, arXiv:1709.01507"),
)

RESOLUTIONS = ((224, 70.6, 569.0), (192, 69.1, 418.0), (160, 67.2, 290.0), (128, 64.4, 186.0))
"""Side in px, top-1 accuracy in percent and million multiply-adds of MobileNet (Howard et al., 2017, Table 7)."""

RAND_AUGMENT = PublishedTable(
    "RandAugment",
    "accuracy",
    ("baseline", "AutoAugment", "RandAugment"),
    (
        PublishedRow("CIFAR-10, WRN-28-2", (94.9, 95.9, 95.8)),
        PublishedRow("CIFAR-10, WRN-28-10", (96.1, 97.4, 97.3)),
        PublishedRow("CIFAR-10, Shake-Shake 26 2x96d", (97.1, 98.0, 98.0)),
        PublishedRow("CIFAR-10, PyramidNet", (97.3, 98.5, 98.5)),
        PublishedRow("CIFAR-100, WRN-28-2", (75.4, 78.5, 78.3)),
        PublishedRow("CIFAR-100, WRN-28-10", (81.2, 82.9, 83.3)),
        PublishedRow("ImageNet, ResNet-50", (76.3, None, 77.6)),
        PublishedRow("ImageNet, EfficientNet-B5", (83.2, None, 83.9)),
        PublishedRow("ImageNet, EfficientNet-B7", (84.0, 84.4, 85.0)),
    ),
    "Cubuk et al., 2019, arXiv:1909.13719",
    "augmentation",
    ("flip_crop", "auto_augment", "rand_augment"),
    "The baseline has flips and crops; on CIFAR the paper adds cutout to RandAugment, which the run here does not.",
)
CUT_MIX = PublishedTable(
    "CutMix",
    "error",
    ("baseline", "cutout", "mixup", "CutMix"),
    (
        PublishedRow("CIFAR-10, PyramidNet-200", (3.85, 3.10, 3.09, 2.88)),
        PublishedRow("CIFAR-100, PyramidNet-200", (16.45, 16.53, 15.63, 14.47)),
        PublishedRow("ImageNet, ResNet-50", (23.68, 22.93, 22.58, 21.40)),
    ),
    "Yun et al., 2019, arXiv:1905.04899",
    "augmentation",
    ("flip_crop", "cutout", "mixup", "cutmix"),
    "The paper's CIFAR-100 errors are the best on test images during the training; here they are of the last epoch.",
)
COMPOUND_SCALING = PublishedTable(
    "Compound scaling",
    "accuracy",
    ("not scaled", "depth", "width", "resolution", "compound"),
    (
        PublishedRow("ImageNet, MobileNetV1", (70.6, None, 74.2, 72.7, 75.6)),
        PublishedRow("ImageNet, MobileNetV2", (72.0, 76.8, 76.4, 74.8, 77.4)),
        PublishedRow("ImageNet, ResNet-50", (76.0, 78.1, 77.7, 77.5, 78.8)),
    ),
    "Tan and Le, 2019, arXiv:1905.11946, Table 3",
    "compound_scaling",
    ("basex1", "depthx4", "widthx4", "resolutionx4", "compoundx4"),
    "About 4 times the multiply-adds of the network that is not scaled.",
)
