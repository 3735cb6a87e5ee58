"""The sections of a page on how a run was trained: what it is, what it changed, its curves."""

from lit_cnn.experiment.files import value_text
from lit_cnn.handover.facts import RunReport
from lit_cnn.handover.run_files import RunFiles
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
    stated = [[words, _plain(about[name])] for name, words in ABOUT.items() if about.get(name) not in (None, "")]
    recipe = files.folder.resolve().parent.name
    rows = [["what", files.title], ["recipe", recipe], ["network", report.network], *stated]
    if measured := about.get("measured"):
        rows.append(["recipe's own result", f"{measured['value']} %, {measured['machine']}, {measured['date']}"])
    rows += [["first weights", report.initial]] if report.initial else []
    if files.extends:
        rows.append(["goes on from", f"{files.extends.get('run')}, after {files.extends.get('epochs')} epochs"])
    return Section("What was trained", [HtmlTable("the run", (), rows, words=(0, 1)), *_changes(files)])


def _changes(files: RunFiles) -> list[Block]:
    if "changed" not in files.environment:
        return [Text("What the run changed of its recipe is not recorded.", warning=True)]
    if not files.changed:
        return [Text("The run changed nothing of its recipe that affects what training yields.")]
    rows = [[key, value_text(change.old), value_text(change.new)] for key, change in files.changed.items()]
    columns = ("key", "in the recipe", "in this run")
    return [HtmlTable("what differs from the recipe", columns, rows, words=(0, 1, 2))]


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else value_text(value)


def curves_section(files: RunFiles) -> Section:
    """Loss, top-1 and learning rate, and the figures of the epochs."""
    if not files.record.rows:
        return Section("Training curves", [Text("No step was logged.", warning=True)])
    pictures = [
        inline_svg(figure, f"curve-{number}", f"{name} over the epochs", "The table below has the figures.")
        for number, (name, figure) in enumerate(curve_panels(files.record.rows).items())
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
    ends = [row for row in files.record.rows if any(_is_figure(name) for name in row)]
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
