"""The sections of a page on what a network costs, on what it was trained, where, and how it is repeated."""

import shlex
from typing import Any

import yaml

from lit_cnn.data.sources.wording import counted
from lit_cnn.data.summary import SPLITS
from lit_cnn.handover.facts import Latency, RunReport, Wanted
from lit_cnn.profiling.counting import KINDS, NetworkCount
from lit_cnn.reports.budget import KIND_STYLE
from lit_cnn.reports.html_page import Block, Code, HtmlTable, Section, Text

CLASSES_NAMED = 1000
"""Classes that the table of the data names."""


def network_section(report: RunReport) -> Section:
    """Where parameters and multiply-adds sit, and how long one image takes here."""
    blocks: list[Block] = []
    if report.count is not None:
        blocks += [_stages(report.count), _kinds(report.count)]
    if report.latency is not None:
        blocks.append(_latency(report.latency))
    cost = report.files.cost
    if cost.seconds is not None and cost.images_per_second is not None:
        took = f"{cost.seconds:,.0f} s at {cost.images_per_second:,.0f} images per second"
        blocks.append(Text(f"Training took {took} on its machine, without validation and start."))
    return Section("Network", blocks or [Text("Nothing of the network is known.", warning=True)])


def _stages(count: NetworkCount) -> HtmlTable:
    rows, params, madds = [], [], []
    for stage in count.stages:
        params.append(stage.params / max(count.params, 1))
        madds.append(stage.madds / max(count.madds, 1))
        shape = " × ".join(map(str, stage.shape)) or "–"
        rows.append([stage.name, shape, f"{stage.params:,}", _share(params[-1]), f"{stage.madds:,}", _share(madds[-1])])
    rows.append(["total", "", f"{count.params:,}", "", f"{count.madds:,}", ""])
    columns = ("stage", "output", "parameters", "share", "multiply-adds", "share of these")
    caption = f"{count.name}, one image of {count.image_size} px"
    return HtmlTable(caption, columns, rows, bars={3: [*params, 0.0], 5: [*madds, 0.0]})


def _kinds(count: NetworkCount) -> HtmlTable:
    totals = {figure: dict.fromkeys(KINDS, 0) for figure in ("params", "madds")}
    for layer in count.layers:
        totals["params"][layer.kind] += layer.params
        totals["madds"][layer.kind] += layer.madds
    rows = [
        [KIND_STYLE[kind][1], f"{totals['params'][kind]:,}", f"{totals['madds'][kind]:,}"]
        for kind in KINDS
        if totals["params"][kind] or totals["madds"][kind]
    ]
    return HtmlTable("by kind of layer", ("layers", "parameters", "multiply-adds"), rows)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _latency(latency: Latency) -> HtmlTable:
    rows = [
        ["median time of one image", f"{latency.milliseconds:.2f} ms"],
        ["measured", f"batch of 1 at {latency.image_size} px, float32, without decoding the image"],
        ["on", f"{latency.device}, {counted(latency.threads, 'thread')}"],
    ]
    if latency.busy is not None:
        rows.append(["load average before", f"{latency.busy:.1f}"])
    return HtmlTable("latency on the machine of this page", (), rows, words=(0, 1))


def data_section(report: RunReport) -> Section:
    """What was trained on, and how images become the network's input."""
    data = report.files.data
    rows = [["source", str(data.get("source", "–"))], ["path", str(data.get("path", "–"))]]
    for split, number in data.get("images", {}).items():
        origin = f" ({data.get('validation')})" if split == "val" else ""
        rows.append([f"{SPLITS.get(split, split)} images", f"{number:,}{origin}"])
    names = list(data.get("classes", report.class_names))
    rows.append([f"{len(names)} classes", ", ".join(names[:CLASSES_NAMED])])
    rows += [["left out", f"{counted(number, 'file')}: {why}"] for why, number in data.get("left_out", {}).items()]
    rows += [["note", note] for note in data.get("notes", [])]
    tables: list[Block] = [HtmlTable("data", (), rows, words=(0, 1))]
    if report.preprocessing:
        steps = [[name.replace("_", " "), _words(value)] for name, value in report.preprocessing.items()]
        tables.append(HtmlTable("preprocessing of each image", (), steps, words=(0, 1)))
    return Section("Data", tables)


def _words(value: Any) -> str:
    return ", ".join(map(_words, value)) if isinstance(value, list) else "none" if value is None else str(value)


def environment_section(report: RunReport) -> Section:
    """Versions, machine and state of the code."""
    stored = report.files.environment
    if not stored:
        return Section("Environment", [Text("The environment of the run is not recorded.", warning=True)])
    rows = [["python", str(stored.get("python", "–"))]]
    rows += [[name, str(version)] for name, version in stored.get("packages", {}).items()]
    rows += [[name, str(value)] for name, value in stored.get("machine", {}).items()]
    if git := stored.get("git"):
        rows.append(["git commit", f"{git.get('commit')}{', with changes' if git.get('dirty') else ''}"])
    if stored.get("slurm_job"):
        rows.append(["SLURM job", str(stored["slurm_job"])])
    rows.append(["precision", str(report.files.recipe.get("trainer", {}).get("precision"))])
    return Section("Environment", [HtmlTable("where the run was made", (), rows, words=(0, 1))])


def _network_flags(wanted: Wanted) -> str:
    """The flags with which a command builds the network and takes the weights that the page is about."""
    words = [word for class_path in wanted.trust for word in ("--trust", class_path)]
    words += [] if wanted.weights == "ema" else ["--weights", wanted.weights]
    return "".join(f" {shlex.quote(word)}" for word in words)


def repeat_section(report: RunReport) -> Section:
    """The commands, the resolved recipe and the files."""
    files = report.files
    folder = shlex.quote(str(files.folder))
    started = files.environment.get("command")
    lines = ["# as it was started", started] if started else []
    lines += ["# with every value as it was, whatever the defaults are by then"]
    lines += [f"lit-cnn fit --config {shlex.quote(str(files.folder / 'config.yaml'))}"]
    if report.checkpoint is not None:
        split = report.results.split if report.results is not None else "val"
        command, network = "test" if split == "test" else "validate", _network_flags(report.wanted)
        data = "" if report.wanted.data is None else f" --data {shlex.quote(report.wanted.data)}"
        lines += ["# its figures", f"lit-cnn {command} {folder} --per-class{data}{network}"]
        lines += ["# its answers", f"lit-cnn predict {folder} IMAGES…{network}"]
    recipe = yaml.safe_dump(files.recipe, sort_keys=False, allow_unicode=True)
    blocks: list[Block] = [Code("\n".join(lines)), Code(recipe, "the resolved recipe (config.yaml)", folded=True)]
    if report.stored:
        rows = [[each.name, f"{each.size / 1e6:,.2f} MB", each.sha256] for each in report.stored]
        blocks.append(
            HtmlTable("files in the run folder", ("file", "size", "sha256, first digits"), rows, words=(0, 2))
        )
    return Section("To repeat it", blocks)
