"""What makes a comparison of runs doubtful: other data, other metrics, the same run twice, other versions."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lit_cnn.evaluation.run_groups import Grouping
from lit_cnn.evaluation.run_records import RunRecord

VERSIONED = ("lit-cnn", "torch")
"""Packages whose version may change what a run yields."""


def run_warnings(runs: Sequence[RunRecord], grouping: Grouping, metric: str) -> list[str]:
    """A sentence on each thing that differs but should not."""
    of_groups = [*_of_repeats(runs, grouping), *_of_within(grouping)]
    return [*_of_metric(runs, metric), *_of_data(runs), *of_groups, *_of_seeds(runs), *_of_machines(runs)]


def _of_metric(runs: Sequence[RunRecord], metric: str) -> Iterator[str]:
    others = sorted({run.monitor for run in runs} - {metric})
    if others:
        yield (
            f"{metric} is compared, but best.ckpt was chosen by {' and '.join(others)} in "
            f"{_share(runs, lambda run: run.monitor != metric)}"
        )


def _of_data(runs: Sequence[RunRecord]) -> Iterator[str]:
    unknown = [run for run in runs if run.data_set is None]
    if unknown:
        yield f"{_few(unknown)} record no data set (data.json), so that it is the same cannot be said"
    known = [run for run in runs if run.data_set is not None]
    facts = (
        ("classes", "the classes differ", lambda value: f"{len(value or [])} classes"),
        ("validation", "the validation images come from different places", str),
        ("images", "the numbers of images differ", _numbers),
    )
    for name, what, said in facts:
        values = [json.dumps((run.data_set or {}).get(name), sort_keys=True) for run in known]
        if len(set(values)) > 1:
            each = [
                f"{said(json.loads(value))} in {_few(_having(known, values, value))}" for value in dict.fromkeys(values)
            ]
            yield f"{what}, so the figures are not of the same images: {'; '.join(each)}"
            return


def _numbers(images: Any) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in (images or {}).items())


def _having(runs: Sequence[RunRecord], values: Sequence[str], value: str) -> list[RunRecord]:
    return [run for run, own in zip(runs, values, strict=True) if own == value]


def _of_repeats(runs: Sequence[RunRecord], grouping: Grouping) -> Iterator[str]:
    if grouping.paired != grouping.within:
        return
    counts = Counter(zip(grouping.labels, grouping.blocks, strict=True))
    for key, count in counts.items():
        if count > 1:
            same = [run for run, *own in zip(runs, grouping.labels, grouping.blocks, strict=True) if tuple(own) == key]
            yield f"{_few(same)} have the same settings and seed, so they count once, by their mean"


def _of_within(grouping: Grouping) -> Iterator[str]:
    if grouping.within:
        more = f" and {len(grouping.within) - 8} more" if len(grouping.within) > 8 else ""
        how = (
            f"runs are paired by the seed and {', '.join(grouping.paired)}"
            if grouping.paired
            else "a group's runs of one seed count once, by their mean"
        )
        yield f"within groups there are different values of {', '.join(grouping.within[:8])}{more}; {how}"


def _of_seeds(runs: Sequence[RunRecord]) -> Iterator[str]:
    unknown = [run for run in runs if run.seed is None]
    if unknown:
        yield f"{_few(unknown)} record no seed, so they count as one"


def _of_machines(runs: Sequence[RunRecord]) -> Iterator[str]:
    known = [run.environment for run in runs if run.environment is not None]
    for package in VERSIONED:
        versions = sorted({str((environment.get("packages") or {}).get(package)) for environment in known})
        if len(versions) > 1:
            yield f"the runs were made with {package} {' and '.join(versions)}"
    if len({json.dumps(environment.get("machine"), sort_keys=True) for environment in known}) > 1:
        yield "the runs were made on different machines, so their times cannot be compared"


def _share(runs: Sequence[RunRecord], wanted: Callable[[RunRecord], bool]) -> str:
    count = sum(map(wanted, runs))
    return "all runs" if count == len(runs) else f"{count} of {len(runs)} runs"


def _few(runs: Sequence[RunRecord]) -> str:
    """The folders of some runs, those beyond three counted."""
    named = ", ".join(str(run.folder) for run in runs[:3])
    return named + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")
