"""The page on what benchmarks/localization_cutmix.py has measured."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from finished_runs import Finished, read_runs
from judged_runs import Comparison, judged, verdict_rows
from localization_cutmix import ARMS, EPOCHS, MEASURED, SEEDS, THRESHOLD
from report_text import percent, wrapped, write_page

from lit_cnn.claims.verdicts import Finding

TITLES = {"plain": "plain", "cutmix": "CutMix"}
TOP1, V2 = "map: top1", "map: max_box_acc_v2"
COMPARISONS = {
    TOP1: "CutMix has the higher top-1 localization",
    V2: "CutMix has the higher MaxBoxAccV2",
}
OPENING = """\
# Localization with and without CutMix

```
LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/localization_cutmix.py  # continues where it was stopped
python benchmarks/localization_cutmix.py --report        # this page, from the .csv next to it
```

One thread of an AMD EPYC with AVX-512 BF16 (2 cores), torch 2.14.1, Python 3.11, bf16-mixed, 2026-11-29; other jobs
shared the cores, so all times are processor time.
"""
DESIGN = (
    "CutMix's table of localization in small. Windows of 256 px cut from BCCD (`benchmarks/bccd_windows.py`): 465 for "
    "training, 191 for validation, 164 for the test, of three classes, the cell somewhere in the window. ResNet-20 of "
    f"the CIFAR paper on windows reduced to 64 px, {EPOCHS} epochs from random weights with flips, with or without "
    "CutMix in every step; weights of the last epoch; its class activation map has 16x16 positions. What the columns "
    "are: [localize.md](../guides/localize.md)."
)
RULE = (
    "Rule, written in the benchmark's file before its first run: differences paired by seed on the test windows, 95 % "
    "t interval, Holm's method over both comparisons, margin 0. The first is the paper's protocol (threshold "
    f"{THRESHOLD:g} of the map's maximum, IoU above 0.5, class right), the second that of Choe et al., 2020 "
    "(arXiv:2007.04178), by which they found CutMix to be no better than plain training."
)
LIMITS = (
    "In percent, mean ± standard error over seeds. MaxBoxAcc and its second version take the thresholds that are best "
    "on the test windows themselves; the last two boxes need no network and no threshold. The paper's figures, 46.3 % "
    "plain and 47.3 % with CutMix, are of ResNet-50 on ImageNet; no verdict here is one on them."
)


def write_report(path: Path) -> None:
    """Write PATH with the ending .md."""
    runs = read_runs(path)
    of_arm = {
        arm: [figures for key, figures in sorted(runs.items()) if (key.arm, key.what) == (arm, MEASURED)]
        for arm in ARMS
    }
    lines = [*OPENING.splitlines(), "", wrapped(DESIGN), "", wrapped(RULE), ""]
    lines += [*verdict_rows(findings(runs)), ""]
    if all(of_arm.values()):
        lines += [*table(of_arm), "", wrapped(LIMITS), "", wrapped(costs(of_arm)), ""]
        for arm in ARMS:
            picture = path.with_name(f"localization_{arm}.png")
            text = f"Windows with true and found boxes, and the map of the true class: {TITLES[arm]}, seed 0"
            lines += [f"![{text}]({picture.name})", ""] if picture.is_file() else []
    write_page(path, lines)


def findings(runs: Finished) -> tuple[Finding, ...]:
    """On both comparisons, which share one error."""
    values = {
        f"{arm} {figure}": {
            key.seed: figures[figure] for key, figures in runs.items() if (key.arm, key.what) == (arm, MEASURED)
        }
        for arm in ARMS
        for figure in COMPARISONS
    }
    asked = [Comparison(text, f"cutmix {figure}", f"plain {figure}") for figure, text in COMPARISONS.items()]
    return judged(asked, values, SEEDS)


def table(of_arm: dict[str, list[dict[str, float]]]) -> list[str]:
    """A row for each way to a box; those that need no network are the same for all runs."""
    rows = [
        "| box | classified right | top-1 localization | GT-known | MaxBoxAcc | MaxBoxAccV2 |",
        "|---|---|---|---|---|---|",
    ]
    for arm, runs in of_arm.items():
        right = percent([run["accuracy"] for run in runs])
        thresholds = ", ".join(f"{run['threshold of val']:g}" for run in runs)
        for name, title in (
            ("map", f"{TITLES[arm]}, threshold {THRESHOLD:g}"),
            ("map, threshold of val", f"{TITLES[arm]}, threshold of the validation windows ({thresholds})"),
        ):
            rows.append(f"| {title} | {right} | {' | '.join(cells(name, runs))} |")
    first = next(iter(of_arm.values()))[:1]
    for name in ("whole image", "center box"):
        shown = "center box of mean size" if name == "center box" else name
        rows.append(f"| {shown} | – | – | {' | '.join(cells(name, first)[1:])} |")
    return rows


def cells(name: str, runs: Sequence[dict[str, float]]) -> list[str]:
    names = ("top1", "gt_known", "max_box_acc", "max_box_acc_v2")
    return [percent([run[f"{name}: {figure}"] for run in runs]) for figure in names]


def costs(of_arm: dict[str, list[dict[str, float]]]) -> str:
    seconds = [run["seconds"] for runs in of_arm.values() for run in runs]
    return f"Processor time: {statistics.fmean(seconds) / 60:.1f} min for a training, {len(seconds)} trainings."
