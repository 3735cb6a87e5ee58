"""The page on what benchmarks/bccd_detectors.py has measured."""

import statistics
from pathlib import Path

from bccd_detectors import DETECTORS, EPOCHS, WHAT
from finished_runs import read_runs
from report_text import percent, table, wrapped, write_page

TITLES = {"fcos": "FCOS", "retinanet": "RetinaNet", "faster_rcnn": "Faster R-CNN", "ssd": "SSD"}
PERCENT = {
    "map50": "COCO mAP@.50, %",
    "map": "COCO mAP@[.50:.95], %",
    "map75": "COCO mAP@.75, %",
    "voc07_ap50": "VOC 2007 11-point mAP@.50, %",
    "ap50 Platelets": "COCO AP@.50 of Platelets, 69 objects",
    "ap50 RBC": "COCO AP@.50 of RBC, 805 objects",
    "ap50 WBC": "COCO AP@.50 of WBC, 71 objects",
}
OPENING = """\
# Detection: four detectors, one budget

```
LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/bccd_detectors.py --weights lite0.ckpt  # continues where stopped
python benchmarks/bccd_detectors.py --report                          # this page, from the .csv next to it
```

One thread of an AMD EPYC with AVX-512 BF16 (2 cores), torch 2.14.1, Python 3.11, float32, 2026-11-29; other jobs shared
the cores, so all times are processor time.
"""
DESIGN = (
    "EfficientNet-Lite0 from ImageNet's weights ([detection.md](detection.md) says how they are imported), the recipe "
    f"`detection/bccd` shortened to {EPOCHS} epochs: 205 training images on a canvas of 320x240 px, batch 8, AdamW "
    "with a cosine, flips and scale jitter, averaged weights of the last epoch, no choice among epochs. Figures are of "
    "the 72 test images, in percent, mean ± standard error over seeds. The rates and the augmentation are those that "
    "suited FCOS, and no detector was tuned further, with two exceptions: the sides of anchors were chosen by those of "
    "the training boxes, and SSD's head learns three times as fast, since at FCOS's rate it had hardly begun to learn "
    "in a pilot of 4 epochs (the maps it reads are not normalized; mAP@.50 on the validation images 2.4 %, at the "
    "higher rate 12.5 %). A detector with a recipe of its own, or with more epochs, may rank otherwise: SSD's own "
    "trains for hundreds."
)
COUNTS = (
    "Multiply-adds are those of convolutions and linear layers for one image, with the proposals that Faster R-CNN has "
    "after the training. Milliseconds: network, decoding and suppression of one image in batches of 8, one thread."
)


def write_report(path: Path) -> None:
    """Write PATH with the ending .md."""
    runs = read_runs(path)
    found = {
        name: [figures for key, figures in sorted(runs.items()) if (key.arm, key.what) == (name, WHAT)]
        for name in DETECTORS
    }
    lines = [*OPENING.splitlines(), "", wrapped(DESIGN), ""]
    present = {name: each for name, each in found.items() if each}
    if present:
        lines += [*detectors_table(present), "", wrapped(COUNTS), "", wrapped(order(present))]
    write_page(path, lines)


def detectors_table(found: dict[str, list[dict[str, float]]]) -> list[str]:
    """A column for each detector."""
    rows = []
    for figure, title in PERCENT.items():
        rows.append([title, *(percent([run[figure] for run in each]) for each in found.values())])
    for title, figure, factor, form in (
        ("parameters, M", "params", 1e-6, ".2f"),
        ("multiply-adds of an image, M", "madds", 1e-6, ",.0f"),
        ("training, s of the processor", "seconds", 1.0, ".0f"),
        ("detection, ms of the processor an image", "milliseconds", 1.0, ".0f"),
    ):
        means = [statistics.fmean(run[figure] for run in each) * factor for each in found.values()]
        rows.append([title, *(format(mean, form) for mean in means)])
    rows.append(["seeds", *(str(len(each)) for each in found.values())])
    return table(["", *(TITLES[name] for name in found)], rows)


def order(found: dict[str, list[dict[str, float]]]) -> str:
    """What the seeds do and do not show of the order."""
    means = {name: statistics.fmean(run["map50"] for run in each) for name, each in found.items()}
    shown = ", ".join(
        f"{TITLES[name]} {100 * means[name]:.1f}" for name in sorted(means, key=lambda name: -means[name])
    )
    return (
        f"By mAP@.50: {shown}. Standard errors are over trainings alone: another draw of 72 test images would move all "
        "detectors together, and Platelets with 69 objects most."
    )
