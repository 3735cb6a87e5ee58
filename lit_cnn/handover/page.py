"""The page of a run, or of several: from facts to sections, small enough to be sent."""

from dataclasses import replace

from lit_cnn.data.summary import SPLITS
from lit_cnn.evaluation.run_comparison import Comparison
from lit_cnn.handover.facts import RunReport
from lit_cnn.handover.network_part import data_section, environment_section, network_section, repeat_section
from lit_cnn.handover.results import WORST
from lit_cnn.handover.results_part import between, percent, results_sections
from lit_cnn.handover.runs_part import compared_section
from lit_cnn.handover.training_part import curves_section, trained_section
from lit_cnn.reports.html_page import Block, HtmlTable, Images, Page, Section, Text, render
from lit_cnn.training.monitor import metric_text

LARGEST = 2_000_000
"""Bytes that a page has at most; images are left out to keep to it."""


def report_html(report: RunReport, comparison: Comparison | None, made: str) -> str:
    """The page, with as many images as it has room for.

    Args:
        report: The run that is shown in full.
        comparison: Of all runs that were named, this one among them; None of one run.
        made: By what and when, for the line below the title.

    Raises:
        ValueError: If it is too large even without images.
    """
    page = report_page(report, comparison, made)
    for shown in (WORST, WORST // 2, WORST // 4, 0):
        html = render(with_images(page, shown))
        if len(html.encode()) < LARGEST:
            return html
    size = f"{len(html.encode()) / 1e6:.1f} MB"
    raise ValueError(f"the page has {size} without images, and at most 2 can be sent around: name fewer runs")


def with_images(page: Page, most: int) -> Page:
    """The page with at most so many images in each place, which says so where some are left out."""
    sections = []
    for section in page.sections:
        blocks = [_with_images(block, most) if isinstance(block, Images) else block for block in section.blocks]
        sections.append(replace(section, blocks=blocks))
    return replace(page, sections=sections)


def _with_images(block: Images, most: int) -> Block:
    count = len(block.images)
    if count <= most:
        return block
    left_out = f"{count - most} of {count} images are left out, since the page would be too large."
    if not most:
        return Text(left_out)
    return replace(block, images=block.images[:most], caption=f"{block.caption} {left_out}")


def report_page(report: RunReport, comparison: Comparison | None, made: str) -> Page:
    """The sections in the order in which a reader asks for them.

    Args:
        report: The run that is shown in full.
        comparison: Of all runs that were named.
        made: By what and when.
    """
    files = report.files
    sections = [
        _summary(report),
        *([compared_section(comparison, files)] if comparison is not None else []),
        trained_section(report),
        curves_section(files),
        *results_sections(report),
        network_section(report),
        data_section(report),
        environment_section(report),
        repeat_section(report),
    ]
    return Page(files.title, f"Run {files.name}; {made}.", sections)


def _summary(report: RunReport) -> Section:
    """What a colleague asks first."""
    rows = [["result", _result(report)]]
    if report.files.best:
        best, last = report.files.best, report.files.last
        rows.append(["best epoch", f"{best.get('epoch', 0) + 1:g} of {last.get('epoch', 0) + 1:g}"])
    network = report.network
    if report.count is not None:
        network += f", {report.count.params / 1e6:.2f} M parameters, {report.count.madds / 1e6:,.1f} M multiply-adds"
    rows.append(["network", network])
    if report.latency is not None:
        rows.append(["latency here", f"{report.latency.milliseconds:.2f} ms for one image ({report.latency.device})"])
    rows.append(["classes", f"{len(report.class_names or report.files.data.get('classes', ()))}"])
    blocks: list[Block] = [HtmlTable("the run at a glance", (), rows, words=(0, 1))]
    blocks += [Text(f"{sentence}.", warning=True) for sentence in report.missing]
    return Section("Summary", blocks)


def _result(report: RunReport) -> str:
    results, files = report.results, report.files
    if results is not None:
        top, name = results.accuracies[1], SPLITS.get(results.split, results.split)
        interval = between(top.interval)
        which = ", of the raw weights" if report.wanted.weights == "raw" else ""
        where = f" of {report.wanted.data}" if report.wanted.data is not None else ""
        return f"{percent(top.value)} top-1 of {top.total:,} {name} images{where} (95 % interval {interval}){which}"
    if files.best:
        return f"{files.monitor} {metric_text(files.monitor, files.best[files.monitor])}, as the run recorded it"
    return "none recorded"
