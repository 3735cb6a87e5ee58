"""The part of ``lit-cnn compare`` that compares runs: groups, differences and curves."""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_cnn.cli.console import as_json, number, progress, say
from lit_cnn.cli.tables import Column, Table, print_tables

if TYPE_CHECKING:
    from lit_cnn.evaluation.run_comparison import Comparison, Group, Spread
    from lit_cnn.evaluation.run_differences import Difference

MEASURING = ("data", "split", "real", "no_speed", "trust", "wandb")
"""Options of networks: with one of them a run folder means its best checkpoint."""
OF_RUNS = ("by", "metric", "value", "unfinished", "latex")
"""Options of runs."""
PAIRS = 10
"""Differences that the table shows; of more, those from the best group."""


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", action="append", default=[], metavar="KEY",
                        help="group runs by this recipe key or section, and not by all that differ")  # fmt: skip
    parser.add_argument("--metric", help="of runs: a column of metrics.csv (default: the recipes' monitor)")
    parser.add_argument("--value", choices=("best", "last"), help="of runs: which validation differences are of (best)")
    parser.add_argument("--unfinished", action="store_true", help="count runs that have not ended")


def means_runs(options: argparse.Namespace, parser: argparse.ArgumentParser) -> bool:
    """Whether the names are those of runs.

    Raises:
        ValueError: If only some are, or an option is of the other kind.
    """
    from lit_cnn.evaluation import run_records

    stated = [name for name in vars(options) if getattr(options, name) != parser.get_default(name)]
    measuring, of_runs = ([name for name in stated if name in known] for known in (MEASURING, OF_RUNS))
    if measuring and of_runs:
        raise ValueError(
            f"{_flag(of_runs[0])} compares runs by what they recorded, and {_flag(measuring[0])} measures networks: "
            "leave out one of them"
        )
    runs = [] if measuring else [name for name in options.names if run_records.means_runs(name)]
    others = [name for name in options.names if name not in runs]
    missing = next((name for name in others if runs and _missing(name)), None)
    if missing:
        kinds = "run" if "/" in missing else "run or network"
        raise ValueError(
            f"there is no {kinds} {missing}: name run folders, folders of runs, or patterns such as 'runs/*/*'"
        )
    if runs and others:
        raise ValueError(
            f"networks and runs are not mixed: {runs[0]} is of runs and {others[0]} is not; name runs alone, or "
            "measure their best checkpoints on the same images with --data PATH"
        )
    if of_runs and others:
        raise ValueError(f"{_flag(of_runs[0])} compares runs, but {others[0]} is not a run: name run folders")
    return bool(runs)


def _missing(name: str) -> bool:
    """Whether a name is neither that of a file nor of a network."""
    from lit_cnn.architectures.catalog import list_models
    from lit_cnn.pretrained.sources import is_published_spec

    if Path(name).expanduser().exists() or is_published_spec(name):
        return False
    return "/" in name or name.partition("@")[0] not in list_models()


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def run_comparison(options: argparse.Namespace) -> int:
    """Compare the runs, print the tables, and write what was asked for."""
    from lit_cnn.evaluation.run_comparison import Settings, compare_runs
    from lit_cnn.evaluation.run_records import find_runs, read_run

    settings = Settings(options.by, options.metric, options.value or "best", options.unfinished)
    folders, records = find_runs(options.names), []
    with progress("reading runs", len(folders)) as advance:
        for folder in folders:
            records.append(read_run(folder))
            advance(1)
    compared = compare_runs(records, settings)
    if options.json:
        print(as_json(compared.as_dict()))
    elif options.latex:
        from lit_cnn.cli.latex import latex

        say("% \\usepackage{booktabs}\n" + "\n\n".join(map(latex, tables_of(compared))))
    else:
        print_tables(tables_of(compared), in_markdown=options.markdown)
    if options.out is not None:
        options.out.write_text(as_csv(compared), encoding="utf-8", errors="surrogateescape")
    if options.plot is not None:
        draw(compared, options)
        say(f"picture: {options.plot}", stderr=options.json or options.markdown or options.latex)
    return 0


def tables_of(compared: Comparison) -> list[Table]:
    """The groups, and what is between them where there are several."""
    letters = dict(zip((group.label for group in compared.groups), _letters(), strict=False))
    tables = [groups_table(compared, letters)]
    if compared.differences:
        tables.append(differences_table(compared, letters))
    tables[-1].notes = [*tables[-1].notes, *_left_out(compared), *(f"warning: {text}" for text in compared.warnings)]
    return tables


def _letters() -> itertools.chain[str]:
    """A to Z, AA to ZZ, …"""
    sizes = itertools.count(1)
    return itertools.chain.from_iterable(
        map("".join, itertools.product(string.ascii_uppercase, repeat=size)) for size in sizes
    )


def groups_table(compared: Comparison, letters: dict[str, str]) -> Table:
    """Best and last value over seeds, and what they cost."""
    unit = "" if _is_loss(compared.metric) else " (%)"
    over = "runs" if compared.grouping.paired else "seeds"
    columns = [
        *(Column("group", "name"), Column(over), Column(f"best{unit}"), Column(f"last{unit}")),
        *(Column("at epoch", rank=6), Column("epochs", rank=4), Column("seconds", rank=1), Column("images/s", rank=2)),
        *(Column("M params", rank=3), Column("M madds", rank=5)),
    ]
    count = len(compared.runs)
    title = f"{compared.metric} of {count} runs: mean ± standard deviation over {over}"
    rows = [_group_cells(group, letters[group.label], compared.metric) for group in compared.groups]
    return Table(columns, rows, title=title, notes=_same_keys(compared))


def _group_cells(group: Group, letter: str, metric: str) -> list[str]:
    epochs = [f"{value:.1f}".removesuffix(".0") for value in (group.best_epoch, group.epochs)]
    sizes = ["–" if value is None else f"{value / 1e6:,.2f}" for value in (group.params, group.madds)]
    values = [_spread(group.best, metric), _spread(group.last, metric)]
    costs = [number(group.seconds), number(group.images_per_second)]
    return [f"{letter}  {group.label}", str(group.best.n), *values, *epochs, *costs, *sizes]


def _spread(spread: Spread, metric: str) -> str:
    text = _value(spread.mean, metric)
    return text if spread.sd is None else f"{text} ± {_value(spread.sd, metric)}"


def _value(value: float, metric: str, sign: str = "") -> str:
    shown = format(value, f"{sign}.4f") if _is_loss(metric) else format(100 * value, f"{sign}.2f")
    return shown.replace("-", "−")


def _is_loss(metric: str) -> bool:
    return "loss" in metric


def _same_keys(compared: Comparison) -> list[str]:
    """Which keys differ together, where the labels do not name all of them."""
    keys, named = compared.grouping.keys, compared.grouping.named
    unnamed = [key for key in keys if key not in named]
    if not keys:
        return ["no key of the recipes differs but the seed"]
    more = f" and {len(unnamed) - 8} more" if len(unnamed) > 8 else ""
    return [f"these keys differ between the groups, too: {', '.join(unnamed[:8])}{more}"] if unnamed else []


def differences_table(compared: Comparison, letters: dict[str, str]) -> Table:
    """The differences of every two groups, or of the best and the others where there are many."""
    shown = compared.differences
    if len(shown) > PAIRS:
        shown = tuple(found for found in shown if found.first == compared.groups[0].label)
    several = len(compared.differences) > 1
    unit = "" if _is_loss(compared.metric) else " (points)"
    columns = [
        *(Column("groups", "name"), Column("pairs"), Column(f"difference{unit}"), Column("95 % interval")),
        *(Column("p", rank=1), *([Column("p (Holm)")] if several else [])),
        *(Column("decided", "name"), Column("seeds to decide")),
    ]
    rows = [_difference_cells(found, compared.metric, letters, several) for found in shown]
    notes = []
    if several:
        notes = [
            f"{len(compared.differences)} comparisons: decided is p by Holm below 0.05, intervals are of each alone"
        ]
    if len(shown) < len(compared.differences):
        notes.append(f"those with {letters[compared.groups[0].label]} are shown, --json has all")
    alone = sum(found.interval is None for found in compared.differences)
    if alone:
        notes.append(f"{alone} of them share fewer than 2 seeds: an interval needs 2, train more seeds of both")
    title = f"differences of the {compared.value} {compared.metric}, seed by seed"
    return Table(columns, rows, title=title, notes=notes)


def _difference_cells(found: Difference, metric: str, letters: dict[str, str], several: bool) -> list[str]:
    ends = found.interval
    interval = "–" if ends is None else f"{_value(ends.low, metric, '+')} to {_value(ends.high, metric, '+')}"
    mean = "–" if found.mean is None else _value(found.mean, metric, "+")
    decided = "–" if found.interval is None else "yes" if found.decided else "no"
    needed = "–" if found.deciding_n is None else f"{found.deciding_n:,}"
    names = f"{letters[found.first]} − {letters[found.second]}"
    adjusted = [_p_value(found.p_holm)] if several else []
    return [names, str(found.pairs), mean, interval, _p_value(found.p), *adjusted, decided, needed]


def _p_value(p: float | None) -> str:
    return "–" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _left_out(compared: Comparison) -> list[str]:
    if not compared.left_out:
        return []
    total = len(compared.left_out) + len(compared.runs)
    each = "".join(f"\n  {run}: {why}" for run, why in compared.left_out.items())
    return [f"left out, {len(compared.left_out)} of {total} runs:{each}"]


def as_csv(compared: Comparison) -> str:
    """A line per run, with the keys by which runs are grouped."""
    from lit_cnn.evaluation.run_comparison import run_row

    settings = compared.grouping.settings
    rows: list[dict[str, Any]] = [{**run_row(run), **settings[run.group]} for run in compared.runs]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def draw(compared: Comparison, options: argparse.Namespace) -> None:
    from lit_cnn.reports.run_curves import RunCurves, draw_run_curves

    curves = [RunCurves(run.group, run.run.rows) for run in compared.runs]
    title = f"{compared.metric} of {len(curves)} runs (thin: each run, thick: mean of its group)"
    draw_run_curves(curves, options.plot, title=title, metric=compared.metric)
