"""The page on what benchmarks/detection_transfer.py has measured, and its picture."""

import statistics
from pathlib import Path

from detection_transfer import (
    CLASSIFIER,
    CLASSIFIER_EPOCHS,
    DETECTOR_EPOCHS,
    GRID_SEED,
    IMAGES,
    RATES,
    SEEDS,
    STARTS,
    TESTED,
    best_rate,
    grid_name,
)
from finished_runs import Finished, Key, read_runs
from judged_runs import Comparison, judged, power_sentence, verdict_rows
from report_text import percent, table, wrapped, write_page

from lit_cnn.reports.canvas import BLUE, GRAY, INK, RED, new_figure, plain_axes, write_figure

TITLES = {"random": "random weights", "plain": "plain classifier", "cutmix": "CutMix classifier"}
COLORS = {"random": GRAY, "plain": BLUE, "cutmix": RED}
COMPARISONS = (
    Comparison("a plain classifier is a better start than random weights", "plain", "random"),
    Comparison("a CutMix classifier is a better start than a plain one", "cutmix", "plain"),
)
PUBLISHED = 1.1, "CutMix against plain, Faster R-CNN on Pascal VOC, Yun et al., 2019, table 10"
FIGURES = {
    "map50": "COCO mAP@.50, %",
    "map": "COCO mAP@[.50:.95], %",
    "ap50 Platelets": "AP@.50 of Platelets",
    "ap50 RBC": "AP@.50 of RBC",
    "ap50 WBC": "AP@.50 of WBC",
}
OPENING = """\
# Detection from a classifier's weights: does CutMix make a better start?

```
LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/detection_transfer.py  # continues where it was stopped
python benchmarks/detection_transfer.py --report         # this page, from the .csv next to it
```

One thread of an AMD EPYC with AVX-512 BF16 (2 cores), torch 2.14.1, Python 3.11, bf16-mixed, 2026-11-29; other jobs
shared the cores, so all times are processor time.
"""
DESIGN = (
    "The question of CutMix's detection table in small. ResNet-20 of the CIFAR paper carries FCOS on its map of stride "
    f"4 and two coarser ones; BCCD on a canvas of 160x120 px, {DETECTOR_EPOCHS} epochs, batch 8. It starts from random "
    f"weights, or from a classifier of {IMAGES:,} CIFAR-10 images, {CLASSIFIER_EPOCHS} epochs with crops and flips, "
    "with or without CutMix in every step. Each seed has classifiers of its own, so the intervals are over classifiers "
    "as well as detectors; order, augmentation and fresh head of a seed are the same for all starts. Each start has "
    f"the better of two rates for the network ({RATES[0]:g}, {RATES[1]:g}) by the validation images of another seed."
)
RULE = (
    "Rule, written in the benchmark's file before its first run: COCO mAP@.50 of the averaged weights of the last "
    "epoch on the 72 test images, differences paired by seed, 95 % t interval, Holm's method over both comparisons, "
    "margin 0."
)
LIMITS = (
    "The claim of the paper is about ResNet-50, ImageNet and Pascal VOC; this is another network, other images and a "
    "training of minutes, so no verdict here is one on the paper. Whether a classifier that is more accurate on "
    "ImageNet makes a better detector is not asked: it needs two architectures with ImageNet's weights, and only "
    "EfficientNet-Lite0's were at hand. What those weights bring to Lite0 itself is in [detection.md](detection.md)."
)


def write_report(path: Path) -> None:
    """Write PATH with the ending .md, and .png once two seeds of every start have ended."""
    runs = read_runs(path)
    values = {start: values_of(runs, start, "map50") for start in STARTS}
    seeds = min(map(len, values.values()))
    lines = [*OPENING.splitlines(), "", wrapped(DESIGN), "", wrapped(RULE), ""]
    if seeds:
        lines += [*starts_table(runs), ""]
    if seeds > 1:
        picture = path.with_suffix(".png")
        draw(values, picture)
        lines += [f"![mAP@.50 of each seed from the three starts]({picture.name})", ""]
    findings = judged(COMPARISONS, values, SEEDS)
    lines += [*verdict_rows(findings), ""]
    power = power_sentence(PUBLISHED[0], findings[1], PUBLISHED[1])
    said = " ".join(filter(None, (power, costs(runs))))
    lines += [*([wrapped(said), ""] if said else []), wrapped(LIMITS)]
    write_page(path, lines)


def values_of(runs: Finished, start: str, figure: str, what: str = TESTED) -> dict[int, float]:
    """Seed -> figure."""
    found = {key.seed: figures[figure] for key, figures in runs.items() if (key.arm, key.what) == (start, what)}
    return dict(sorted(found.items()))


def starts_table(runs: Finished) -> list[str]:
    """A column for each start."""
    rows = []
    classifiers = (values_of(runs, start, "accuracy", CLASSIFIER) for start in STARTS)
    rows.append(["accuracy of the classifiers, %", *(percent(list(each.values())) for each in classifiers)])
    rows.append(["rate of the network, chosen", *(f"{best_rate(start, runs):g}" for start in STARTS)])
    for rate in RATES:
        chosen = (100 * runs[Key(start, GRID_SEED, grid_name(rate))]["map50"] for start in STARTS)
        rows.append([f"validation mAP@.50 with {rate:g}, %", *(f"{value:.1f}" for value in chosen)])
    for figure, title in FIGURES.items():
        of_starts = (list(values_of(runs, start, figure).values()) for start in STARTS)
        rows.append([title, *(percent(each) for each in of_starts)])
    seeds = (", ".join(f"{100 * value:.1f}" for value in values_of(runs, start, "map50").values()) for start in STARTS)
    rows.append(["mAP@.50 of seeds 0, 1, 2", *seeds])
    return table(["", *(TITLES[start] for start in STARTS)], rows)


def costs(runs: Finished) -> str:
    """Minutes of a run of each kind."""
    kinds = {
        "classifier": [figures["seconds"] for key, figures in runs.items() if key.what == CLASSIFIER],
        "detector": [figures["seconds"] for key, figures in runs.items() if key.what != CLASSIFIER],
    }
    said = [f"{statistics.fmean(each) / 60:.1f} min for a {name}" for name, each in kinds.items() if each]
    total = sum(map(sum, kinds.values())) / 60
    return f"Processor time: {', '.join(said)}, {total:.0f} min in all." if said else ""


def draw(values: dict[str, dict[int, float]], path: Path) -> None:
    """A line for each seed over the three starts, and the means."""
    figure = new_figure(6, 3.2)
    axes = figure.add_axes((0.12, 0.14, 0.85, 0.8))
    plain_axes(axes)
    for seed in sorted(set.intersection(*(set(each) for each in values.values()))):
        axes.plot(range(len(STARTS)), [100 * values[start][seed] for start in STARTS], color=GRAY, linewidth=0.8)
    for place, start in enumerate(STARTS):
        points = [100 * value for value in values[start].values()]
        axes.plot([place] * len(points), points, "o", ms=5, color=COLORS[start])
        axes.plot([place - 0.15, place + 0.15], [statistics.fmean(points)] * 2, color=INK, linewidth=1.5)
    axes.set_xticks(range(len(STARTS)), [TITLES[start] for start in STARTS])
    axes.set_xlim(-0.4, len(STARTS) - 0.6)
    axes.set_ylabel("mAP@.50 on the test images, %", color=INK, fontsize=9)
    write_figure(figure, path)
