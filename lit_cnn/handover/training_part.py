"""The sections of a page on how a run was trained: what it is, what it changed, its curves, runs next to each other."""

from collections.abc import Sequence

from lit_cnn.experiment.changes import short_key
from lit_cnn.experiment.files import value_text
from lit_cnn.experiment.identity import leaves
from lit_cnn.handover.facts import RunReport
from lit_cnn.handover.run_files import RunFiles
from lit_cnn.handover.seeds import SEED, SeedGroup, differing_keys, seed_groups, settings_of
from lit_cnn.reports.curves import curve_panels, thinned
from lit_cnn.reports.html_page import Block, Figure, HtmlTable, Section, Text
from lit_cnn.reports.inline_svg import inline_svg
from lit_cnn.training.monitor import metric_text

ABOUT = {
    "paper": "paper",
    "source": "values from",
    "metric": "metric",
    "value": "paper's value, %",
    "epochs": "paper's epochs",
    "hardware": "paper's hardware",
    "deviations": "deviations",
}
"""Field of a recipe's ``about`` -> what the page calls it."""
EPOCHS_SHOWN = 60
"""Rows of the table of epochs."""


def trained_section(report: RunReport) -> Section:
    """What was trained, and what differs from the recipe that was named."""
    files = report.files
    about = files.recipe.get("about") or {}
    rows = [[words, _plain(about[name])] for name, words in ABOUT.items() if about.get(name) not in (None, "")]
    rows = [["recipe", about.get("title") or files.folder.resolve().parent.name], *rows]
    rows.append(["network", report.network])
    rows += [["first weights", report.initial]] if report.initial else []
    if files.extends:
        rows.append(["goes on from", f"{files.extends.get('run')}, after {files.extends.get('epochs')} epochs"])
    return Section("What was trained", [HtmlTable("the run", (), rows, words=(0, 1)), *_changes(files)])


def _changes(files: RunFiles) -> list[Block]:
    if not files.environment:
        return [Text("What the run changed of its recipe is not recorded.", warning=True)]
    if not files.changed:
        return [Text("The run changed nothing of its recipe that affects what training yields.")]
    rows = [[key, value_text(change.old), value_text(change.new)] for key, change in files.changed.items()]
    columns = ("key", "in the recipe", "in this run")
    return [HtmlTable("what differs from the recipe", columns, rows, words=(0, 1, 2))]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else value_text(value)


def curves_section(files: RunFiles) -> Section:
    """Loss, top-1 and learning rate, and the figures of the epochs."""
    if not files.metrics:
        return Section("Training curves", [Text("No step was logged.", warning=True)])
    pictures = [
        inline_svg(figure, f"curve-{number}", f"{name} over the epochs", "The table below has the figures.")
        for number, (name, figure) in enumerate(curve_panels(files.metrics).items())
    ]
    best = files.best
    caption = f"Curves of {files.title}."
    if best:
        caption += f" Best {files.monitor}: {metric_text(files.monitor, best[files.monitor])}, epoch {_epoch(best)}."
    return Section("Training curves", [Figure(caption, pictures, epochs_table(files))])


def _epoch(row: dict[str, float]) -> str:
    return f"{row.get('epoch', 0) + 1:g}"


def epochs_table(files: RunFiles) -> HtmlTable:
    """The figures at the end of each epoch, or of every n-th of many, with the best and the last."""
    best = files.best
    ends = [row for row in files.metrics if any(_is_figure(name) for name in row)]
    shown = thinned(ends, EPOCHS_SHOWN)
    if best and best not in shown:
        shown = sorted([*shown, best], key=lambda row: row["step"])
    names = list(dict.fromkeys(name for row in ends for name in row if _is_figure(name)))
    rows = [
        [
            f"{_epoch(row)} (best)" if row is best else _epoch(row),
            *(_figure_text(name, row[name]) if name in row else "–" for name in names),
        ]
        for row in shown
    ]
    left_out = f", {len(shown)} of {len(ends)}" if len(shown) < len(ends) else ""
    return HtmlTable(f"figures of the epochs{left_out}", ("epoch", *names), rows, folded=True)


def _is_figure(name: str) -> bool:
    return name.startswith(("train/", "val/")) and name != "train/loss_step"


def _figure_text(name: str, value: float) -> str:
    return metric_text(name, value) if "loss" in name or "acc" in name else f"{value:.4g}"


def compared_section(runs: Sequence[RunFiles], shown: RunFiles) -> Section:
    """Several runs: their settings and scores, and the mean of each setting over its seeds."""
    keys = differing_keys(runs)
    rows = [_run_row(run, keys) for run in runs]
    monitor = shown.monitor
    columns = ("run", *(short_key(key, keys) for key in keys), "seed", f"best {monitor}", "epoch", "last", "epochs")
    words = (0, *range(1, len(keys) + 1))
    blocks: list[Block] = [HtmlTable(f"{len(runs)} runs", columns, rows, words=words)]
    try:
        blocks.append(_groups_table(seed_groups(runs), monitor))
    except ValueError as error:
        blocks.append(Text(f"{error}.", warning=True))
    blocks.append(Text(f"All that follows is of {run_name(shown)}, the run with the best {monitor}."))
    return Section("Runs", blocks)


def run_name(files: RunFiles) -> str:
    """``recipe/TIME-ID``."""
    folder = files.folder.resolve()
    return f"{folder.parent.name}/{folder.name}"


def _run_row(run: RunFiles, keys: Sequence[str]) -> list[str]:
    best, last, monitor = run.best, run.last, run.monitor
    values = dict(leaves("", run.recipe))
    scores = [metric_text(monitor, row[monitor]) if row else "–" for row in (best, last)]
    ends = [_epoch(row) if row else "–" for row in (best, last)]
    settings = [settings_of(run, [key]).partition("=")[2] for key in keys]
    return [run_name(run), *settings, value_text(values.get(SEED)), scores[0], ends[0], scores[1], ends[1]]


def _groups_table(groups: Sequence[SeedGroup], monitor: str) -> HtmlTable:
    """Mean ± standard deviation, and the t interval of the mean."""
    rows = []
    for group in groups:
        sd, interval = group.sd, group.interval
        mean = metric_text(monitor, group.mean)
        spread = f"{mean} ± {metric_text(monitor, sd)}" if sd is not None else mean
        within = " to ".join(metric_text(monitor, end) for end in interval) if interval else "–"
        rows.append([group.settings or "all runs", str(len(group.scores)), spread, within])
    columns = ("settings", "runs", f"best {monitor}, mean ± sd", "95 % t interval of the mean")
    return HtmlTable("seeds of equal settings", columns, rows)
