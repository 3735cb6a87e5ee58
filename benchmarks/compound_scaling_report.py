"""The runs of compound_scaling.py, their paired differences, and the page and the picture of them."""

import csv
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from lit_cnn.evaluation.paired import t_quantile, t_share_below
from lit_cnn.reports.scaling import BASE, ScaledPoint, draw_scaling
from lit_cnn.search.scaling.rules import RULES

TRAINED, EVALUATED = 5_000, 5_000
FIGURES = {"accuracy": "accuracy on 5,000 images (%)", "nll": "cross-entropy on 5,000 images"}
"""Column -> axis of the picture; a small cross-entropy is good."""


@dataclass(frozen=True)
class Line:
    """One run.

    Args:
        arm: The rule, or "base".
        budget: Wanted multiple of the base's multiply-adds.
        madds: Multiply-adds of one image.
        params: Parameters.
        px: Height and width of the images.
        width: Channels of the first stage; the others have 2 and 4 times as many, except for rounding.
        depth: Blocks of each stage.
        seed: Of the run.
        epochs: Trained.
        images: Trained on.
        accuracy: On the other images, from 0 to 1, after the last epoch.
        nll: Their mean cross-entropy.
        seconds: Of the whole run, on a machine that others use.
    """

    arm: str
    budget: int
    madds: int
    params: int
    px: int
    width: int
    depth: int
    seed: int
    epochs: int
    images: int
    accuracy: float
    nll: float
    seconds: float


def read(path: Path) -> list[Line]:
    """The runs so far."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [Line(*(field.type(row[field.name]) for field in fields(Line))) for row in csv.DictReader(file)]


@dataclass(frozen=True)
class Difference:
    """The compound arm minus another, seed by seed, so that above 0 is good for compound.

    Args:
        arm: The other.
        budget: Of both.
        figure: accuracy in points, or nll with its sign changed.
        values: One for each seed.
    """

    arm: str
    budget: int
    figure: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def sd(self) -> float:
        return statistics.stdev(self.values)

    @property
    def half_width(self) -> float:
        """Of the 95 % t interval of the mean."""
        count = len(self.values)
        return t_quantile(0.975, count - 1) * self.sd / math.sqrt(count)

    @property
    def p(self) -> float:
        """Two-sided, of a paired t test."""
        count = len(self.values)
        return 2 * (1 - t_share_below(abs(self.mean) / max(self.sd / math.sqrt(count), 1e-12), count - 1))

    @property
    def seeds_needed(self) -> int:
        """At which a difference of this size would be found with 80 % power."""
        return math.ceil((2.8 * self.sd / max(abs(self.mean), 1e-12)) ** 2) + 2


def differences(lines: Sequence[Line], figure: str, budget: int) -> list[Difference]:
    """Compound against every other arm, over the seeds that both have."""
    sign = 100 if figure == "accuracy" else -1
    of = {(line.arm, line.seed): sign * getattr(line, figure) for line in lines if line.budget == budget}
    found = []
    for other in RULES:
        seeds = [seed for name, seed in of if name == other and ("compound", seed) in of]
        if other != "compound" and len(seeds) >= 2:
            values = tuple(of["compound", seed] - of[other, seed] for seed in seeds)
            found.append(Difference(other, budget, figure, values))
    return found


def verdicts(found: Sequence[Difference]) -> dict[str, str]:
    """Arm -> better, worse or not decided at 5 % over all comparisons together (Holm)."""
    said, decided = {}, True
    for place, each in enumerate(sorted(found, key=lambda each: each.p)):
        decided = decided and each.p * (len(found) - place) < 0.05
        said[each.arm] = ("better" if each.mean > 0 else "worse") if decided else "not decided"
    return said


def report(lines: Sequence[Line], out: Path) -> None:
    """Write the page and the picture next to the file of the runs, ``out``."""
    lines = [line for line in lines if line.epochs == lines[0].epochs]
    groups: dict[tuple[str, int], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.arm, line.budget), []).append(line)
    panels = {
        label: [ScaledPoint(arm, group[0].madds, tuple((100 if figure == "accuracy" else 1) * getattr(line, figure)
                                                       for line in group)) for (arm, _), group in groups.items()]
        for figure, label in FIGURES.items()
    }  # fmt: skip
    title = f"ResNet-20 of width 8, CIFAR-10, {TRAINED:,} images, {lines[0].epochs} epochs"
    draw_scaling(panels, title, out.with_suffix(".png"))
    page = [INTRODUCTION.format(epochs=lines[0].epochs, runs=len(lines)), *arms_table(groups)]
    page += [COMPARED, *differences_table(lines), "", *conclusion(lines)]
    out.with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")


INTRODUCTION = """# Scaling one small network by depth, width, resolution, or all three

```
LIT_CNN_DATA=... OMP_NUM_THREADS=1 python benchmarks/compound_scaling.py
python benchmarks/compound_scaling.py --report
```

2 cores of an AMD EPYC with AVX-512 BF16, torch 2.14.1, Python 3.11, one thread in float32, 2026-11-29; other programs
ran at the same time, so the seconds in [the runs](compound_scaling.csv) are not the networks' speed. {runs} runs.

![Accuracy and cross-entropy over multiply-adds](compound_scaling.png)

The base is the CIFAR ResNet-20 with widths 8, 16 and 32 at 16 px; `lit-cnn scale` finds what each rule makes of it at 2
and 4 times its multiply-adds. Trained on 5,000 images of CIFAR-10 for {epochs} epochs of 78 steps, evaluated on 5,000
others after the last; SGD at 0.05 for 64 images, cosine with a warm-up of one epoch, decay 5e-4, padded crops and
flips. Nothing is tuned for an arm. ± is the standard deviation over the seeds.

| arm | budget | multiply-adds | parameters | px | width | blocks | accuracy (%) | cross-entropy | seeds |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""
RESOLUTION = """\
- CIFAR-10's images have 32 px and were shrunk to 16 for the base. More pixels bring back what was taken away, which no
  other arm can: the lead of resolution alone says little of images that are trained on at their full size."""
SCALE = """\
- All arms had the same epochs and rates. Deeper networks learn more slowly at first, so that a short training favors
  the others; the paper's networks were trained for 350 epochs of ImageNet."""
COMPARED = """
## Compound minus each other arm

Paired by seed, above 0 is better for compound (the cross-entropy's sign is changed), with 95 % t intervals. A verdict
holds at 5 % over the comparisons of its budget and figure together (Holm). Seeds: how many would find a difference of
this size with 80 % power if it were the only comparison; Holm asks for more.

| against | budget | figure | difference | verdict | seeds |
|---|---:|---|---:|---|---:|"""


def arms_table(groups: dict[tuple[str, int], list[Line]]) -> Iterator[str]:
    base = groups[BASE, 1][0].madds
    for (arm, budget), group in groups.items():
        first = group[0]
        cells = [arm, f"{budget} ×", f"{first.madds / 1e6:.2f} M ({first.madds / base:.2f} ×)", f"{first.params:,}"]
        cells += [f"{first.px}", f"{first.width}", f"{first.depth}"]
        cells.append(spread([100 * line.accuracy for line in group], 1))
        cells += [spread([line.nll for line in group], 3), f"{len(group)}"]
        yield f"| {' | '.join(cells)} |"


def spread(values: Sequence[float], digits: int) -> str:
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{deviation}"


def differences_table(lines: Sequence[Line]) -> Iterator[str]:
    for budget in sorted({line.budget for line in lines if line.arm != BASE}):
        for figure in FIGURES:
            found, digits = differences(lines, figure, budget), 1 if figure == "accuracy" else 3
            said = verdicts(found)
            for each in found:
                low, high = each.mean - each.half_width, each.mean + each.half_width
                interval = f"{each.mean:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"
                cells = [each.arm, f"{budget} ×", figure, interval, said[each.arm], f"{each.seeds_needed}"]
                yield f"| {' | '.join(cells)} |"


def conclusion(lines: Sequence[Line]) -> Iterator[str]:
    """What the verdicts come to, and what they do not say."""
    yield "## What it comes to"
    yield ""
    leads, budgets = 0, sorted({line.budget for line in lines if line.arm != BASE})
    for budget in budgets:
        means = {rule: [line.accuracy for line in lines if (line.arm, line.budget) == (rule, budget)] for rule in RULES}
        order = sorted((rule for rule in RULES if means[rule]), key=lambda rule: -statistics.fmean(means[rule]))
        if order[0] == "resolution":
            leads += 1
        yield f"- Accuracy at {budget} ×, best mean first: {', '.join(order)}."
        for figure in FIGURES:
            said = verdicts(differences(lines, figure, budget))
            parts = [f"{word} {', '.join(arms)}" for word, arms in grouped(said) if arms]
            yield f"- Compound at {budget} ×, by {figure}: {'; '.join(parts) or 'one seed only'}."
    if leads:
        yield RESOLUTION
    yield SCALE


def grouped(said: dict[str, str]) -> list[tuple[str, list[str]]]:
    words = {"better": "better than", "worse": "worse than", "not decided": "not decided against"}
    return [(words[word], [arm for arm, verdict in said.items() if verdict == word]) for word in words]
